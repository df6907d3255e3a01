//! The section on raw signals against the plan, before and after the filter.

use std::fmt::{self, Write};

use crate::jobs::audit::report::{HistorySpan, Period, Plan, Report, Usage};
use crate::report::figure::{counted, thousands};
use crate::report::page::{Cell, Chart, Column, Series, Table, Text, more, section};

/// The maximum number of periods shown, the latest ones.
const SHOWN: usize = 60;
const KEPT: Series = Series { class: "kept", name: "kept" };
const DROPPED: Series = Series { class: "dropped", name: "dropped" };
const ADDED: Series = Series { class: "rehydrated", name: "only after" };

/// Writes the chart with its table, and the periods.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    let plan = &report.plan;
    section("volume", "Volume against the plan", out, |out| {
        if plan.periods.is_empty() {
            return out.write_str("<p>No event has a time.</p>\n");
        }
        writeln!(out, "<p>{}</p>", described(plan))?;
        chart(plan, out)?;
        history(plan, out)?;
        periods(plan, out)
    })
}

fn described(plan: &Plan) -> String {
    let limit = match plan.raw_signals_limit {
        Some(limit) => format!("The plan allows {} a {}", thousands(limit), plan.period),
        None => "The plan has no limit".to_owned(),
    };
    let over = plan.periods.iter().filter(|period| period.after.over > 0).count();
    format!(
        "{limit}; after the filter {} of {} {} over it. Periods begin at midnight in {}.",
        thousands(over as u64),
        counted(plan.periods.len() as u64, "period", "periods"),
        if over == 1 { "is" } else { "are" },
        Text(&plan.timezone),
    )
}

fn chart(plan: &Plan, out: &mut String) -> fmt::Result {
    let columns: Vec<Column> = plan.history.iter().map(column).collect();
    let is_added = columns.iter().any(|column| column.parts[2] > 0);
    let all = [KEPT, DROPPED, ADDED];
    let limit = plan.raw_signals_limit.map_or_else(String::new, thousands);
    let chart = Chart {
        id: "volume-chart",
        title: &format!(
            "Raw signals by {}, before and after the filter; the table below has the figures",
            plan.unit.name()
        ),
        series: if is_added { &all } else { &all[..2] },
        columns: &columns,
        line: &format!("plan: {limit} a {}, evenly spread", plan.period),
        marks: &[],
        labels: 6,
    };
    chart.write(out)
}

fn column(span: &HistorySpan) -> Column {
    let HistorySpan { before, after, .. } = *span;
    let parts = vec![before.min(after), before.saturating_sub(after), after.saturating_sub(before)];
    Column { label: span.span.clone(), parts, line: span.allowance }
}

fn history(plan: &Plan, out: &mut String) -> fmt::Result {
    let caption = format!("Raw signals by {}", plan.unit.name());
    let table = Table { id: "days", caption: &caption, columns: &["From", "Before", "After"] };
    let rows = plan.history.iter().map(|span| {
        let name = Cell::Text(Text(&span.span).to_string());
        vec![name, Cell::Number(span.before), Cell::Number(span.after)]
    });
    table.write_folded("Show the figures", rows, out)
}

fn periods(plan: &Plan, out: &mut String) -> fmt::Result {
    let columns =
        ["Period", "Before", "Of the plan", "After", "Of the plan", "Over", "Lost", "Active leads"];
    let table = Table { id: "periods", caption: "Raw signals by period", columns: &columns };
    let (earlier, shown) = plan.periods.split_at(plan.periods.len().saturating_sub(SHOWN));
    table.write(shown.iter().map(row), out)?;
    let raw: u64 = earlier.iter().map(|period| period.after.raw_signals).sum();
    let rest = format!(
        "{}, {} after the filter",
        counted(earlier.len() as u64, "earlier period", "earlier periods"),
        counted(raw, "raw signal", "raw signals"),
    );
    more((!earlier.is_empty()).then_some(rest), out)
}

fn row(period: &Period) -> Vec<Cell> {
    let Period { before, after, .. } = period;
    vec![
        Cell::Text(Text(&period.period).to_string()),
        Cell::Number(before.raw_signals),
        Cell::Figure(light(before)),
        Cell::Number(after.raw_signals),
        Cell::Figure(light(after)),
        Cell::Number(after.over),
        Cell::Number(after.lost),
        Cell::Number(after.active_leads),
    ]
}

fn light(usage: &Usage) -> String {
    usage
        .share
        .map_or_else(|| "–".into(), |share| format!("{:.1} % {}", share * 100.0, usage.light))
}
