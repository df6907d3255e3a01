//! The section on the leads with the highest scores, and on the leads that the service would have
//! lost.

use std::fmt::{self, Write};

use crate::emit::row::LeadRow;
use crate::report::Report;
use crate::report::figure::{counted, signed};
use crate::report::page::{Cell, Table, Text, more, section};
use crate::time::Time;

/// The maximum number of lost leads that are named.
const LOST: usize = 50;

/// A lead with one of the highest scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopLead {
    email: String,
    company: String,
    score: i64,
    signals: u64,
    last_seen: Time,
}

impl TopLead {
    /// The maximum number of leads on the page.
    pub const SHOWN: usize = 20;

    /// Takes from a row of `leads` what the page shows.
    pub fn new(row: &LeadRow<'_>) -> Self {
        Self {
            email: row.email.to_owned(),
            company: row.company.to_owned(),
            score: row.score,
            signals: row.signals,
            last_seen: row.last_seen,
        }
    }
}

/// Writes `leads` and the lost leads of `report`, with their addresses.
pub fn write(report: &Report, leads: &[TopLead], out: &mut String) -> fmt::Result {
    if report.leads.total == 0 {
        return Ok(());
    }
    section("top-leads", "Leads with the highest scores", out, |out| {
        let columns = ["Lead", "<Company", "Score", "Signals", "Last seen"];
        let table = Table { id: "top-leads", caption: "The best leads", columns: &columns };
        table.write(leads.iter().map(row), out)?;
        let others = report.leads.total - leads.len() as u64;
        let rest = format!("{}; the leads table has all", counted(others, "more", "more"));
        more((others > 0).then_some(rest), out)?;
        lost(report, out)
    })
}

fn row(lead: &TopLead) -> Vec<Cell> {
    let day = lead.last_seen.to_string();
    vec![
        Cell::Text(shown(&lead.email)),
        Cell::Text(shown(&lead.company)),
        Cell::Figure(signed(lead.score)),
        Cell::Number(lead.signals),
        Cell::Figure(day.get(..10).unwrap_or("–").to_owned()),
    ]
}

fn lost(report: &Report, out: &mut String) -> fmt::Result {
    let emails = &report.plan.lost_lead_emails;
    if emails.is_empty() {
        return Ok(());
    }
    let count = counted(report.plan.lost_leads, "lead that", "leads that");
    writeln!(
        out,
        "<h3>{count} the service would not have made, for want of room in the plan</h3>\n<ul>"
    )?;
    for email in emails.iter().take(LOST) {
        writeln!(out, "<li>{}</li>", shown(email))?;
    }
    out.write_str("</ul>\n")?;
    let others = report.plan.lost_leads.saturating_sub(LOST as u64);
    more((others > 0).then(|| counted(others, "more", "more")), out)
}

/// Returns an address or a name as markup, cut short.
fn shown(text: &str) -> String {
    format!("<bdi>{}</bdi>", Text(&crate::report::layout::fitted(text, 120)))
}
