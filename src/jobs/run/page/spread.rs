//! The section with two histograms: how long rehydrated signals were cold, and the scores of leads.

use std::fmt::{self, Write};

use crate::engine::lead::ScoreRange;
use crate::report::Report;
use crate::report::figure::{percent, signed};
use crate::report::history::ColdRange;
use crate::report::page::{Cell, Chart, Column, Series, Table, Text, section};

/// Writes both charts.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    out.write_str("<div class=\"pair\">\n")?;
    section("cold", "How long signals were cold", out, |out| cold(report, out))?;
    section("scores", "Leads by score", out, |out| scores(report, out))?;
    out.write_str("</div>\n")
}

/// A chart with one series, and its table.
struct Histogram<'a> {
    chart: &'a str,
    title: &'a str,
    class: &'static str,
    /// The name of what is counted.
    name: &'static str,
    table: Table<'a>,
}

impl Histogram<'_> {
    fn write(&self, ranges: &[(String, u64)], out: &mut String) -> fmt::Result {
        let total: u64 = ranges.iter().map(|(_, count)| count).sum();
        let columns: Vec<Column> = ranges
            .iter()
            .map(|(label, count)| Column { label: label.clone(), parts: vec![*count], line: None })
            .collect();
        let chart = Chart {
            id: self.chart,
            title: self.title,
            series: &[Series { class: self.class, name: self.name }],
            columns: &columns,
            line: "",
            marks: &[],
            labels: columns.len(),
        };
        chart.write(out)?;
        let rows = ranges.iter().map(|(label, count)| {
            let share = Cell::Figure(percent(*count, total));
            vec![Cell::Text(Text(label).to_string()), Cell::Number(*count), share]
        });
        self.table.write_folded("Show the figures", rows, out)
    }
}

fn cold(report: &Report, out: &mut String) -> fmt::Result {
    if report.identity.signals.rehydrated == 0 {
        return out.write_str("<p>No signal came before its visitor was known.</p>\n");
    }
    out.write_str(
        "<p>From a rehydrated signal to the moment in which its visitor was identified.</p>\n",
    )?;
    let is_shown = |range: &&ColdRange| range.from_seconds.is_some() || range.signals > 0;
    let ranges = report.identity.rehydrated_after.iter().filter(is_shown);
    let ranges: Vec<(String, u64)> = ranges.map(|range| (duration(range), range.signals)).collect();
    let histogram = Histogram {
        chart: "cold-chart",
        title: "Rehydrated signals by the time that they were cold; the table below has the figures",
        class: "rehydrated",
        name: "rehydrated",
        table: Table {
            id: "cold",
            caption: "Rehydrated signals by the time that they were cold",
            columns: &["Cold for", "Signals", "Share"],
        },
    };
    histogram.write(&ranges, out)
}

fn duration(range: &ColdRange) -> String {
    match (range.from_seconds, range.to_seconds) {
        (Some(_), Some(to)) => format!("< {}", seconds(to)),
        (Some(from), None) => format!("≥ {}", seconds(from)),
        (None, _) => "no time".into(),
    }
}

/// Formats a duration, such as `5 min`, `1 h`, `30 d` or `1 y`.
fn seconds(seconds: i64) -> String {
    let units = [(31_536_000, "y"), (86_400, "d"), (3_600, "h"), (60, "min")];
    let fits = |(size, _): &&(i64, &str)| seconds >= *size && seconds % size == 0;
    match units.iter().find(fits) {
        Some((size, unit)) => format!("{} {unit}", seconds / size),
        None => format!("{seconds} s"),
    }
}

fn scores(report: &Report, out: &mut String) -> fmt::Result {
    if report.leads.total == 0 {
        return out.write_str("<p>There is no lead.</p>\n");
    }
    out.write_str("<p>A lead's score is the sum of what the rules give to its signals.</p>\n")?;
    let ranges: Vec<(String, u64)> =
        report.leads.by_score.iter().map(|range| (scored(range), range.leads)).collect();
    let histogram = Histogram {
        chart: "scores-chart",
        title: "Leads by score; the table below has the figures",
        class: "known",
        name: "leads",
        table: Table {
            id: "scores",
            caption: "Leads by score",
            columns: &["Score", "Leads", "Share"],
        },
    };
    histogram.write(&ranges, out)
}

fn scored(range: &ScoreRange) -> String {
    match (range.from, range.to) {
        (Some(from), Some(to)) if from == to => signed(from),
        (Some(from), Some(to)) => format!("{}–{}", signed(from), signed(to)),
        (Some(from), None) => format!("≥ {}", signed(from)),
        (None, _) => "below 0".into(),
    }
}
