//! The page of an audit in a browser: it opens without a word on the console, asks for nothing,
//! and shows the numbers of the JSON.

use std::process::Command;

use crate::support::{Workspace, chromium, testdata};
use serde_json::Value;

/// Audits the sample company against `list` and gives the JSON; the page is `audit.html`.
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

/// The element that begins with `start`, up to `end`.
#[track_caller]
fn element<'d>(dom: &'d str, start: &str, end: &str) -> &'d str {
    let (_, rest) = dom.split_once(start).unwrap_or_else(|| panic!("no {start} in the page"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}

/// The texts of the cells of each row in the body of the table `id`.
fn rows(dom: &str, id: &str) -> Vec<Vec<String>> {
    let table = element(dom, &format!("<table id=\"{id}\">"), "</table>");
    let body = element(table, "<tbody>", "</tbody>");
    let rows = body.split("<tr").skip(1);
    rows.map(|row| {
        let cells = row.split("<t").skip(1).map(|cell| plain(cell.split_once('>').unwrap().1));
        cells.collect()
    })
    .collect()
}

/// The text of some markup.
fn plain(markup: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for char in markup.chars() {
        match char {
            '<' => inside = true,
            '>' => inside = false,
            char if !inside => text.push(char),
            _ => {}
        }
    }
    text.trim().replace("&amp;", "&")
}

/// A number as the page writes it.
fn shown(number: &Value) -> String {
    let number = number.as_i64().unwrap();
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

fn list<'r>(report: &'r Value, pointer: &str) -> &'r Vec<Value> {
    report.pointer(pointer).unwrap().as_array().unwrap()
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
    let days = list(report, "/plan/days");
    assert_eq!(rows(dom, "days").len(), days.len());
    for (row, day) in rows(dom, "days").iter().zip(days) {
        let numbers = [shown(&day["before"]), shown(&day["after"])];
        assert_eq!((&row[0][..], &row[1..]), (day["day"].as_str().unwrap(), &numbers[..]));
    }
    assert_eq!(dom.matches("<rect ").count(), days.len() * 2, "bars of the volume");
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
    assert_eq!(dom.matches("<h3><b>").count(), list(report, "/findings").len());
    let json = element(dom, "<script type=\"application/json\" id=\"report\">", "</script>");
    let embedded: Value = serde_json::from_str(json).unwrap();
    assert_eq!(embedded, *report);
}

#[test]
fn the_page_opens_quietly_and_shows_the_numbers_of_the_json() {
    let Some(browser) = chromium::find() else { return };
    let workspace = Workspace::new();
    let report =
        audit(&workspace, "group\npage /pricing*\nTrial Started\nRoute Planned\nDemo Requested\n");
    assert!(report["leads"]["lost"].as_u64().unwrap() > 0);
    let (page, profile) = (workspace.path("audit.html"), workspace.path("profile"));
    let opened = chromium::open(&browser, &page, &profile);
    assert_eq!(opened.console, [""; 0], "the console is not empty");
    assert_page_shows(&opened.dom, &report);

    // A page that asks for something does say so: the check above can fail.
    let text = String::from_utf8(workspace.read("audit.html")).unwrap();
    workspace.write(
        "asks.html",
        text.replace("</main>", "<img src=\"https://host.invalid/x.png\" alt=\"\"></main>"),
    );
    let opened = chromium::open(&browser, &workspace.path("asks.html"), &profile);
    assert!(!opened.console.is_empty());
}

#[test]
fn the_page_is_built_for_keyboards_and_screen_readers() {
    let workspace = Workspace::new();
    audit(&workspace, "group\npage /pricing*\nRoute Planned\n");
    let page = String::from_utf8(workspace.read("audit.html")).unwrap();
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""));
    assert!(page.contains("prefers-color-scheme: dark"));
    for needed in
        ["<main id=\"main\">", "<header>", "href=\"#main\"", "role=\"img\" aria-labelledby="]
    {
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
