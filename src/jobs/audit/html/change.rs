//! The section on the smallest change that fits the plan.

use std::fmt::{self, Write};

use crate::jobs::audit::report::{Change, Drop, Report};
use crate::report::figure::{called, counted, signed, thousands};
use crate::report::page::{Cell, Table, Text, code, label, more, section};

/// The maximum number of units to drop, and of lines of the list, that are shown.
const DROPS: usize = 50;
const LINES: usize = 200;
/// The maximum size of a list that is shown, in bytes: a truncated list must not be copied.
const LIST_BYTES: usize = 64 << 10;

/// Writes the section.
pub fn write(change: &Change, report: &Report, out: &mut String) -> fmt::Result {
    section("change", "The smallest change", out, |out| {
        if !change.fits {
            out.write_str(
                "<p>Nothing that keeps identify calls fits the plan. This comes nearest.</p>\n",
            )?;
        }
        let columns = ["Drop as well", "Raw signals saved", "Leads lost", "Score lost"];
        let caption = "What would be dropped as well";
        let table = Table { id: "change", caption, columns: &columns };
        let (shown, others) = change.drop.split_at(change.drop.len().min(DROPS));
        table.write(shown.iter().map(row), out)?;
        let saved: u64 = others.iter().map(|drop| drop.saved).sum();
        let rest = format!(
            "{}, {} saved",
            counted(others.len() as u64, "more", "more"),
            counted(saved, "raw signal", "raw signals"),
        );
        more((!others.is_empty()).then_some(rest), out)?;
        writeln!(
            out,
            "<p>Of {} {} remain; the sum of scores falls by {}.</p>",
            counted(report.leads.after.total, "lead", "leads"),
            thousands(change.leads.total),
            signed(change.score_lost)
        )?;
        list(&change.allow, out)
    })
}

fn row(drop: &Drop) -> Vec<Cell> {
    let what = match (&drop.event, &drop.entry) {
        (Some(event), _) => label(&called(drop.call, event)),
        (None, Some(entry)) => format!("line {} {}", entry.number, code(&entry.text)),
        (None, None) => format!("{} calls", drop.call),
    };
    let score = Cell::Figure(signed(drop.score_lost));
    vec![Cell::Text(what), Cell::Number(drop.saved), Cell::Number(drop.leads_lost), score]
}

/// Writes the changed allow list, completely or not at all.
fn list(lines: &[String], out: &mut String) -> fmt::Result {
    let bytes: usize = lines.iter().map(String::len).sum();
    if lines.is_empty() {
        return Ok(());
    }
    if lines.len() > LINES || bytes > LIST_BYTES {
        let count = counted(lines.len() as u64, "line", "lines");
        return writeln!(
            out,
            "<p>The JSON report has the allow list with this change, of {count}.</p>"
        );
    }
    let lines: Vec<String> = lines.iter().map(|line| Text(line).to_string()).collect();
    writeln!(
        out,
        "<h3>The allow list with this change</h3>\n<pre tabindex=\"0\">{}</pre>",
        lines.join("\n")
    )
}
