//! The page of an audit in a browser: it opens without console messages, loads nothing, and shows
//! the numbers of the JSON.

use std::process::Command;

use crate::support::page::{element, list, rows, shown};
use crate::support::{Workspace, axe, chromium, testdata};
use serde_json::Value;

/// Audits the sample company with `list`, and returns the JSON; the page is `audit.html`.
fn audit(workspace: &Workspace, list: &str) -> Value {
    workspace.write("allow.txt", list);
    let output = Command::new(env!("CARGO_BIN_EXE_backtrail"))
        .args(["audit", "--allow", "allow.txt", "--format", "json", "--html", "audit.html"])
        .arg("--rules")
        .arg(testdata("trailco/rules.toml"))
        .arg(testdata("trailco/events"))
        .current_dir(workspace.path("."))
        .output()
        .unwrap();
    assert!(output.status.code() < Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the class of the element of a finding: its severity and name.
fn kind(finding: &Value) -> String {
    let text = |member: &str| finding[member].as_str().unwrap();
    format!("{}-{}", text("severity"), text("finding"))
}

#[track_caller]
fn assert_page_shows(dom: &str, report: &Value) {
    let outcome = rows(dom, "outcome");
    for (row, before, after) in [
        (0, "/events/before", "/events/after"),
        (1, "/leads/before/total", "/leads/after/total"),
        (2, "/leads/before/with_signals", "/leads/after/with_signals"),
        (3, "/leads/before/total_score", "/leads/after/total_score"),
        (4, "/signals/before/resolved", "/signals/after/resolved"),
        (5, "/signals/before/mapped", "/signals/after/mapped"),
    ] {
        let numbers = [before, after].map(|pointer| shown(report.pointer(pointer).unwrap()));
        assert_eq!(outcome[row][1..3], numbers, "{}", outcome[row][0]);
    }
    let periods = list(report, "/plan/periods");
    assert_eq!(rows(dom, "periods").len(), periods.len());
    for (row, period) in rows(dom, "periods").iter().zip(periods) {
        assert_eq!(row[0], period["period"]);
        for (cell, pointer) in [
            (1, "/before/raw_signals"),
            (3, "/after/raw_signals"),
            (5, "/after/over"),
            (6, "/after/lost"),
            (7, "/after/active_leads"),
        ] {
            assert_eq!(row[cell], shown(period.pointer(pointer).unwrap()), "{pointer} of {row:?}");
        }
    }
    let spans = list(report, "/plan/history");
    assert_eq!(rows(dom, "days").len(), spans.len());
    for (row, span) in rows(dom, "days").iter().zip(spans) {
        let numbers = [shown(&span["before"]), shown(&span["after"])];
        assert_eq!((&row[0][..], &row[1..]), (span["span"].as_str().unwrap(), &numbers[..]));
    }
    let sum = |list: &[Value]| list.iter().map(|of| of["before"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum(spans), sum(list(report, "/plan/days")));
    assert_eq!(dom.matches("<rect ").count(), spans.len(), "columns of the volume");
    let names = list(report, "/names");
    assert_eq!(rows(dom, "names").len(), names.len());
    for (row, name) in rows(dom, "names").iter().zip(names) {
        let (count, kept) = (name["count"].as_i64().unwrap(), name["kept"].as_i64().unwrap());
        let dropped = Value::from(count - kept);
        let event = name["event"].as_str().unwrap();
        assert!(row[0].contains(event), "{row:?} for {event}");
        let numbers =
            [shown(&name["count"]), shown(&name["kept"]), shown(&dropped), shown(&name["mapped"])];
        assert_eq!(
            [&row[1], &row[3], &row[4], &row[5]],
            [&numbers[0], &numbers[1], &numbers[2], &numbers[3]]
        );
    }
    let losses = list(report, "/losses");
    for (row, loss) in rows(dom, "losses").iter().zip(losses) {
        let numbers = [shown(&loss["resolved"]["before"]), shown(&loss["resolved"]["after"])];
        assert_eq!(row[1..3], numbers, "{row:?}");
    }
    assert_eq!(rows(dom, "losses").len(), losses.len());
    assert_eq!(rows(dom, "lost-leads").len() as u64, report["leads"]["lost"].as_u64().unwrap());
    let findings = list(report, "/findings");
    let mut kinds: Vec<String> = findings.iter().map(kind).collect();
    kinds.dedup();
    for name in kinds {
        let alike: Vec<_> = findings.iter().filter(|finding| kind(finding) == name).collect();
        let found = rows(dom, &format!("{name}-table"));
        assert_eq!(found.len(), alike.len(), "{name}");
        let mut counts: Vec<String> = found.iter().map(|row| row[1].clone()).collect();
        let mut expected: Vec<_> = alike.iter().map(|finding| shown(&finding["count"])).collect();
        counts.sort();
        expected.sort();
        assert_eq!(counts, expected, "{name}");
    }
    let json = element(dom, "<script type=\"application/json\" id=\"report\">", "</script>");
    let embedded: Value = serde_json::from_str(json).unwrap();
    assert_eq!(embedded, *report);
}

#[test]
fn the_page_opens_without_messages_and_shows_the_numbers_of_the_json() {
    let Some(browser) = chromium::find() else { return };
    let workspace = Workspace::new();
    let report =
        audit(&workspace, "group\npage /pricing*\nTrial Started\nRoute Planned\nDemo Requested\n");
    assert!(report["leads"]["lost"].as_u64().unwrap() > 0);
    let (page, profile) = (workspace.path("audit.html"), workspace.path("profile"));
    let opened = chromium::open(&browser, &page, &profile);
    assert_eq!(opened.console, [""; 0], "the console is not empty");
    assert_page_shows(&opened.dom, &report);

    // A page that loads something is noticed: the check above can fail.
    let text = String::from_utf8(workspace.read("audit.html")).unwrap();
    workspace.write(
        "asks.html",
        text.replace("</main>", "<img src=\"https://host.invalid/x.png\" alt=\"\"></main>"),
    );
    let opened = chromium::open(&browser, &workspace.path("asks.html"), &profile);
    assert!(!opened.console.is_empty());
}

#[test]
fn the_page_is_accessible() {
    let (Some(browser), Some(script)) = (chromium::find(), axe::find()) else { return };
    let workspace = Workspace::new();
    audit(&workspace, "group\npage /pricing*\nTrial Stared\nRoute Planned\nDemo Requested\n");
    let page = String::from_utf8(workspace.read("audit.html")).unwrap();
    for scheme in [axe::Scheme::Light, axe::Scheme::Dark] {
        let found = axe::violations(&workspace, &browser, &script, &page, scheme);
        assert_eq!(found, [""; 0], "{scheme:?}");
    }
}

#[test]
fn the_page_stays_small_with_very_many_names() {
    let workspace = Workspace::new();
    let lines = (0..20_000).map(|number| {
        format!(
            "{{\"type\":\"track\",\"event\":\"</script>\\u202e {number}\",\"messageId\":\"m{number}\",\
             \"anonymousId\":\"a\",\"timestamp\":\"2025-05-01T00:00:00Z\"}}\n"
        )
    });
    workspace.write("in.ndjson", lines.collect::<String>());
    workspace.write("allow.txt", "identify\n");
    let rule = "[[rule]]\nid = \"any\"\nwhen = 'type = \"track\"'\nscore = 1\n";
    workspace.write("rules.toml", format!("version = 1\n{rule}"));
    let audit = ["in.ndjson", "--allow", "allow.txt", "--rules", "rules.toml"];
    let audit = [&audit[..], &["--format", "json", "--html", "audit.html"]].concat();
    let report = workspace.does("audit", &audit);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert!(list_of(&report, "/names") == 20_000 && list_of(&report, "/findings") >= 20_000);
    let page = String::from_utf8(workspace.read("audit.html")).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("… 19,900 more names, 19,900 events, of which 0 are kept"));
    assert_eq!(page.matches("</script").count(), 1);
}

fn list_of(report: &Value, pointer: &str) -> usize {
    list(report, pointer).len()
}

#[test]
fn the_page_is_built_for_keyboards_and_screen_readers() {
    let workspace = Workspace::new();
    audit(&workspace, "group\npage /pricing*\nRoute Planned\n");
    let page = String::from_utf8(workspace.read("audit.html")).unwrap();
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""));
    assert!(page.contains("prefers-color-scheme: dark"));
    for needed in ["<main id=\"main\">", "<header>", "href=\"#main\"", "role=\"img\" aria-label="] {
        assert!(page.contains(needed), "{needed}");
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    let tables = page.matches("<table").count();
    assert!(tables >= 6, "{tables} tables");
    assert_eq!(page.matches("<caption>").count(), tables);
    assert_eq!(page.matches("role=\"region\" tabindex=\"0\" aria-label=").count(), tables);
    assert_eq!(page.matches("<th>").count(), 0, "a heading without scope");
    for section in page.split("aria-labelledby=\"").skip(1) {
        let id = section.split_once('"').unwrap().0;
        assert!(page.contains(&format!(" id=\"{id}\"")), "no element {id}");
    }
    for outside in ["src=", "@import", "url(", "<link rel=\"stylesheet", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
}
