//! A second implementation of the pipeline, with which the program is compared on hostile
//! histories.
//!
//! It is written from the description of the program, not from its code: one event after another,
//! with maps and sorts, over `serde_json` values. It covers everything but captures, destination
//! filters, `unused_emails` and the trend of the plan, which have other tests.

mod address;
mod event;
pub mod history;
mod identity;
mod lead;
mod plan;
mod replay;
mod report;
pub mod settings;

use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Row, Workspace};
use replay::replay;
use settings::{DedupBy, Settings};

/// Returns the first difference between the actual and the expected report.
fn difference(path: &str, found: &Value, wanted: &Value) -> Option<String> {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().find_map(|(name, wanted)| {
                difference(
                    &format!("{path}/{name}"),
                    found.get(name).unwrap_or(&Value::Null),
                    wanted,
                )
            })
        }
        (Value::Array(found), Value::Array(wanted)) if found.len() == wanted.len() => {
            let mut found = found.clone();
            if path.ends_with("by_name") || path.ends_with("unmapped_by_event") {
                let name = |value: &Value| [&value["type"], &value["event"]].map(Value::to_string);
                found.sort_by_key(name);
            }
            let pairs = found.iter().zip(wanted).enumerate();
            pairs.into_iter().find_map(|(at, (found, wanted))| {
                difference(&format!("{path}/{at}"), found, wanted)
            })
        }
        _ if found == wanted => None,
        (Value::Number(found), Value::Number(wanted)) if found.as_f64() == wanted.as_f64() => None,
        _ => Some(format!("{path}: the program has {found}, the replay {wanted}")),
    }
}

/// Returns the first difference between the actual and the expected rows.
fn difference_of_rows(table: &str, found: &[Row], wanted: &[Row]) -> Option<String> {
    let rows = found.iter().zip(wanted).enumerate();
    let of_rows = rows.into_iter().find_map(|(at, (found, wanted))| {
        let names = found.keys().chain(wanted.keys());
        let mut different = names.filter(|name| found.get(*name) != wanted.get(*name));
        let name = different.next()?;
        let (found, wanted) = (found.get(name), wanted.get(name));
        Some(format!("{table}, row {at}, {name}: the program has {found:?}, the replay {wanted:?}"))
    });
    let lengths = (found.len(), wanted.len());
    let of_lengths = (lengths.0 != lengths.1)
        .then(|| format!("{table}: the program has {} rows, the replay {}", lengths.0, lengths.1));
    of_rows.or(of_lengths)
}

/// Runs the program over `lines`, divided into `files` files, and returns the difference from the
/// replay. With little memory, each file is an epoch.
fn compared(
    lines: &[String],
    settings: &Settings,
    (threads, files): (usize, usize),
    memory: &str,
) -> Result<(), String> {
    let workspace = Workspace::new();
    workspace.write("rules.toml", settings.rules_file());
    for (number, part) in lines.chunks(lines.len().div_ceil(files).max(1)).enumerate() {
        workspace.write(&format!("in/{number}.ndjson"), part.join("\n"));
    }
    let threads = threads.to_string();
    let arguments = ["in", "--rules", "rules.toml", "-o", "out", "--csv-raw"];
    let limits = ["--threads", &threads, "--memory", memory];
    workspace.run(arguments.into_iter().chain(limits)).exits(0);
    let wanted = replay(lines, settings);
    let signals = workspace.rows("out/signals.csv");
    let leads = workspace.rows("out/leads.csv");
    let difference = difference_of_rows("signals", &signals, &wanted.signals)
        .or_else(|| difference_of_rows("leads", &leads, &wanted.leads))
        .or_else(|| difference("", &workspace.report("out"), &wanted.report));
    match difference {
        None => Ok(()),
        Some(difference) => {
            Err(format!("{difference}\n{}\n{}", settings.rules_file(), lines.join("\n")))
        }
    }
}

fn cases() -> u32 {
    std::env::var("BACKTRAIL_ORACLE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

fn replayed() -> impl Strategy<Value = (Settings, Vec<String>)> {
    settings::settings().prop_flat_map(|settings| {
        let distinct_receipts = matches!(settings.dedup, DedupBy::ContentWithout(_));
        (Just(settings), history::history(distinct_receipts))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_gives_what_a_replay_gives((settings, lines) in replayed(), threads in 1..=3usize) {
        let compared = compared(&lines, &settings, (threads, 1), "1GiB");
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }

    #[test]
    fn a_run_in_little_memory_gives_what_a_replay_gives(
        (settings, lines) in replayed(),
        threads in 1..=3usize,
        files in 1..=5usize,
    ) {
        let compared = compared(&lines, &settings, (threads, files), "1");
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }
}
