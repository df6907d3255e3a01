//! Compares the engine's stages over record batches with the program: they give the tables of a run
//! for any buckets, order of batches and division of the input into files.

mod cluster;
mod report;
mod tables;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::oracle::history::history;
use crate::oracle::settings::{DedupBy, Settings, settings};
use crate::support::{Row, Workspace};
use cluster::{Cluster, Given};

/// How the input is divided and the work distributed.
#[derive(Clone, Debug)]
struct Division {
    files: usize,
    buckets: u32,
    /// Determines the order of batches.
    salt: u64,
}

fn division() -> impl Strategy<Value = Division> {
    (1..5_usize, prop_oneof![1..4_u32, 1..40_u32], any::<u64>())
        .prop_map(|(files, buckets, salt)| Division { files, buckets, salt })
}

/// The first difference between the rows of a run and those of the stages.
fn difference(table: &str, run: &[Row], stages: &[Row]) -> Option<String> {
    if run.len() != stages.len() {
        return Some(format!("{table}: a run has {} rows, stages {}", run.len(), stages.len()));
    }
    run.iter().zip(stages).enumerate().find_map(|(at, (run, stages))| {
        let name =
            run.keys().chain(stages.keys()).find(|name| run.get(*name) != stages.get(*name))?;
        let (run, stages) = (run.get(name), stages.get(name));
        Some(format!("{table}, row {at}, {name}: a run has {run:?}, stages {stages:?}"))
    })
}

/// Runs the program and the stages over `lines`, and returns the differences.
fn compared(lines: &[String], rules: &str, division: &Division) -> Result<(), String> {
    let workspace = Workspace::new();
    workspace.write("rules.toml", rules);
    let length = lines.len().div_ceil(division.files);
    let names: Vec<String> = lines
        .chunks(length)
        .enumerate()
        .map(|(at, lines)| {
            let name = format!("{at}.ndjson");
            workspace.write(&name, lines.join("\n"));
            name
        })
        .collect();
    let arguments = ["run", "--rules", "rules.toml", "-o", "out", "--csv-raw", "--allow-empty"];
    workspace.run(names.iter().map(String::as_str).chain(arguments.into_iter().skip(1))).exits(0);
    let paths: Vec<_> = names.iter().map(|name| workspace.path(name)).collect();
    let given = Given { paths: &paths, rules, salt: division.salt };
    let stages = Cluster::new(division.buckets, &given).outcome();
    let difference = difference("signals", &workspace.rows("out/signals.csv"), &stages.signals)
        .or_else(|| difference("leads", &workspace.rows("out/leads.csv"), &stages.leads))
        .or_else(|| report::difference(&workspace.report("out"), &stages.report));
    match difference {
        None => Ok(()),
        Some(difference) => {
            Err(format!("{difference}\n{division:?}\n{rules}\n{}", lines.join("\n")))
        }
    }
}

fn cases() -> u32 {
    std::env::var("BACKTRAIL_ORACLE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

fn hostile() -> impl Strategy<Value = (Settings, Vec<String>)> {
    settings().prop_flat_map(|settings| {
        let distinct_receipts = matches!(settings.dedup, DedupBy::ContentWithout(_));
        (Just(settings), history(distinct_receipts))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stages_over_batches_give_the_tables_of_a_run(
        (settings, lines) in hostile(),
        division in division(),
    ) {
        let compared = compared(&lines, &settings.rules_file(), &division);
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }
}

/// Histories in which some user ids are deleted.
fn with_deletions() -> impl Strategy<Value = (Settings, Vec<String>)> {
    let deletion = (any::<prop::sample::Index>(), 0..4_u8, proptest::option::of(0..24_u8));
    (hostile(), proptest::collection::vec(deletion, 1..4)).prop_map(
        |((settings, mut lines), deletions)| {
            for (at, user, hour) in deletions {
                let mut call =
                    json!({"type": "delete", "messageId": "d", "userId": format!("u{user}")});
                if let Some(hour) = hour {
                    call["timestamp"] = format!("2025-05-01T{hour:02}:00:30Z").into();
                }
                lines.insert(at.index(lines.len()), call.to_string());
            }
            (settings, lines)
        },
    )
}

/// Returns a time on the first of May.
fn at(minute: u16) -> String {
    format!("2025-05-01T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

/// User ids that aliases connect in long chains and cycles, with few e-mails.
fn chains() -> impl Strategy<Value = Vec<String>> {
    let minute = 0..1440_u16;
    let alias = (0..24_u8, prop_oneof![8 => Just(1), 1 => 0..24_u8], minute.clone());
    let alias = alias.prop_map(|(from, step, minute)| {
        json!({"type": "alias", "messageId": format!("l{from}-{step}-{minute}"),
            "previousId": format!("u{from}"), "userId": format!("u{}", (from + step) % 24),
            "timestamp": at(minute)})
    });
    let identify = (0..24_u8, 0..3_u8, minute.clone()).prop_map(|(user, email, minute)| {
        json!({"type": "identify", "messageId": format!("i{user}-{email}-{minute}"),
            "userId": format!("u{user}"), "traits": {"email": format!("p{email}@acme.example")},
            "timestamp": at(minute)})
    });
    let track = (0..9_u8, proptest::option::of(0..24_u8), minute).prop_map(|(visitor, user, minute)| {
        let mut event = json!({"type": "track", "event": "Ping", "anonymousId": format!("a{visitor}"),
            "messageId": format!("t{visitor}-{user:?}-{minute}"), "timestamp": at(minute)});
        if let Some(user) = user {
            event["userId"] = format!("u{user}").into();
        }
        event
    });
    let event = prop_oneof![4 => alias, 1 => identify, 3 => track];
    proptest::collection::vec(event, 20..90)
        .prop_map(|events| events.iter().map(Value::to_string).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 4, max_shrink_iters: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deletion_requests_cover_the_same_rows(
        (settings, lines) in with_deletions(),
        division in division(),
    ) {
        let compared = compared(&lines, &settings.rules_file(), &division);
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }

    #[test]
    fn chains_of_aliases_lead_as_far(
        lines in chains(),
        policy in prop::sample::select(&["split", "first", "last", "strict"][..]),
        max_emails in 1..3_u8,
        division in division(),
    ) {
        let rules = format!(
            "version = 1\n[identity]\npolicy = {policy:?}\nmax_emails = {max_emails}\n"
        );
        let compared = compared(&lines, &rules, &division);
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }
}

/// An alias of another person from a deleted user id remains, but no longer connects that id.
#[test]
fn a_tie_that_a_deletion_request_covers_resolves_nobody() {
    let lines = [
        json!({"type": "identify", "messageId": "i", "userId": "new", "anonymousId": "a",
            "traits": {"email": "p@acme.example"}, "timestamp": at(1)}),
        json!({"type": "alias", "messageId": "l", "userId": "new", "previousId": "old",
            "anonymousId": "a", "timestamp": at(2)}),
        json!({"type": "delete", "messageId": "d", "userId": "old", "timestamp": at(3)}),
        json!({"type": "track", "event": "Ping", "messageId": "t", "userId": "old",
            "timestamp": at(4)}),
    ];
    let division = Division { files: 1, buckets: 1, salt: 1 };
    let lines = lines.map(|line| line.to_string());
    assert_eq!(compared(&lines, "version = 1", &division), Ok(()));
}

/// Batches of another job are rejected before they are processed.
#[test]
fn stages_refuse_batches_of_other_rules() {
    let workspace = Workspace::new();
    workspace.write("a.ndjson", crate::support::track("m"));
    let paths = [workspace.path("a.ndjson")];
    let given = |rules| Given { paths: &paths, rules, salt: 1 };
    let (one, other) = (given("version = 1"), given("version = 1\n[identity]\nuser_id = false"));
    let error = Cluster::new(3, &one).dedup_of(&Cluster::new(3, &other)).unwrap_err().to_string();
    assert!(error.contains("another version of backtrail, or under other rules"), "{error}");
    let error = Cluster::new(3, &one).dedup_of(&Cluster::new(4, &one)).unwrap_err().to_string();
    assert!(error.contains("make all batches of a job with one version"), "{error}");
}
