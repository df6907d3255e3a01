//! The section that compares events, leads and signals with and without the filter.

use std::fmt;

use crate::jobs::audit::report::Report;
use crate::report::figure::signed;
use crate::report::page::{Cell, Table, section};

/// Writes the table.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    section("outcome", "What it saves and loses", out, |out| {
        let columns = ["What", "Before", "After", "Less"];
        let table =
            Table { id: "outcome", caption: "Before and after the filter", columns: &columns };
        table.write(rows(report), out)
    })
}

fn rows(report: &Report) -> Vec<Vec<Cell>> {
    let (before, after) = (&report.leads.before, &report.leads.after);
    let (old, new) = (&report.signals.before, &report.signals.after);
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = [
        ("Raw signals", count(report.events.before), count(report.events.after)),
        ("Leads", count(before.total), count(after.total)),
        ("Leads with signals", count(before.with_signals), count(after.with_signals)),
        ("Sum of scores", before.total_score, after.total_score),
        ("Resolved signals", count(old.resolved), count(new.resolved)),
        ("Mapped signals", count(old.mapped), count(new.mapped)),
    ];
    let row = |(name, before, after): (&str, i64, i64)| {
        let numbers = [before, after, before.saturating_sub(after)];
        let numbers = numbers.map(|number| Cell::Figure(signed(number)));
        std::iter::once(Cell::Text(name.into())).chain(numbers).collect()
    };
    rows.into_iter().map(row).collect()
}
