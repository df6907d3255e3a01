//! The section on findings, with a table for each kind.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::jobs::audit::report::{Example, Finding, Report};
use crate::report::figure::{counted, thousands};
use crate::report::page::{Cell, Table, Text, code, more, section, ticked};

/// The maximum number of findings shown of each kind.
const SHOWN: usize = 15;
/// The maximum number of places shown of each finding.
const PLACES: usize = 3;

/// Writes all kinds, the worst first, and the most expensive findings of each kind first.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    let heading = format!("Findings ({})", thousands(report.findings.len() as u64));
    section("findings", &heading, out, |out| {
        if report.findings.is_empty() {
            return out.write_str("<p>Nothing to say against the filter.</p>\n");
        }
        let alike = |a: &Finding, b: &Finding| (a.severity, a.finding) == (b.severity, b.finding);
        out.write_str("<div class=\"findings\">\n")?;
        let mut kinds = report.findings.chunk_by(alike);
        kinds.try_for_each(|kind| write_kind(kind, report, out))?;
        out.write_str("</div>\n")
    })
}

fn total(kind: &[Finding]) -> u64 {
    kind.iter().map(|finding| finding.count).sum()
}

fn write_kind(kind: &[Finding], report: &Report, out: &mut String) -> fmt::Result {
    let (name, severity) = (kind[0].finding, kind[0].severity.name());
    writeln!(
        out,
        "<div class=\"kind {severity}\" id=\"{severity}-{name}\">\n<h3><span class=\"severity\">{severity}</span> {name} \
         <small>{}</small></h3>",
        counted(total(kind), "event", "events"),
    )?;
    let id = format!("{severity}-{name}-table");
    let caption = format!("Findings: {severity}, {name}");
    let columns = ["What", "Events"];
    let mut sorted: Vec<&Finding> = kind.iter().collect();
    let scores = scores(report);
    sorted
        .sort_by_cached_key(|finding| std::cmp::Reverse((score(finding, &scores), finding.count)));
    let (shown, others) = sorted.split_at(sorted.len().min(SHOWN));
    let table = Table { id: &id, caption: &caption, columns: &columns };
    table.write(shown.iter().map(|finding| row(finding)), out)?;
    let count: u64 = others.iter().map(|finding| finding.count).sum();
    let rest = format!(
        "{} of this kind, {}; the JSON report has them",
        counted(others.len() as u64, "more", "more"),
        counted(count, "event", "events"),
    );
    more((!others.is_empty()).then_some(rest), out)?;
    if let Some(rule) = shown.iter().find_map(|finding| finding.rule.as_ref()) {
        writeln!(out, "<pre tabindex=\"0\">{}</pre>", Text(rule))?;
    }
    out.write_str("</div>\n")
}

/// The score that leads lose, by call and name of the event.
type Scores<'r> = BTreeMap<(&'r str, &'r str), i64>;

fn scores(report: &Report) -> Scores<'_> {
    let losses = report.losses.iter();
    losses.map(|loss| ((loss.call, loss.event.as_str()), loss.score_lost)).collect()
}

/// Returns the score that leads lose with the event of `finding`.
fn score(finding: &Finding, scores: &Scores<'_>) -> i64 {
    let event = finding.call.zip(finding.event.as_deref());
    event.and_then(|event| scores.get(&event).copied()).unwrap_or(0)
}

fn row(finding: &Finding) -> Vec<Cell> {
    let small = |text: String| format!("<br><small>{text}</small>");
    let help = finding.help.as_ref().map_or_else(String::new, |help| small(ticked(help)));
    let places: Vec<String> = finding.examples.iter().take(PLACES).map(place).collect();
    let places = match places.as_slice() {
        [] => String::new(),
        places => small(format!("at {}", places.join(", "))),
    };
    vec![
        Cell::Text(format!("{}{help}{places}", ticked(&finding.message))),
        Cell::Number(finding.count),
    ]
}

fn place(example: &Example) -> String {
    code(&format!("{}:{}", example.file, example.line))
}
