//! `report.html`: it opens without console messages, loads nothing, runs nothing, and shows the
//! numbers of `report.json`.

use crate::support::page::{element, list, rows, shown};
use crate::support::{Workspace, axe, chromium, testdata, track};
use serde_json::Value;

/// Runs the sample company into `out`.
fn run(workspace: &Workspace, arguments: &[&str]) -> Value {
    let (events, rules) = (testdata("trailco/events"), testdata("trailco/rules.toml"));
    let (events, rules) = (events.to_str().unwrap(), rules.to_str().unwrap());
    let run = [&[events, "--rules", rules, "-o", "out"], arguments].concat();
    workspace.run(run).exits(0);
    workspace.report("out")
}

fn page(workspace: &Workspace) -> String {
    String::from_utf8(workspace.read("out/report.html")).unwrap()
}

fn at<'r>(report: &'r Value, pointer: &str) -> &'r Value {
    report.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in the report"))
}

#[track_caller]
fn assert_counts(dom: &str, report: &Value) {
    let raw = Value::from(
        at(report, "/events/total").as_i64().unwrap()
            - at(report, "/events/filtered").as_i64().unwrap(),
    );
    let signals = at(report, "/identity/signals/total");
    let cold = at(report, "/identity/signals/cold").as_i64().unwrap();
    let of_leads = Value::from(signals.as_i64().unwrap() - cold);
    let stages = [
        at(report, "/records"),
        at(report, "/events/total"),
        &raw,
        at(report, "/events/kept"),
        signals,
        &of_leads,
        at(report, "/leads/total"),
    ];
    let funnel: Vec<String> = rows(dom, "funnel").into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(funnel, stages.map(shown));
    for (id, pointer) in [
        ("leads", "/leads/total"),
        ("rehydrated", "/identity/signals/rehydrated"),
        ("score", "/leads/total_score"),
    ] {
        let figure = element(dom, &format!("<dd class=\"value\" id=\"{id}\">"), "</dd>");
        assert_eq!(figure, shown(at(report, pointer)), "{pointer}");
    }
}

#[track_caller]
fn assert_history(dom: &str, report: &Value) {
    let mut spans = list(report, "/history/spans").clone();
    spans.push(at(report, "/history/outside").clone());
    let found = rows(dom, "history");
    assert_eq!(found.len(), spans.len());
    let mut sums = [0; 4];
    for (row, span) in found.iter().zip(&spans) {
        assert_eq!(row[0], span["span"].as_str().unwrap_or("outside"));
        let names = ["direct", "known", "rehydrated", "cold", "other", "duplicates"];
        let counts = names.map(|name| &span[name]);
        assert_eq!(row[1..7], counts.map(shown), "{}", row[0]);
        let total: i64 = counts.iter().map(|count| count.as_i64().unwrap()).sum();
        assert_eq!(row[7], shown(&total.into()));
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count.as_i64().unwrap();
        }
    }
    for (sum, name) in sums.iter().zip(["direct", "known", "rehydrated", "cold"]) {
        assert_eq!(*sum, report["identity"]["signals"][name], "{name}");
    }
}

#[track_caller]
fn assert_lists(dom: &str, report: &Value) {
    let counts = |id: &str, rows: &[Vec<String>], expected: &[(String, String)]| {
        assert_eq!(rows.len(), expected.len(), "{id}");
        for (row, (name, count)) in rows.iter().zip(expected) {
            assert!(row[0].starts_with(name) && row[1] == *count, "{id}: {row:?} for {name}");
        }
    };
    let named = |list: &[Value], name: &str, count: &str| -> Vec<(String, String)> {
        list.iter().map(|it| (it[name].as_str().unwrap().into(), shown(&it[count]))).collect()
    };
    let events = list(report, "/events/by_name");
    let expected = named(&events[..events.len().min(12)], "event", "count");
    counts("top-events", &rows(dom, "top-events"), &expected);
    let mut rules = list(report, "/rules/by_rule").clone();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule["matches"].as_u64()));
    let expected = named(&rules[..12], "id", "matches");
    counts("top-rules", &rows(dom, "top-rules"), &expected);
    let inputs: Vec<String> = rows(dom, "inputs").iter().map(|row| row[2].clone()).collect();
    let records = list(report, "/inputs").iter().map(|input| shown(&input["records"]));
    assert_eq!(inputs, records.collect::<Vec<_>>());
    let cold = list(report, "/identity/rehydrated_after").iter();
    let cold = cold.filter(|range| !range["from_seconds"].is_null()).map(|r| shown(&r["signals"]));
    let found: Vec<String> = rows(dom, "cold").iter().map(|row| row[1].clone()).collect();
    assert_eq!(found, cold.collect::<Vec<_>>());
    let scores = list(report, "/leads/by_score").iter().map(|range| shown(&range["leads"]));
    let found: Vec<String> = rows(dom, "scores").iter().map(|row| row[1].clone()).collect();
    assert_eq!(found, scores.collect::<Vec<_>>());
    let findings = list(report, "/findings");
    assert!(findings.len() > 5);
    for finding in findings {
        let kind = finding["finding"].as_str().unwrap();
        let severity = finding["severity"].as_str().unwrap();
        let item = format!("<span class=\"severity\">{severity}</span> <small>{kind}</small>");
        assert_eq!(dom.matches(&item).count(), 1, "{kind}");
    }
}

#[track_caller]
fn assert_periods(dom: &str, report: &Value) {
    let periods = list(report, "/plan/periods");
    let found = rows(dom, "periods");
    assert_eq!(found.len(), periods.len());
    for (row, period) in found.iter().zip(periods) {
        assert_eq!(row[0], period["period"]);
        for (cell, name) in [
            (1, "raw_signals"),
            (5, "over"),
            (6, "lost"),
            (7, "active_leads"),
            (8, "monthly_tracked_users"),
        ] {
            assert_eq!(row[cell], shown(&period[name]), "{name} of {row:?}");
        }
        assert!(row[2].ends_with(period["light"].as_str().unwrap()), "{row:?}");
        match period["reached_at"].as_str() {
            Some(time) => assert!(row[4].starts_with(&time[..10]), "{row:?}"),
            None => assert_eq!(row[4], "–"),
        }
    }
}

#[test]
fn the_page_opens_quietly_and_shows_the_numbers_of_the_report() {
    let Some(browser) = chromium::find() else { return };
    let workspace = Workspace::new();
    let report = run(&workspace, &[]);
    let html = workspace.path("out/report.html");
    let opened = chromium::open(&browser, &html, &workspace.path("profile"));
    assert_eq!(opened.console, [""; 0], "the console is not empty");
    let dom = opened.dom;
    assert_counts(&dom, &report);
    assert_history(&dom, &report);
    assert_periods(&dom, &report);
    assert_lists(&dom, &report);
}

#[test]
fn the_page_is_accessible() {
    let (Some(browser), Some(script)) = (chromium::find(), axe::find()) else { return };
    let workspace = Workspace::new();
    run(&workspace, &["--html-emails"]);
    let page = page(&workspace);
    for scheme in [axe::Scheme::Light, axe::Scheme::Dark] {
        let found = axe::violations(&workspace, &browser, &script, &page, scheme);
        assert_eq!(found, [""; 0], "{scheme:?}");
    }
    // axe-core finds faults: the check above can fail.
    let faded = page.replace("--soft: #566173", "--soft: #eeeeee");
    let found = axe::violations(&workspace, &browser, &script, &faded, axe::Scheme::Light);
    assert!(found.iter().any(|rule| rule.starts_with("color-contrast")), "{found:?}");
}

#[test]
fn the_page_runs_no_script_and_asks_for_nothing() {
    let workspace = Workspace::new();
    run(&workspace, &[]);
    let page = page(&workspace);
    for outside in ["<script", "src=", "@import", "url(", "<link rel=\"stylesheet", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'") && page.contains("<html lang=\"en\">"));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("size: A4"));
    assert_eq!(page.matches("<h1>").count(), 1);
    let charts = page.matches("role=\"img\"").count();
    assert_eq!((charts, page.matches("<details>").count()), (3, 3), "a table behind each chart");
    for section in page.split("aria-labelledby=\"").skip(1) {
        let id = section.split_once('"').unwrap().0;
        assert!(page.contains(&format!(" id=\"{id}\"")), "no element {id}");
    }
}

#[test]
fn addresses_are_on_the_page_only_on_request() {
    let workspace = Workspace::new();
    let report = run(&workspace, &[]);
    assert!(!page(&workspace).contains("acme.example"));
    run(&workspace, &["--overwrite", "--html-emails"]);
    let page = page(&workspace);
    let leads = workspace.rows("out/leads.csv");
    let found = rows(&page, "top-leads");
    assert_eq!(found.len(), leads.len().min(20));
    for (row, lead) in found.iter().zip(&leads) {
        let found = [&row[0], &row[2], &row[3]];
        assert_eq!(found, ["email", "score", "signals"].map(|column| &lead[column]));
    }
    for email in list(&report, "/plan/lost_lead_emails") {
        assert!(page.contains(email.as_str().unwrap()), "{email}");
    }
}

#[test]
fn the_page_is_an_output_like_the_others() {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", track("m1"));
    workspace.run(["in.ndjson", "-o", "none", "--no-html"]).exits(0);
    assert_eq!(workspace.list("none"), ["leads.csv", "report.json", "signals.csv"]);

    workspace.write("taken/report.html", "mine");
    workspace.run(["in.ndjson", "-o", "taken"]).exits(2).says("report.html");
    assert_eq!(workspace.list("taken"), ["report.html"]);
    workspace.run(["in.ndjson", "-o", "taken", "--no-html"]).exits(0);
    assert_eq!(workspace.read("taken/report.html"), b"mine");
    let again = ["in.ndjson", "-o", "taken", "--no-html", "--overwrite"];
    workspace.run(again).exits(0).says("left as an earlier run wrote it: taken/report.html");
    workspace.run(["in.ndjson", "-o", "taken", "--overwrite"]).exits(0);
    assert!(workspace.read("taken/report.html").starts_with(b"<!doctype html>"));

    let streamed = ["in.ndjson", "-o", "-", "--html-emails"];
    workspace.run(streamed).exits(2).says("--html-emails is for report.html");
    let both = ["in.ndjson", "-o", "x", "--html-emails", "--no-html"];
    workspace.run(both).exits(2).says("cannot be used with");

    workspace.write("page/report.html", track("m2"));
    let read = ["page/report.html", "-o", "page", "--overwrite"];
    workspace.run(read).exits(2).says("report.html");
}

#[test]
fn the_page_stays_small_with_very_many_names_and_days() {
    let workspace = Workspace::new();
    let evil = "</script><script>\\u202e\\\"'&";
    let lines = (0..20_000).map(|number| {
        let (year, month) = (2010 + number % 15, number % 12 + 1);
        format!(
            "{{\"type\":\"track\",\"event\":\"{evil} {number} of ana@acme.example\",\"messageId\":\"m{number}\",\
             \"anonymousId\":\"a{number}\",\"timestamp\":\"{year}-{month:02}-{:02}T00:00:00Z\"}}\n",
            number % 28 + 1,
        )
    });
    workspace.write("in.ndjson", lines.collect::<String>());
    workspace.run(["in.ndjson", "-o", "out"]).exits(0);
    let page = page(&workspace);
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(!page.contains("<script") && !page.contains("ana@") && !page.contains('\u{202e}'));
    assert!(page.contains("… 19,988 more names, 19,988 raw signals"));
    let report = workspace.report("out");
    assert_eq!(report["history"]["unit"], "year");
    let spans = list(&report, "/history/spans");
    assert!(spans.len() <= 110, "{} spans", spans.len());
    let total: u64 = spans.iter().map(|span| span["cold"].as_u64().unwrap()).sum();
    assert_eq!(total, 20_000);
}
