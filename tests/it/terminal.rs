//! The output of commands in a terminal: no table is wider than the terminal, even with names in
//! wide characters, and colours carry no information.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::support::{Workspace, testdata};

/// Returns standard output and standard error of `backtrail ARGS` in a terminal of `columns`
/// columns.
fn shown(folder: &Path, columns: usize, args: &[&str]) -> [String; 2] {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.args(args).current_dir(folder).env("COLUMNS", columns.to_string());
    command.env_remove("GITHUB_ACTIONS").stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(!texts[1].contains("panicked"), "{args:?}\n{}", texts[1]);
    texts
}

/// Returns `text` without the line with the duration.
fn untimed(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("read "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Returns the output of a command for the sample company.
fn of_trailco(columns: usize, args: &[&str]) -> String {
    let [out, err] = shown(&testdata("trailco"), columns, args);
    format!("{}{}", untimed(&out), untimed(&err))
}

const AUDIT: [&str; 6] = ["audit", "events", "--rules", "rules.toml", "--allow", "allow.txt"];

#[test]
fn the_audit_of_the_sample_company() {
    insta::assert_snapshot!("audit_80", of_trailco(80, &AUDIT));
    insta::assert_snapshot!("audit_120", of_trailco(120, &AUDIT));
}

#[test]
fn the_queue_of_the_sample_company() {
    let args = ["queue", "events", "--rules", "rules.toml"];
    insta::assert_snapshot!("queue_80", of_trailco(80, &args));
    insta::assert_snapshot!("queue_120", of_trailco(120, &args));
    let args = ["queue", "events", "--event", "Page Viewed"];
    insta::assert_snapshot!("profile_80", of_trailco(80, &args));
}

#[test]
fn the_summary_of_the_sample_company() {
    let workspace = Workspace::new();
    let out = workspace.path("out");
    let args = ["run", "events", "--rules", "rules.toml", "-o", out.to_str().unwrap()];
    insta::assert_snapshot!("run_80", of_trailco(80, &args));
    let args = [&args[..], &["--overwrite"]].concat();
    insta::assert_snapshot!("run_120", of_trailco(120, &args));
}

#[test]
fn colours_add_nothing_but_colour() {
    let plain = of_trailco(80, &AUDIT);
    let mut coloured = of_trailco(80, &[&AUDIT[..], &["--color", "always"]].concat());
    assert!(coloured.contains('\u{1b}'));
    for code in ["0", "1", "2", "31", "32", "33", "36"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(coloured, plain);
}

/// Events with these names of one visitor, who is then identified.
fn events(names: &[String]) -> String {
    let event = |(at, name): (usize, &String)| {
        let event = serde_json::json!({
            "type": "track", "event": name, "messageId": format!("m{at}"), "anonymousId": "a",
            "timestamp": format!("2025-05-{:02}T00:00:00Z", at % 28 + 1),
            "properties": { name.as_str(): name },
        });
        format!("{event}\n")
    };
    let identify = r#"{"type":"identify","messageId":"i","anonymousId":"a","timestamp":"2025-05-30T00:00:00Z","traits":{"email":"ana@acme.example"}}"#;
    names.iter().enumerate().map(event).chain([format!("{identify}\n")]).collect()
}

/// A rule for each name, and a plan that is exceeded.
fn rules(names: &[String]) -> String {
    let mut rules =
        "version = 1\n[plan]\nname = \"Growth\"\nraw_signals = 2\nperiod = \"month\"\n".to_owned();
    for (at, name) in names.iter().enumerate() {
        let id = serde_json::json!(format!("{name} {at}"));
        let event = serde_json::json!(name);
        let rule = format!("[[rule]]\nid = {id}\nwhen = 'event = {event}'\nscore = {at}\n");
        rules.push_str(&rule);
    }
    rules
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn no_line_is_wider_than_the_terminal(
        names in prop::collection::vec("[a-zé試用開始❤️👩 ]{1,60}", 1..8),
        columns in prop::sample::select(vec![80_usize, 120]),
    ) {
        let workspace = Workspace::new();
        workspace.write("in.ndjson", events(&names));
        workspace.write("rules.toml", rules(&names));
        workspace.write("allow.txt", "identify\n");
        let commands: [&[&str]; 5] = [
            &["run", "in.ndjson", "-o", "out", "--rules", "rules.toml"],
            &["audit", "in.ndjson", "--allow", "allow.txt", "--rules", "rules.toml"],
            &["audit", "in.ndjson", "--allow", "allow.txt"],
            &["queue", "in.ndjson", "--rules", "rules.toml"],
            &["queue", "in.ndjson", "--event", "track"],
        ];
        for args in commands {
            for text in shown(&workspace.path("."), columns, args) {
                // The list of the change is there to be copied.
                let (text, _) = text.split_once("better list").unwrap_or((&text, ""));
                for line in text.lines() {
                    prop_assert!(line.width() <= columns, "{args:?} {}: {line}", line.width());
                }
            }
        }
    }
}
