use std::path::Path;

use proptest::prelude::*;

use super::super::report::sample::{checked, finding, nasty};
use super::*;

fn repository() -> Repository {
    Repository::around(Path::new("/nowhere"))
}

fn written(checked: &Checked) -> String {
    let mut out = Vec::new();
    Baseline::write(checked, &repository(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn baseline(text: &str) -> Baseline {
    Baseline::parse("known.json", text).unwrap()
}

fn errors(text: &str) -> String {
    Baseline::parse("known.json", text).unwrap_err().to_string()
}

fn only(findings: Vec<Finding>) -> Checked {
    Checked { findings, ..Checked::default() }
}

#[test]
fn what_is_written_mutes_all_of_it() {
    for mut checked in [checked(), nasty()] {
        let text = written(&checked);
        assert!(!text.contains("ana@"), "{text}");
        let before = checked.muted;
        let count = checked.findings.len() as u64;
        baseline(&text).mute(&mut checked, &repository());
        assert_eq!(checked.findings, []);
        assert_eq!(checked.muted, before + count);
        assert!(checked.suites.iter().flat_map(|s| &s.cases).all(|case| case.findings.is_empty()));
    }
}

#[test]
fn the_file_is_for_people_and_for_merging() {
    let mut checked = checked();
    checked.findings.push(checked.findings[0].clone());
    insta::assert_snapshot!(written(&checked), @r#"
    {
      "version": 1,
      "findings": [
        {"fingerprint": "d89e9b53d8421f62c5c226fe00b1bdb6", "count": 2, "file": "fixtures/signup.ndjson", "violation": "invalid-type", "event": "Signed Up", "pointer": "/properties/seats", "rule": "Signed Up, version 2", "message": "expected a whole number, as the plan says for this property, found a text: \"…\""},
        {"fingerprint": "79fc2e501f5d4eb33ec1ddff43cc3b94", "count": 1, "file": "fixtures/signup.ndjson", "violation": "missing-required", "event": "Signed Up", "pointer": "/properties", "rule": "Signed Up, version 2", "message": "`plan` is required"},
        {"fingerprint": "5e0f0475aac4aefc048574a419e7e6d0", "count": 1, "file": "plan.json", "violation": "uncovered", "event": "Signed Out", "message": "no fixture has the planned event `Signed Out`"},
        {"fingerprint": "51ad39390a85f914db642c78a60cab15", "count": 1, "file": "rules.toml", "violation": "rule-never-matches", "rule": "trial", "message": "`demo` at line … takes all of its signals first"}
      ]
    }
    "#);
    insta::assert_snapshot!(written(&Checked::default()), @r#"
    {
      "version": 1,
      "findings": []
    }
    "#);
}

#[test]
fn lines_may_move_and_values_change() {
    let text = written(&only(vec![finding(Violation::InvalidType, "expected a, found \"b\"")]));
    let mut moved = finding(Violation::InvalidType, "expected a, found \"c\"");
    moved.place.line = 99;
    let mut later = only(vec![moved]);
    baseline(&text).mute(&mut later, &repository());
    assert_eq!((later.findings.len(), later.muted), (0, 1));
}

#[test]
fn no_more_are_muted_than_are_known() {
    let two = vec![finding(Violation::InvalidType, "x"); 2];
    let known = baseline(&written(&only(two)));
    let mut checked = checked();
    checked.findings = vec![finding(Violation::InvalidType, "x"); 3];
    checked.findings.push(finding(Violation::InvalidType, "y"));
    checked.suites[0].cases[1].findings = vec![0, 1, 2];
    checked.suites[0].cases[2].findings = vec![3];
    checked.muted = 0;
    known.mute(&mut checked, &repository());
    assert_eq!((checked.findings.len(), checked.muted), (2, 2));
    assert_eq!(checked.suites[0].cases[1].findings, [0]);
    assert_eq!(checked.suites[0].cases[2].findings, [1]);
    assert_eq!(checked.findings[1].message, "y");
}

#[test]
fn what_is_gone_from_the_data_is_a_note_at_its_entry() {
    let known = baseline(&written(&only(vec![
        finding(Violation::InvalidType, "x"),
        finding(Violation::InvalidType, "x"),
        finding(Violation::MissingRequired, "`plan` is required"),
    ])));
    let mut later = checked();
    later.findings = vec![finding(Violation::InvalidType, "x")];
    later.suites[0].cases[1].findings = vec![0];
    later.suites[0].cases[2].findings.clear();
    known.mute(&mut later, &repository());
    let told: Vec<_> = later
        .findings
        .iter()
        .map(|found| (found.place.line, found.place.column, found.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                4,
                21,
                "invalid-type of `Signed Up` at `/properties/seats` by `Signed Up, version 2` in `fixtures/signup.ndjson` is gone from the data"
            ),
            (
                5,
                21,
                "missing-required of `Signed Up` at `/properties/seats` by `Signed Up, version 2` in `fixtures/signup.ndjson` is gone from the data"
            ),
        ]
    );
    assert!(later.findings.iter().all(|found| found.violation == Violation::StaleBaseline
        && found.level == super::super::finding::Level::Note
        && found.place.file == "known.json"));
}

#[test]
fn files_that_were_not_checked_this_time_tell_nothing_unless_they_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("fixtures")).unwrap();
    let file = dir.path().join("fixtures/signup.ndjson");
    std::fs::write(&file, "").unwrap();
    let repository = Repository::around(dir.path());
    let known = baseline(&written(&only(vec![finding(Violation::InvalidType, "x")])));
    let mut none = Checked::default();
    known.mute(&mut none, &repository);
    assert_eq!(none.findings, []);
    std::fs::remove_file(file).unwrap();
    known.mute(&mut none, &repository);
    assert_eq!(none.findings.len(), 1);
}

#[test]
fn a_broken_file_is_an_error_with_line_and_column() {
    insta::assert_snapshot!(errors("<<<<<<< ours\n{}"), @r"
    1 error in known.json
    known.json:1:1: error: expected a JSON object
     1 | <<<<<<< ours
       | ^
    help: `--write-baseline` writes one
    ");
    let conflict = "{\n  \"version\": 1,\n  \"findings\": [\n<<<<<<< ours\n  ]\n}";
    assert!(errors(conflict).contains("known.json:4:1: error: not JSON"), "{}", errors(conflict));
    let wrong = "{\n  \"version\": 2,\n  \"findings\": [\n    {\"fingerprint\": \"xyz\", \"count\": 0, \"file\": \"a\"},\n    {\"fingerprnt\": \"x\", \"file\": \"ana@acme.example\"},\n    3\n  ]\n}";
    let errors = errors(wrong);
    for expected in [
        "known.json:2:4: error: `version` must be 1",
        "known.json:4:21: error: `fingerprint` must be 32 hexadecimal digits",
        "error: `count` must be a whole number of 1 or more",
        "known.json:5:7: error: `fingerprnt` is no key of a finding",
        "did you mean `fingerprint`?",
        "known.json:5:7: error: a finding must have `fingerprint`",
        "error: a finding must be a table, found a whole number",
    ] {
        assert!(errors.contains(expected), "{expected}\n---\n{errors}");
    }
    assert!(!errors.contains("ana@"), "{errors}");
}

#[test]
fn an_entry_needs_no_more_than_a_fingerprint_and_a_file() {
    let text = format!(
        "{{\"version\": 1, \"findings\": [{{\"fingerprint\": \"{:032x}\", \"file\": \"gone\"}}]}}",
        7
    );
    let mut none = Checked::default();
    baseline(&text).mute(&mut none, &repository());
    assert_eq!(none.findings[0].message, "a finding in `gone` is gone from the data");
    assert_eq!(baseline("{\"version\":1,\"findings\":[]}").known, []);
}

proptest! {
    #[test]
    fn any_findings_are_muted_by_their_own_baseline(
        messages in prop::collection::vec("\\PC{0,12}|[\\x00-\\x7f]{0,12}", 0..8),
        events in prop::collection::vec("\\PC{0,6}|[\\x00-\\x7f]{0,6}", 1..3),
    ) {
        let event = |place: usize| events[place % events.len()].clone();
        let findings = messages.iter().enumerate().map(|(place, message)| Finding {
            event: Some(event(place)),
            pointer: event(place + 1),
            rule: Some(event(place)),
            ..finding(Violation::MissingRequired, message)
        });
        let mut checked = only(findings.collect());
        let text = written(&checked);
        baseline(&text).mute(&mut checked, &repository());
        prop_assert_eq!(&checked.findings, &[]);
        prop_assert_eq!(checked.muted, messages.len() as u64);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[{}\\[\\]\":,a-z0-9 \\n]{0,60}|\\PC{0,30}") {
        let _ = Baseline::parse("known.json", &text);
    }
}
