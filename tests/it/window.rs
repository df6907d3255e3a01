//! `--since` and `--until`: only events in the window count, but all events identify visitors.

use std::collections::{BTreeMap, BTreeSet};

use crate::determinism::{Arrangement, RULES, arranged, sorted_lines};
use crate::support::{Row, Workspace, assert_ledger_holds, testdata, track};
use proptest::prelude::*;
use serde_json::Value;

/// The columns of a lead that do not depend on the window.
const OF_THE_PERSON: [&str; 10] = [
    "name",
    "first_name",
    "last_name",
    "company",
    "title",
    "phone",
    "identified_at",
    "anonymous_ids",
    "user_ids",
    "email",
];

fn run(workspace: &Workspace, out: &str, arguments: &[&str]) {
    let arguments = [&["-o", out, "--rules", "rules.toml", "--allow-empty"], arguments].concat();
    workspace.run(arguments).exits(0);
    assert_ledger_holds(workspace, out);
}

/// Returns the cells of the rows of `signals` whose time is in the window.
fn in_window(rows: Vec<Row>, since: &str, until: &str) -> Vec<Row> {
    let lies_in = |row: &Row| {
        let time = row["timestamp"].as_str();
        since <= time && time < until
    };
    rows.into_iter().filter(lies_in).collect()
}

/// Returns the sums of each lead over `signals`, by the rules of [`RULES`].
fn sums(signals: &[Row]) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let mut by_lead: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in signals.iter().filter(|row| !row["lead_email"].is_empty()) {
        by_lead.entry(&row["lead_email"]).or_default().push(row);
    }
    let sums = by_lead.into_iter().map(|(email, rows)| {
        let count =
            |column: &str, value: &str| rows.iter().filter(|row| row[column] == value).count();
        let times =
            || rows.iter().map(|row| row["timestamp"].clone()).filter(|time| !time.is_empty());
        let sums = BTreeMap::from([
            ("signals", rows.len().to_string()),
            ("high_intent_signals", count("high_intent", "true").to_string()),
            ("rehydrated_signals", count("resolution", "rehydrated").to_string()),
            (
                "score",
                (50 * count("rule", "demo").min(1) + 3 * count("rule", "page").min(2)).to_string(),
            ),
            ("first_seen", times().min().unwrap_or_default()),
            ("last_seen", times().max().unwrap_or_default()),
        ]);
        (email.to_owned(), sums)
    });
    sums.collect()
}

fn by_email(rows: Vec<Row>) -> BTreeMap<String, Row> {
    rows.into_iter().map(|row| (row["email"].clone(), row)).collect()
}

/// Returns the counts of each day of the plan in the window.
fn days(report: &Value, since: &str, until: &str) -> Vec<(String, Value, Value)> {
    let periods = report["plan"]["periods"].as_array().unwrap().iter();
    let lies_in = |period: &&Value| {
        let start = period["start"].as_str().unwrap();
        since <= start && start < until && period["raw_signals"] != 0
    };
    let day = |period: &Value| {
        (period["period"].to_string(), period["raw_signals"].clone(), period["mix"].clone())
    };
    periods.filter(lies_in).map(day).collect()
}

fn compare(lines: &[String], arrangement: &Arrangement, first: u8, days_long: u8, threads: usize) {
    let workspace = Workspace::new();
    workspace.write("rules.toml", RULES);
    workspace.write("plain.ndjson", lines.join("\n"));
    arrangement.write(&workspace, "other");
    let day = |day: u8| format!("2025-05-{day:02}T00:00:00.000Z");
    let (since, until) = (day(first), day(first + days_long));
    let threads = threads.to_string();
    run(&workspace, "all", &["plain.ndjson"]);
    run(
        &workspace,
        "some",
        &["other", "--since", &since, "--until", &until, "--threads", &threads],
    );

    let all = in_window(workspace.rows("all/signals.csv"), &since, &until);
    let some = workspace.rows("some/signals.csv");
    let shown = |rows: &[Row]| {
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        rows.sort_unstable();
        rows
    };
    assert_eq!(shown(&some), shown(&all), "signals of the window");

    let everyone = by_email(workspace.rows("all/leads.csv"));
    let leads = by_email(workspace.rows("some/leads.csv"));
    let sums = sums(&some);
    let active: BTreeSet<_> = sums.keys().collect();
    assert!(active.is_subset(&leads.keys().collect()), "{active:?} {leads:?}");
    for (email, lead) in &leads {
        for column in OF_THE_PERSON {
            assert_eq!(lead[column], everyone[email][column], "{column} of {email}");
        }
        match sums.get(email) {
            Some(sums) => {
                for (column, sum) in sums {
                    assert_eq!(&lead[*column], sum, "{column} of {email}");
                }
            }
            None => assert_eq!((&*lead["signals"], &*lead["score"]), ("0", "0"), "{email}"),
        }
    }

    let reports = ["all", "some"].map(|out| workspace.report(out));
    let [of_all, of_some] = reports.each_ref().map(|report| days(report, &since, &until));
    assert_eq!(of_some, of_all, "raw signals of the window");
    let raw: u64 = of_some.iter().map(|(_, raw, _)| raw.as_u64().unwrap()).sum();
    let by_type = reports[1]["events"]["by_type"].as_object().unwrap().values();
    assert_eq!(by_type.map(|count| count.as_u64().unwrap()).sum::<u64>(), raw);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_window_has_what_a_full_run_has_in_it(
        (lines, arrangement) in arranged(),
        first in 1..=4u8,
        days_long in 1..=3u8,
        threads in 1..=8usize,
    ) {
        compare(&lines, &arrangement, first, days_long, threads);
    }
}

fn identify(id: &str, email: &str, day: u8) -> String {
    format!(
        r#"{{"type":"identify","messageId":"{id}","anonymousId":"a1","timestamp":"2025-05-{day:02}T00:00:00Z","traits":{{"email":"{email}","name":"Ana"}}}}"#
    ) + "\n"
}

#[test]
fn visitors_identified_before_the_window_keep_their_signals_in_it() {
    let workspace = Workspace::new();
    workspace.write("rules.toml", "version = 1\n");
    let before = track("t1").replace("05-01", "05-03");
    let text =
        [identify("i1", "ana@acme.example", 2), before, identify("i2", "bo@acme.example", 9)];
    workspace.write("in.ndjson", text.concat());
    run(&workspace, "out", &["in.ndjson", "--since", "2025-05-03", "--until", "2025-05-09"]);
    let signals = workspace.rows("out/signals.csv");
    assert_eq!(signals.len(), 1);
    assert_eq!(
        (&*signals[0]["lead_email"], &*signals[0]["resolution"]),
        ("ana@acme.example", "known")
    );
    let leads = workspace.rows("out/leads.csv");
    assert_eq!(leads.len(), 1, "bo is identified after it: {leads:?}");
    assert_eq!((&*leads[0]["name"], &*leads[0]["signals"]), ("Ana", "1"));
    assert_eq!(leads[0]["identified_at"], "2025-05-02T00:00:00.000Z");
    let report = workspace.report("out");
    assert_eq!(report["events"]["outside_window"], 2);
    assert_eq!(report["window"]["since"], "2025-05-03T00:00:00.000Z");
    assert_eq!(report["identity"]["facts"], 2, "facts are those of all that is read");
    assert_eq!(report["plan"]["lost_leads"], 0);
}

#[test]
fn a_lead_that_is_identified_in_the_window_is_one_without_signals() {
    let workspace = Workspace::new();
    workspace.write("rules.toml", "version = 1\n");
    workspace.write("in.ndjson", track("t1") + &identify("i1", "ana@acme.example", 7));
    run(&workspace, "out", &["in.ndjson", "--since", "2025-05-05"]);
    let leads = workspace.rows("out/leads.csv");
    assert_eq!((leads.len(), &*leads[0]["signals"]), (1, "0"));
    assert_eq!(leads[0]["first_seen"], "2025-05-07T00:00:00.000Z");
    assert!(workspace.rows("out/signals.csv").is_empty());
}

#[test]
fn dates_are_those_of_the_plan() {
    let workspace = Workspace::new();
    workspace.write("rules.toml", "version = 1\nplan = { timezone = \"America/New_York\" }\n");
    let at = |id: &str, time: &str| track(id).replace("2025-05-01T00:00:00Z", time);
    workspace
        .write("in.ndjson", at("1", "2025-05-02T03:59:59Z") + &at("2", "2025-05-02T04:00:00Z"));
    run(&workspace, "out", &["in.ndjson", "--since", "2025-05-02"]);
    let signals = workspace.rows("out/signals.csv");
    assert_eq!((signals.len(), &*signals[0]["message_id"]), (1, "2"));
}

#[test]
fn an_age_counts_back_from_now() {
    let workspace = Workspace::new();
    let now = backtrail::time::Time::now();
    let hours_ago = |hours: i64| backtrail::time::Time::from_raw(now.to_raw() - hours * 3_600_000);
    let at =
        |id: &str, hours| track(id).replace("2025-05-01T00:00:00Z", &hours_ago(hours).to_string());
    workspace.write("rules.toml", "version = 1\n");
    workspace.write("in.ndjson", at("old", 48) + &at("new", 6));
    run(&workspace, "out", &["in.ndjson", "--since", "1d"]);
    let signals = workspace.rows("out/signals.csv");
    assert_eq!((signals.len(), &*signals[0]["message_id"]), (1, "new"));
    run(&workspace, "then", &["in.ndjson", "--until", "12h"]);
    assert_eq!(workspace.rows("then/signals.csv")[0]["message_id"], "old");
}

#[test]
fn a_window_without_an_event_is_an_error_that_says_when_events_are() {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", track("t1"));
    for (command, rest) in
        [("run", &["-o", "out"][..]), ("queue", &[]), ("audit", &["--allow", "allow.txt"])]
    {
        workspace.write("allow.txt", "identify\n");
        let arguments = [&["in.ndjson", "--since", "2025-06-01"], rest].concat();
        workspace
            .does(command, &arguments)
            .exits(2)
            .says("none lies in the window since 2025-06-01T00:00:00.000Z")
            .says("1 event from 2025-05-01T00:00:00.000Z to 2025-05-01T00:00:00.000Z")
            .says("--allow-empty");
        if command == "run" {
            assert_eq!(workspace.list("out"), [""; 0]);
        }
        let allowed = [&arguments[..], &["--allow-empty"]].concat();
        let code = workspace.does(command, &allowed).status.code().unwrap();
        assert!(code < 2, "{command} exits {code}");
    }
}

#[test]
fn bounds_in_the_wrong_order_are_an_error_that_names_both() {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", track("t1"));
    let arguments =
        ["in.ndjson", "-o", "out", "--since", "2025-06-01", "--until", "2025-06-01T00:00Z"];
    workspace
        .run(arguments)
        .exits(2)
        .says(
            "--since 2025-06-01T00:00:00.000Z (2025-06-01T00:00:00.000 by the clocks of the plan)",
        )
        .says("--until 2025-06-01T00:00:00.000Z; --until must be later");
    workspace.run(["in.ndjson", "-o", "out", "--since", "3/1/2025"]).exits(2).says("such as 30d");
}

/// Runs `trailco` with a window of May and its rules; the commands differ only in the job.
fn trailco(command: &str, more: &[&str]) -> (Workspace, Vec<u8>) {
    let workspace = Workspace::new();
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    let (events, rules) = (path("trailco/events"), path("trailco/rules.toml"));
    let arguments =
        [&[&*events, "--rules", &rules, "--since", "2025-05-01", "--until", "2025-06-01"], more]
            .concat();
    let finished = workspace.does(command, &arguments);
    assert!(finished.status.code().is_some_and(|code| code < 2), "{finished}");
    (workspace, finished.stdout)
}

#[test]
fn an_audit_counts_what_a_run_counts_in_the_window() {
    let allow = testdata("trailco/allow.txt");
    let allow = ["--allow", allow.to_str().unwrap()];
    let (_, audit) = trailco("audit", &[&allow[..], &["--format", "json"]].concat());
    let audit: Value = serde_json::from_slice(&audit).unwrap();
    let (workspace, _) = trailco("run", &[&allow[..], &["-o", "out"]].concat());
    let run = workspace.report("out");
    assert_eq!(audit["plan"]["periods"].as_array().unwrap().len(), 1);
    for member in ["raw_signals", "active_leads", "over", "lost"] {
        let figure = &audit["plan"]["periods"][0]["after"][member];
        assert_eq!(figure, &run["plan"]["periods"][0][member], "{member}");
    }
    for (of_audit, of_run) in [
        ("/leads/after/total", "/leads/total"),
        ("/leads/after/with_signals", "/leads/with_signals"),
        ("/leads/after/total_score", "/leads/total_score"),
        ("/signals/after/total", "/identity/signals/total"),
        ("/signals/after/rehydrated", "/identity/signals/rehydrated"),
        ("/signals/after/mapped", "/rules/mapped"),
        ("/window/since", "/window/since"),
    ] {
        assert_eq!(audit.pointer(of_audit), run.pointer(of_run), "{of_audit}");
    }
    let names = audit["names"].as_array().unwrap().iter();
    let counted: u64 = names.map(|name| name["count"].as_u64().unwrap()).sum();
    assert_eq!(audit["events"]["total"], counted);
    assert!(audit["events"]["outside_window"].as_u64().unwrap() > 100);
}

#[test]
fn a_queue_shows_the_signals_that_a_run_has_in_the_window() {
    let (_, queue) = trailco("queue", &["--format", "json"]);
    let queue: Value = serde_json::from_slice(&queue).unwrap();
    let (workspace, _) = trailco("run", &["-o", "out"]);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in workspace.rows("out/signals.csv") {
        *counts.entry(row["event"].clone()).or_default() += 1;
    }
    let names = queue["names"].as_array().unwrap();
    let is_signal =
        |name: &&Value| ["track", "page", "screen"].contains(&name["type"].as_str().unwrap());
    let of_queue = names.iter().filter(is_signal).map(|name| {
        let kept = name["count"].as_u64().unwrap() - name["duplicates"].as_u64().unwrap();
        (name["event"].as_str().unwrap().to_owned(), kept)
    });
    assert_eq!(of_queue.collect::<BTreeMap<_, _>>(), counts);
    let events = &queue["events"];
    let part = |name: &str| events[name].as_u64().unwrap();
    assert_eq!(part("total"), part("filtered") + part("outside_window") + part("counted"));
    for name in names {
        assert!(name["count"] != 0 && *name["first_seen"].as_str().unwrap() >= *"2025-04-30T22");
    }
    let (_, text) = trailco("queue", &[]);
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("window      since 2025-04-30T22:00:00.000Z, until"), "{text}");
}

#[test]
fn the_order_of_rows_is_that_of_a_full_run() {
    let (workspace, _) = trailco("run", &["-o", "some"]);
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    workspace
        .run([&*path("trailco/events"), "--rules", &path("trailco/rules.toml"), "-o", "all"])
        .exits(0);
    let text = |name: &str| String::from_utf8(workspace.read(name)).unwrap();
    let (all, some) = (text("all/signals.csv"), text("some/signals.csv"));
    let all: Vec<&str> = all.lines().collect();
    let places = some.lines().map(|line| all.iter().position(|other| *other == line).unwrap());
    assert!(places.clone().is_sorted() && places.count() > 50, "{some}");
    assert!(sorted_lines(&some).len() < all.len());
}
