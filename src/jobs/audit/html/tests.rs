use super::*;
use crate::jobs::audit::report::{
    By, Change, Drop, Entry, Example, Fate, FilterInfo, Finding, Lead, Loss, Lowered, Name, Pair,
    Severity,
};

const EVIL: &str = "</script><script>alert(1)</script><!-- \" ' &\u{1b}\u{202e}";

/// Returns a report whose lists have `length` items and whose texts are long and contain markup.
fn evil(length: usize) -> Report {
    let text = |number: usize| format!("{EVIL} {number} {}", "\"'&".repeat(700));
    let entry = |number: usize| Entry { number, text: text(number) };
    let kinds = ["scored-event-dropped", "allowed-never-seen", "rare-or-noisy", "bot-traffic"];
    let list = FilterInfo { kind: "allow_list", file: EVIL.into(), ..FilterInfo::default() };
    let mut report = Report { filter: vec![list], ..Report::default() };
    for number in 0..length {
        let by = By { fate: Fate::Kept, number: Some(1), text: Some(text(number)), count: 1 };
        report.names.push(Name {
            call: "track",
            event: text(number),
            count: 2,
            kept: 1,
            by: vec![by; 5],
            ..Name::default()
        });
        report.findings.push(Finding {
            finding: kinds[number * kinds.len() / length],
            severity: Severity::Warning,
            message: format!("a `{}`", text(number)),
            help: Some(text(number)),
            count: 1,
            entry: Some(entry(number)),
            examples: vec![Example { file: text(number), line: 1 }; 5],
            ..Finding::default()
        });
        report.losses.push(Loss {
            call: "track",
            event: text(number),
            resolved: Pair { before: 3, after: 1 },
            ..Loss::default()
        });
        report.warnings.push(text(number));
        let email = format!("{}@acme.example", text(number));
        report.leads.lost_leads.push(Lead { email: email.clone(), ..Lead::default() });
        report.leads.lowered_leads.push(Lowered { email, ..Lowered::default() });
    }
    report.leads.lost = length as u64;
    report.leads.lowered = length as u64;
    report.change = Some(Change {
        drop: (0..length)
            .map(|number| Drop { entry: Some(entry(number)), ..Drop::default() })
            .collect(),
        allow: (0..length).map(text).collect(),
        ..Change::default()
    });
    report
}

fn embedded(page: &str) -> Option<serde_json::Value> {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"report\"")?;
    let (_, json) = rest.split_once('>')?;
    let (json, _) = json.split_once("</script>")?;
    serde_json::from_str(json).ok()
}

#[test]
fn no_text_of_the_data_becomes_markup() {
    let report = evil(2);
    let page = page(&report);
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert_eq!(page.matches("</script").count(), 1, "{page}");
    assert!(!page.contains("<!--") && !page.contains('\u{1b}'), "{page}");
    let read = embedded(&page).unwrap();
    assert_eq!(read["names"][1]["event"], report.names[1].event.as_str());
    assert!(!page.contains("data-lists-cut-to"), "{page}");
}

#[test]
fn a_page_is_bounded_and_says_what_it_leaves_out() {
    let report = evil(3_000);
    let page = page(&report);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    for rest in [
        "… 2,900 more names, 5,800 events, of which 2,900 are kept",
        "… 735 more of this kind, 735 events",
        "… 2,900 more names, 5,800 signals lost",
        "… 2,900 more leads",
        "… 2,980 more",
        "The JSON report has the allow list with this change, of 3,000 lines",
    ] {
        assert!(page.contains(rest), "{rest}");
    }
    let read = embedded(&page).unwrap();
    let length = read["names"].as_array().unwrap().len();
    assert!(page.contains(&format!("data-lists-cut-to=\"{length}\"")), "{length}");
}

#[test]
fn a_report_that_cannot_be_cut_short_enough_is_not_embedded() {
    let mut report = evil(1);
    report.rules = Some("x".repeat(1 << 20));
    let page = page(&report);
    assert!(!page.contains("<script") && page.len() < 2_000_000);
}

#[test]
fn a_line_that_likely_means_the_worst_loss_is_named() {
    let mut report = Report::default();
    report.events.before = 100;
    report.events.after = 83;
    report.leads.before.total_score = 300;
    report.leads.after.total_score = 200;
    report.losses = vec![
        Loss {
            call: "track",
            event: "Trial Started".into(),
            scored: Pair { before: 9, after: 0 },
            score_lost: 90,
            ..Loss::default()
        },
        Loss { call: "track", score_lost: 10, ..Loss::default() },
    ];
    report.findings = vec![Finding {
        finding: "allowed-never-seen",
        call: Some("track"),
        event: Some("Trial Started".into()),
        entry: Some(Entry { number: 7, text: "Trial Stared".into() }),
        ..Finding::default()
    }];
    let page = page(&report);
    let (_, verdict) = page.split_once("aria-label=\"In short\">").unwrap();
    let (verdict, _) = verdict.split_once("</section>").unwrap();
    assert!(verdict.contains("Saves 17.0 % of the raw signals, and loses 33.3 % of the score"));
    assert!(verdict.contains("is most of it: 9 signals that rules score. Line 7 likely means it"));
    assert!(verdict.contains("<code>Trial Stared</code>"), "{verdict}");
}
