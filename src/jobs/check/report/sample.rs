//! Sample results for tests.

use crate::jobs::check::finding::{Case, Checked, Excerpt, Finding, Place, Suite, Violation};

/// Returns a finding in line 12 of `fixtures/signup.ndjson`.
pub(crate) fn finding(violation: Violation, message: &str) -> Finding {
    Finding {
        place: Place { file: "fixtures/signup.ndjson".into(), line: 12, column: 34, width: 4 },
        violation,
        level: violation.level(),
        pointer: "/properties/seats".into(),
        event: Some("Signed Up".into()),
        rule: Some("Signed Up, version 2".into()),
        message: message.into(),
        excerpt: Some(Excerpt {
            text: r#"…"properties":{"seats":"60"}…"#.into(),
            carets: "                       ^^^^".into(),
        }),
    }
}

/// Returns the result for two fixtures and a rules file with four findings, of which one has a line
/// but no column, and one has neither.
pub(crate) fn checked() -> Checked {
    let mut absent = finding(Violation::MissingRequired, "`plan` is required");
    absent.place = Place { line: 13, column: 0, width: 0, ..absent.place };
    absent.pointer = "/properties".into();
    absent.excerpt = None;
    let never = Finding {
        place: Place { file: "rules.toml".into(), line: 7, column: 1, width: 0 },
        pointer: String::new(),
        event: None,
        rule: Some("trial".into()),
        excerpt: None,
        ..finding(Violation::RuleNeverMatches, "`demo` at line 3 takes all of its signals first")
    };
    let uncovered = Finding {
        place: Place { file: "plan.json".into(), ..Place::default() },
        pointer: String::new(),
        event: Some("Signed Out".into()),
        rule: None,
        excerpt: None,
        ..finding(Violation::Uncovered, "no fixture has the planned event `Signed Out`")
    };
    let wrong = finding(
        Violation::InvalidType,
        "expected a whole number, as the plan says for this property, found a text: \"60\"",
    );
    let case = |name: &str, rule: &str, findings: &[usize]| Case {
        name: name.into(),
        rule: rule.into(),
        findings: findings.to_vec(),
    };
    Checked {
        findings: vec![wrong, absent, uncovered, never],
        suites: vec![
            Suite {
                file: "fixtures/signup.ndjson".into(),
                cases: vec![
                    case("Signed Up (line 11)", "Signed Up, version 2", &[]),
                    case("Signed Up (line 12)", "Signed Up, version 2", &[0]),
                    case("Signed Up (line 13)", "Signed Up, version 2", &[1]),
                ],
            },
            Suite { file: "fixtures/page.json".into(), cases: vec![case("Page Viewed", "", &[])] },
        ],
        files: 2,
        events: 4,
        muted: 2,
    }
}

/// A text with the special characters of all formats, and an address.
pub(crate) const NASTY: &str = "a\"b'c<d>&e|f`g`\r\nh::error::%25i\u{1}\u{1b}[31m\u{202e}\u{ffff}\
    😀 {0} [x](y) @user #1 ]]> -->\u{2028} ana@acme.example, z: *w* _v_";

/// Returns a finding whose texts are all [`NASTY`], in a case with such texts.
pub(crate) fn nasty() -> Checked {
    let finding = Finding {
        place: Place {
            file: format!("dir/{}", NASTY.replace("ana@acme.example", "")),
            line: 1,
            column: 2,
            width: 3,
        },
        pointer: format!("/{NASTY}"),
        event: Some(NASTY.into()),
        rule: Some(NASTY.into()),
        excerpt: Some(Excerpt { text: NASTY.replace(['\r', '\n'], ""), carets: " ^^^".into() }),
        ..finding(Violation::InvalidValue, NASTY)
    };
    let suite = Suite {
        file: finding.place.file.clone(),
        cases: vec![Case { name: NASTY.into(), rule: NASTY.into(), findings: vec![0] }],
    };
    Checked { findings: vec![finding], suites: vec![suite], files: 1, events: 1, muted: 0 }
}
