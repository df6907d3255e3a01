use super::*;
use crate::report::finding::{Finding, Severity};
use crate::report::{Input, NameCount, RuleCount};

const EVIL: &str = "</script><script>alert(1)</script><!-- \" ' &\u{1b}\u{202e}";

/// Returns a report whose texts all contain markup.
fn evil(names: usize) -> Report {
    let mut report = Report { records: 10, ..Report::default() };
    let name = |number| format!("{EVIL} {number} {}", "x".repeat(5_000));
    report.events.by_name = (0..names)
        .map(|number| NameCount { call: "track", event: name(number), count: 1 })
        .collect();
    report.rules.by_rule =
        (0..names).map(|number| RuleCount { id: name(number), matches: 1, score: 1 }).collect();
    report.inputs =
        (0..names).map(|number| Input { path: name(number), ..Input::default() }).collect();
    report.warnings = (0..names).map(name).collect();
    report.findings = vec![Finding {
        finding: "cold-signals",
        severity: Severity::Note,
        message: EVIL.into(),
        help: EVIL.into(),
        ..Finding::default()
    }];
    report.plan.name = Some(EVIL.into());
    report.rules.file = Some("ana@acme.example/rules.toml".into());
    report
}

#[test]
fn no_text_of_the_data_becomes_markup() {
    let page = page(&evil(3), &[], Emails::Shown);
    assert!(!page.contains("<script") && !page.contains("</script"), "{page}");
    assert!(!page.contains("<!--") && !page.contains(['\u{1b}', '\u{202e}']), "{page}");
    assert!(!page.contains("ana@"), "{page}");
}

#[test]
fn a_page_does_not_grow_with_names_files_and_warnings() {
    let page = page(&evil(1_000), &[], Emails::Hidden);
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(page.contains("… 988 more names, 988 raw signals"), "{page}");
    assert!(page.contains("… 988 more rules, 988 signals"), "{page}");
    assert!(page.contains("… 980 more inputs, 0 records"), "{page}");
}

#[test]
fn addresses_are_there_only_where_they_were_asked_for() {
    let mut report = Report::default();
    report.leads.total = 1;
    report.plan.lost_leads = 1;
    report.plan.lost_lead_emails = vec!["ana@acme.example".into()];
    let without = page(&report, &[], Emails::Hidden);
    assert!(!without.contains("acme.example"), "{without}");
    assert!(page(&report, &[], Emails::Shown).contains("ana@acme.example"));
}
