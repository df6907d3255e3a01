//! `--memory` changes where things wait, and nothing else.

use crate::history::{History, Plan};
use crate::support::{Workspace, assert_ledger_holds, gzip, track};
use serde_json::{Value, json};

const EVENTS: u64 = 6000;

/// Files of one history with redeliveries; one that repeats part of it as if received earlier; one
/// that repeats part of it as it is; and one of many copies of one event.
fn write_inputs(workspace: &Workspace) {
    let mut history = History::new(&Plan::of(EVENTS));
    let mut bytes = Vec::new();
    while history.write_next(&mut bytes) {}
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let earlier = |line: &&str| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        event["receivedAt"] = json!("2024-12-31T00:00:00Z");
        format!("{event}\n")
    };
    let half = lines.len() / 2;
    workspace.write("in/a.ndjson", lines[..half].join("\n"));
    workspace.write("in/b.ndjson.gz", gzip(lines[half..].join("\n").as_bytes()));
    workspace.write("in/c.ndjson", lines.iter().step_by(3).map(earlier).collect::<String>());
    workspace.write("in/d.ndjson", lines[half - 1000..half + 1000].join("\n"));
    workspace.write("in/e.ndjson", track("once").repeat(3000));
}

fn run(workspace: &Workspace, out: &str, memory: &str, threads: &str) {
    let options = ["--rules", "rules.toml", "--memory", memory, "--threads", threads];
    let options = [&options[..], &["--profile-duplicates"]].concat();
    workspace.run([&["in", "-o", out][..], &options].concat()).exits(0);
    assert_ledger_holds(workspace, out);
}

/// The report without what tells of the clock.
fn report(workspace: &Workspace, out: &str) -> Value {
    let mut report = workspace.report(out);
    assert!(report.as_object_mut().unwrap().remove("elapsed_seconds").is_some());
    report
}

#[test]
fn little_memory_gives_the_same_bytes() {
    for (by, least_duplicates) in [("content", 6000), ("message_id", 6000), ("none", 0)] {
        let workspace = Workspace::new();
        write_inputs(&workspace);
        let rules = include_str!("../../benches/rules-10.toml");
        workspace.write("rules.toml", format!("{rules}\n[dedup]\nby = \"{by}\"\n"));
        run(&workspace, "plenty", "1GiB", "1");
        let names = workspace.list("plenty");
        assert_eq!(names, ["leads.csv", "report.html", "report.json", "signals.csv"]);
        let plenty = report(&workspace, "plenty");
        let duplicates = plenty["events"]["duplicates"].as_u64().unwrap();
        assert!(duplicates >= least_duplicates, "{by}: {duplicates} duplicates");
        // Nothing in memory; a few epochs; keys at first, until the table would have to grow; all but
        // some rows.
        for memory in ["1", "500KiB", "906KiB", "40MiB"] {
            for threads in ["1", "2", "7"] {
                let out = format!("{memory}-{threads}");
                run(&workspace, &out, memory, threads);
                for name in names.iter().filter(|name| *name != "report.json") {
                    let read = |out: &str| workspace.read(&format!("{out}/{name}"));
                    assert!(read(&out) == read("plenty"), "{name} {by} {memory} {threads}");
                }
                assert_eq!(report(&workspace, &out), plenty, "{by} {memory} {threads}");
                assert_eq!(workspace.list(&out), names, "nothing is left behind");
            }
        }
    }
}

#[test]
fn little_memory_gives_the_same_audit() {
    let workspace = Workspace::new();
    write_inputs(&workspace);
    let rules = include_str!("../../benches/rules-10.toml");
    workspace.write("rules.toml", format!("{rules}\n[plan]\nraw_signals = 500\n"));
    workspace.write("allow.txt", "identify\nDemo Requested\npage *\n");
    let audit = |memory: &str| {
        let options = ["--allow", "allow.txt", "--rules", "rules.toml", "--format", "json"];
        let arguments = [&["in"][..], &options, &["--memory", memory]].concat();
        let output = workspace.does("audit", &arguments);
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report.as_object_mut().unwrap().remove("elapsed_seconds").is_some());
        report
    };
    let plenty = audit("1GiB");
    assert!(plenty["leads"]["before"]["total"].as_u64().unwrap() > 0, "{plenty}");
    assert!(!plenty["change"]["drop"].as_array().unwrap().is_empty(), "{plenty}");
    assert_eq!(audit("1"), plenty);
}

#[test]
fn little_memory_gives_the_same_queue() {
    let workspace = Workspace::new();
    write_inputs(&workspace);
    workspace.write("rules.toml", include_str!("../../benches/rules-10.toml"));
    for options in [&["--format", "json"][..], &["--suggest"]] {
        let queue = |memory: &str| {
            let arguments = ["in", "--rules", "rules.toml", "--memory", memory];
            workspace.does("queue", &[&arguments[..], options].concat()).stdout
        };
        let plenty = queue("1GiB");
        assert!(!plenty.is_empty());
        assert!(queue("1") == plenty, "{options:?}");
    }
}

#[test]
fn a_folder_that_takes_no_temporary_file_is_told() {
    let workspace = Workspace::new();
    workspace.write("a.ndjson", track("m1"));
    let mut command = workspace.command(["a.ndjson", "-o", "-", "--memory", "1"]);
    command.env("TMPDIR", workspace.path("gone"));
    Workspace::start(command)
        .finish()
        .exits(2)
        .says("cannot use a temporary file: cannot write in ")
        .says("gone: ")
        .says("raise --memory");
}
