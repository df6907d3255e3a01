//! The section on what leads lose: signals by name, whole leads, and scores.

use std::fmt::{self, Write};

use crate::jobs::audit::report::{Loss, Report};
use crate::report::figure::{called, counted, signed};
use crate::report::layout::fitted;
use crate::report::page::{Cell, Table, Text, label, more, section};

/// The maximum number of names and of leads that are shown.
const NAMES: usize = 100;
const LEADS: usize = 100;
/// The maximum width of an address that is shown, in columns.
const ADDRESS: usize = 120;

/// Writes the tables.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    section("losses", "What leads lose", out, |out| {
        if report.losses.is_empty() {
            out.write_str("<p>No signal of a lead is lost.</p>\n")?;
        } else {
            names(&report.losses, out)?;
        }
        lost(report, out)?;
        lowered(report, out)
    })
}

fn names(losses: &[Loss], out: &mut String) -> fmt::Result {
    let columns = ["Event", "Signals before", "After", "Lost", "Scored lost", "Gone cold"];
    let caption = "Signals of leads that are lost, by event name";
    let table = Table { id: "losses", caption, columns: &columns };
    let (shown, others) = losses.split_at(losses.len().min(NAMES));
    let lost = |loss: &Loss| loss.resolved.before - loss.resolved.after;
    table.write(
        shown.iter().map(|loss| {
            vec![
                Cell::Text(label(&called(loss.call, &loss.event))),
                Cell::Number(loss.resolved.before),
                Cell::Number(loss.resolved.after),
                Cell::Number(lost(loss)),
                Cell::Number(loss.scored.before.saturating_sub(loss.scored.after)),
                Cell::Number(loss.gone_cold),
            ]
        }),
        out,
    )?;
    let rest = format!(
        "{}, {} lost",
        counted(others.len() as u64, "more name", "more names"),
        counted(others.iter().map(lost).sum(), "signal", "signals"),
    );
    more((!others.is_empty()).then_some(rest), out)
}

fn lost(report: &Report, out: &mut String) -> fmt::Result {
    let leads = &report.leads;
    if leads.lost == 0 {
        return Ok(());
    }
    let caption = counted(leads.lost, "lost lead", "lost leads");
    let table =
        Table { id: "lost-leads", caption: &caption, columns: &["Lead", "Score", "Signals"] };
    let rows = leads.lost_leads.iter().take(LEADS).map(|lead| {
        vec![address(&lead.email), Cell::Figure(signed(lead.score)), Cell::Number(lead.signals)]
    });
    table.write(rows, out)?;
    others(leads.lost, out)
}

fn lowered(report: &Report, out: &mut String) -> fmt::Result {
    let leads = &report.leads;
    if leads.lowered == 0 {
        return Ok(());
    }
    let caption = format!("{} with a lower score", counted(leads.lowered, "lead", "leads"));
    let table =
        Table { id: "lowered-leads", caption: &caption, columns: &["Lead", "Before", "After"] };
    let rows = leads.lowered_leads.iter().take(LEADS).map(|lead| {
        let scores = [lead.before, lead.after].map(|score| Cell::Figure(signed(score)));
        std::iter::once(address(&lead.email)).chain(scores).collect()
    });
    table.write(rows, out)?;
    others(leads.lowered, out)
}

fn others(leads: u64, out: &mut String) -> fmt::Result {
    let others = leads.saturating_sub(LEADS as u64);
    more((others > 0).then(|| counted(others, "more lead", "more leads")), out)
}

fn address(email: &str) -> Cell {
    Cell::Text(format!("<bdi>{}</bdi>", Text(&fitted(email, ADDRESS))))
}
