//! The outputs for the sample company equal the committed ones, and those computed by hand in its
//! README.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const RENEW: &str = "if the change is meant, renew testdata/trailco/expected with the output of \
    `backtrail run testdata/trailco/events --rules testdata/trailco/rules.toml -o DIR` \
    (report.json with elapsed_seconds 0)";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program with `args` and returns the folder of its outputs.
fn run(args: &[&str]) -> (tempfile::TempDir, std::process::Output) {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_backtrail"))
        .current_dir(root())
        .arg("run")
        .args(args)
        .arg("-o")
        .arg(dir.path().join("out"))
        .output()
        .unwrap();
    (dir, output)
}

fn report(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("out/report.json")).unwrap()).unwrap()
}

#[test]
fn the_outputs_for_the_sample_are_the_committed_ones() {
    let (dir, output) = run(&["testdata/trailco/events", "--rules", "testdata/trailco/rules.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = root().join("testdata/trailco/expected");
    for name in ["signals.csv", "leads.csv", "rejects.ndjson"] {
        let read = |dir: &Path| std::fs::read_to_string(dir.join(name)).unwrap();
        assert_eq!(read(&dir.path().join("out")), read(&expected), "{name}: {RENEW}");
    }
    let mut found = report(dir.path());
    found["elapsed_seconds"] = 0.into();
    let committed = std::fs::read(expected.join("report.json")).unwrap();
    let committed: Value = serde_json::from_slice(&committed).unwrap();
    assert_eq!(found, committed, "report.json: {RENEW}");
}

#[test]
fn the_sample_has_the_numbers_computed_in_its_readme() {
    let (dir, _) = run(&["testdata/trailco/events", "--rules", "testdata/trailco/rules.toml"]);
    let report = report(dir.path());
    for (pointer, expected) in [
        ("/records", 293),
        ("/rejects/total", 6),
        ("/events/total", 287),
        ("/events/filtered", 11),
        ("/events/duplicates", 7),
        ("/events/kept", 269),
        ("/events/no_anonymous_id", 19),
        ("/events/clock_skew", 3),
        ("/events/no_timestamp", 1),
        ("/identity/signals/direct", 5),
        ("/identity/signals/known", 158),
        ("/identity/signals/rehydrated", 41),
        ("/identity/signals/cold", 29),
        ("/identity/identify_without_email", 1),
        ("/identity/invalid_email", 2),
        ("/identity/blocked_emails", 1),
        ("/rules/mapped", 129),
        ("/rules/unmapped", 104),
        ("/plan/periods/0/raw_signals", 79),
        ("/plan/periods/1/raw_signals", 86),
        ("/plan/periods/2/raw_signals", 110),
        ("/plan/periods/0/active_leads", 9),
        ("/plan/periods/1/active_leads", 23),
        ("/plan/periods/2/active_leads", 8),
        ("/plan/over", 10),
        ("/plan/lost", 8),
        ("/plan/lost_identifies", 1),
    ] {
        assert_eq!(report.pointer(pointer), Some(&Value::from(expected)), "{pointer}");
    }
}

#[test]
fn every_record_of_every_bad_fixture_is_in_exactly_one_count() {
    let mut fixtures = 0;
    for entry in std::fs::read_dir(root().join("testdata/bad")).unwrap() {
        let path = entry.unwrap().path();
        let (dir, output) = run(&[path.to_str().unwrap(), "--allow-empty"]);
        let code = output.status.code();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(code, Some(0 | 2)), "{}: {code:?}\n{stderr}", path.display());
        assert!(!stderr.contains('@') && !stderr.contains("panicked"), "{stderr}");
        let report = report(dir.path());
        let count = |pointer: &str| report.pointer(pointer).unwrap().as_u64().unwrap();
        assert_eq!(count("/records"), count("/events/total") + count("/rejects/total"));
        let (filtered, duplicates) = (count("/events/filtered"), count("/events/duplicates"));
        assert_eq!(count("/events/total"), filtered + duplicates + count("/events/kept"));
        let signals = dir.path().join("out/signals.csv");
        let rows = csv::Reader::from_path(signals).unwrap().into_records().count() as u64;
        assert_eq!(count("/identity/signals/total"), rows, "{}", path.display());
        fixtures += 1;
    }
    assert!(fixtures > 20, "only {fixtures} fixtures");
}
