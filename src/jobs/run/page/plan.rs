//! The section on the use of the plan by period.

use std::fmt::{self, Write};

use crate::report::figure::{counted, percent, thousands};
use crate::report::page::{Cell, Table, Text, minute, more, section};
use crate::report::{Period, Report};

/// The maximum number of periods shown, the latest ones.
const SHOWN: usize = 36;

/// Writes the table of periods.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    let plan = &report.plan;
    if plan.periods.is_empty() {
        return Ok(());
    }
    section("plan", "What it costs", out, |out| {
        writeln!(out, "<p>{}</p>", described(report))?;
        let columns = [
            "Period",
            "Raw signals",
            "Of the plan",
            "<",
            "Limit reached",
            "Refused",
            "Lost",
            "Active leads",
            "Tracked users",
        ];
        let table = Table { id: "periods", caption: "Raw signals by period", columns: &columns };
        let (earlier, shown) = plan.periods.split_at(plan.periods.len().saturating_sub(SHOWN));
        table.write(shown.iter().map(row), out)?;
        more(rest(earlier), out)
    })
}

fn described(report: &Report) -> String {
    let plan = &report.plan;
    let limit = plan.raw_signals_limit.map_or_else(
        || format!("The plan has no limit of raw signals a {}.", plan.period),
        |limit| {
            format!(
                "The plan takes {} a {}. What is past that is refused with 429; Segment tries \
                 again for four hours, and after that it is lost.",
                counted(limit, "raw signal", "raw signals"),
                plan.period
            )
        },
    );
    let trend = plan.trend.as_ref().and_then(|trend| trend.limit_reached_in.as_ref());
    let trend = trend.filter(|_| plan.over == 0).map_or_else(String::new, |period| {
        format!(" At the present trend the limit is reached in {}.", Text(period))
    });
    format!("{limit}{trend}")
}

fn row(period: &Period) -> Vec<Cell> {
    let limit = period.limit;
    let figure = |text: String| Cell::Figure(text);
    let light = limit.map_or_else(
        || figure("–".into()),
        |limit| {
            let share = percent(period.raw_signals, limit);
            figure(format!("{share} {}", period.light))
        },
    );
    #[allow(clippy::cast_precision_loss)] // the length of a bar
    let filled = period.raw_signals as f64 / limit.unwrap_or(period.raw_signals).max(1) as f64;
    let light_class = if limit.is_some() { period.light } else { "known" };
    let reached = period.reached_at.as_deref().map_or_else(|| "–".into(), minute);
    let tracked = period.monthly_tracked_users.map_or_else(|| "–".into(), thousands);
    vec![
        Cell::Text(Text(&period.period).to_string()),
        Cell::Number(period.raw_signals),
        light,
        Cell::Bars(vec![(light_class, filled)]),
        figure(reached),
        Cell::Number(period.over),
        Cell::Number(period.lost),
        Cell::Number(period.active_leads),
        figure(tracked),
    ]
}

fn rest(earlier: &[Period]) -> Option<String> {
    let raw: u64 = earlier.iter().map(|period| period.raw_signals).sum();
    (!earlier.is_empty()).then(|| {
        format!(
            "{}, {}; report.json has them",
            counted(earlier.len() as u64, "earlier period", "earlier periods"),
            counted(raw, "raw signal", "raw signals"),
        )
    })
}
