//! The section on signals over time, against the plan.

use std::fmt::{self, Write};

use crate::engine::resolve::history::Fates;
use crate::report::Report;
use crate::report::figure::{counted, thousands};
use crate::report::history::HistorySpan;
use crate::report::page::{Cell, Chart, Column, Mark, Series, Table, Text, section};
use crate::time::Time;

const SERIES: [Series; 5] = [
    Series { class: "direct", name: "direct" },
    Series { class: "known", name: "known" },
    Series { class: "rehydrated", name: "rehydrated" },
    Series { class: "cold", name: "cold" },
    Series { class: "other", name: "no signals, and duplicates" },
];

/// Writes the chart and its table.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    let history = &report.history;
    let heading = format!("Signals by {}", history.unit.name());
    section("history", &heading, out, |out| {
        if history.spans.is_empty() {
            return out.write_str("<p>No event has a time.</p>\n");
        }
        writeln!(out, "<p>{}</p>", described(report))?;
        let line = line_name(report);
        let columns: Vec<Column> = history.spans.iter().map(column).collect();
        let chart = Chart {
            id: "history-chart",
            title: &format!(
                "Raw signals by {}, by what became of them; the table below has the figures",
                history.unit.name()
            ),
            series: &SERIES,
            columns: &columns,
            line: &line,
            marks: &marks(report),
            labels: 6,
        };
        chart.write(out)?;
        table(report, out)
    })
}

fn described(report: &Report) -> String {
    let plan = &report.plan;
    let mut text = format!(
        "By the time of receipt, as the plan counts; days begin at midnight in {}.",
        Text(&plan.timezone)
    );
    if let Some(limit) = plan.raw_signals_limit {
        let _ = write!(
            text,
            " The line is the plan's {} a {}, evenly spread; what is hatched came after the limit \
             was reached.",
            counted(limit, "raw signal", "raw signals"),
            plan.period
        );
    }
    let outside = report.history.outside.total();
    if outside > 0 {
        let _ = write!(
            text,
            " {} without a time, or far from all others, {} not in the picture.",
            counted(outside, "raw signal", "raw signals"),
            if outside == 1 { "is" } else { "are" },
        );
    }
    text
}

fn line_name(report: &Report) -> String {
    let limit = report.plan.raw_signals_limit.map_or_else(String::new, thousands);
    format!("plan: {limit} a {}, evenly spread", report.plan.period)
}

fn column(span: &HistorySpan) -> Column {
    let Fates { direct, known, rehydrated, cold, other, duplicates } = span.fates;
    Column {
        label: span.span.clone(),
        parts: vec![direct, known, rehydrated, cold, other + duplicates],
        line: span.allowance,
    }
}

/// Returns marks from the minute in which a limit is reached to the end of its period.
fn marks(report: &Report) -> Vec<Mark> {
    let over = report.plan.periods.iter().filter(|period| period.over > 0);
    let marks = over.filter_map(|period| {
        let reached = period.reached_at.as_deref()?;
        let label = format!("429 from {}", reached.get(5..16)?.replace('T', " "));
        let from = place(report, millis(reached)?)?;
        let to = place(report, millis(&period.end)?).unwrap_or(f64::MAX);
        Some(Mark { from, to, label })
    });
    marks.collect()
}

/// Returns the horizontal position of a time in columns, or `None` if it is outside the chart.
#[allow(clippy::cast_precision_loss)] // a place in a picture
fn place(report: &Report, time: i64) -> Option<f64> {
    report.history.spans.iter().enumerate().find_map(|(at, span)| {
        let (start, end) = (millis(&span.start)?, millis(&span.end)?);
        let part = (time - start) as f64 / (end - start).max(1) as f64;
        (start..end).contains(&time).then_some(at as f64 + part)
    })
}

fn millis(time: &str) -> Option<i64> {
    Time::parse(time.as_bytes())?.millis()
}

fn table(report: &Report, out: &mut String) -> fmt::Result {
    let history = &report.history;
    let name = match history.unit.name() {
        "day" => "Day",
        "week" => "Week from",
        "month" => "Month",
        _ => "Year",
    };
    let columns =
        [name, "Direct", "Known", "Rehydrated", "Cold", "No signals", "Duplicates", "Raw signals"];
    let caption = format!("Raw signals by {}", history.unit.name());
    let table = Table { id: "history", caption: &caption, columns: &columns };
    let mut rows: Vec<Vec<Cell>> =
        history.spans.iter().map(|span| row(&span.span, &span.fates)).collect();
    if history.outside.total() > 0 {
        rows.push(row("outside", &history.outside));
    }
    table.write_folded("Show the figures", rows, out)
}

fn row(name: &str, fates: &Fates) -> Vec<Cell> {
    let Fates { direct, known, rehydrated, cold, other, duplicates } = *fates;
    let counts = [direct, known, rehydrated, cold, other, duplicates, fates.total()];
    let name = Cell::Text(Text(name).to_string());
    std::iter::once(name).chain(counts.map(Cell::Number)).collect()
}
