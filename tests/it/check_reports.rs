//! The reports of `check`, read by other programs.

use std::fs;
use std::path::Path;

use crate::support::{Workspace, python, testdata};
use backtrail::jobs::check::finding::{Case, Checked, Finding, Level, Place, Suite, Violation};
use backtrail::jobs::check::report::{Format, Report, Setting, deliver, write};
use backtrail::jobs::check::repository::Repository;
use backtrail::report::layout::Layout;
use serde_json::Value;

/// Names with special characters of XML, JSON, URIs or SARIF, and characters that XML forbids.
const NASTY: &str =
    "a\"b'c<d>&e|f`g`\r\nh::%25\u{1}\u{ffff}😀 {0} [x](y) ]]> --> é\u{2028} ana@acme.example";

fn finding(violation: Violation, file: &str, line: u64) -> Finding {
    Finding {
        place: Place { file: file.into(), line, column: 7, width: 2 },
        violation,
        level: violation.level(),
        pointer: "/properties/plan".into(),
        event: Some("Signed Up".into()),
        rule: Some("Signed Up 1".into()),
        message: "expected a text, found \"1\"".into(),
        excerpt: None,
    }
}

/// One finding of every kind, each in its own case.
fn all_kinds() -> Checked {
    let findings: Vec<Finding> = (1..)
        .zip(Violation::ALL)
        .map(|(line, violation)| finding(violation, "fixtures/all.ndjson", line))
        .collect();
    let case = |place: usize| Case {
        name: format!("Signed Up (line {})", place + 1),
        rule: "Signed Up 1".into(),
        findings: vec![place],
    };
    let cases = (0..findings.len()).map(case).collect();
    let suite = Suite { file: "fixtures/all.ndjson".into(), cases };
    Checked { findings, suites: vec![suite], files: 1, events: 19, muted: 0 }
}

fn nasty() -> Checked {
    let file = format!("./dir/{}", NASTY.replace("ana@acme.example", ""));
    let mut finding = finding(Violation::InvalidValue, &file, 0);
    finding.place = Place { file: file.clone(), ..Place::default() };
    (finding.pointer, finding.message) = (NASTY.into(), NASTY.into());
    (finding.event, finding.rule) = (Some(NASTY.into()), Some(NASTY.into()));
    let case = Case { name: NASTY.into(), rule: NASTY.into(), findings: vec![0] };
    let elsewhere = Finding { place: Place::default(), ..finding.clone() };
    let outside = Finding {
        place: Place { file: "/else where/plan.json".into(), line: 3, ..Place::default() },
        ..finding.clone()
    };
    Checked {
        findings: vec![finding, elsewhere, outside],
        suites: vec![Suite { file, cases: vec![case] }],
        files: 1,
        events: 1,
        muted: 0,
    }
}

fn many() -> Checked {
    let findings = (1..=6_000).map(|line| Finding {
        level: if line <= 100 { Level::Note } else { Level::Error },
        ..finding(Violation::MissingRequired, "fixtures/many.ndjson", line)
    });
    Checked { findings: findings.collect(), events: 6_000, ..Checked::default() }
}

fn setting(folder: &Path) -> Setting {
    Setting { repository: Repository::around(folder), layout: Layout::plain(), step_summary: None }
}

#[test]
fn sarif_keeps_to_its_schema_and_junit_is_read_by_others() {
    let Some(mut command) = python::with(&["jsonschema", "junitparser"]) else { return };
    let workspace = Workspace::new();
    let setting = setting(&workspace.path("."));
    for (name, checked) in
        [("all", all_kinds()), ("many", many()), ("nasty", nasty()), ("none", Checked::default())]
    {
        let report = |format: &str, extension: &str| -> Report {
            let file = workspace.path(&format!("{name}.{extension}"));
            format!("{format}={}", file.display()).parse().unwrap()
        };
        let reports = [report("sarif", "sarif"), report("junit", "xml")];
        deliver(&reports, &checked, &setting, &mut std::io::sink()).unwrap();
    }
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/check_reports.py"));
    command.args([testdata("sarif-schema-2.1.0.json"), workspace.path(".")]);
    let said: Value = serde_json::from_str(&python::output(command)).unwrap();
    for name in ["all", "many", "nasty", "none"] {
        assert_eq!(said[format!("{name}.sarif")]["errors"], Value::Array(vec![]), "{name}");
    }
    assert_eq!(said["many.sarif"]["levels"], serde_json::json!({"error": 5_000}));
    let notices = said["many.sarif"]["notices"].to_string();
    assert!(notices.contains("1,000 results are not in this file"), "{notices}");
    assert_eq!(said["all.sarif"]["levels"], serde_json::json!({"error": 17, "note": 3}));
    assert_eq!(said["all.xml"]["failures"].as_object().unwrap().len(), 17);
    assert_eq!(said["many.xml"]["failures"], serde_json::json!({"missing-required": 5_900}));
    let message =
        "a\"b'c<d>&e|f`g` h::%25\u{fffd}\u{fffd}😀 {0} [x](y) ]]> --> é\u{2028} ***@acme.example";
    assert_eq!(said["nasty.xml"]["messages"][0], message);
    assert_eq!(said["nasty.xml"]["cases"][0], format!("{message}: {message}"));
    assert_eq!(said["none.xml"]["suites"], Value::Array(vec![]));
}

#[test]
fn fingerprints_outlive_moved_lines_and_working_folders() {
    let workspace = Workspace::new();
    fs::create_dir_all(workspace.path("repo/.git")).unwrap();
    fs::create_dir_all(workspace.path("repo/sub")).unwrap();
    let printed = |folder: &str, file: &str, line: u64| {
        let checked = Checked {
            findings: vec![finding(Violation::InvalidType, file, line); 2],
            ..Checked::default()
        };
        let mut out = Vec::new();
        write(Format::Sarif, &checked, &setting(&workspace.path(folder)), &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let part = |result: &Value| {
            let location = &result["locations"][0]["physicalLocation"]["artifactLocation"];
            (result["partialFingerprints"].clone(), location["uri"].clone())
        };
        results.iter().map(part).collect::<Vec<_>>()
    };
    let first = printed("repo", "sub/a.json", 3);
    assert_eq!(first[0].1, "sub/a.json");
    assert_ne!(first[0].0, first[1].0);
    assert_eq!(printed("repo/sub", "./a.json", 90), first);
    assert_ne!(printed("repo/sub", "b.json", 3), first);
}
