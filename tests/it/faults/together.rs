//! Two concurrent runs into one folder.

use crate::support::{Workspace, track};

#[test]
fn of_two_concurrent_runs_one_complete_set_remains() {
    let workspace = Workspace::new();
    let events = |name: &str| (0..200).map(|n| track(&format!("{name}{n}"))).collect::<String>();
    workspace.write("a.ndjson", events("a"));
    workspace.write("b.ndjson", events("b") + "{\n");
    let command = |input: &str| workspace.command([input, "-o", "out", "--overwrite"]);
    for _ in 0..12 {
        let both = ["a.ndjson", "b.ndjson"].map(|input| Workspace::start(command(input)));
        for running in both {
            running.finish().exits(0);
        }
        let report = workspace.report("out");
        let input = report["inputs"][0]["path"].as_str().unwrap();
        let signals = String::from_utf8(workspace.read("out/signals.csv")).unwrap();
        let (letter, names) = match input {
            "a.ndjson" => ("a", &["leads.csv", "report.html", "report.json", "signals.csv"][..]),
            _ => (
                "b",
                &["leads.csv", "rejects.ndjson", "report.html", "report.json", "signals.csv"][..],
            ),
        };
        assert_eq!(workspace.list("out"), names, "{input}");
        let ids = signals.lines().skip(1).map(|line| line.rsplit(',').next().unwrap());
        assert_eq!(ids.filter(|id| id.starts_with(letter)).count(), 200, "{input}");
        assert_eq!(signals.lines().count(), 201, "{input}");
    }
}
