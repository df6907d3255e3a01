//! `report.html`: the results of a run, for people who do not read JSON.
//!
//! The page shows only what `report.json` contains and, if e-mail addresses are requested, the
//! leads with the highest scores.

mod file;
mod finding;
mod funnel;
mod head;
mod history;
mod lead;
mod plan;
mod spread;
mod top;

pub use lead::TopLead;

use crate::report::Report;
use crate::report::page::document;

/// Whether a page shows e-mail addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emails {
    /// It shows none.
    Hidden,
    /// It shows those of the leads with the highest scores, and of lost leads.
    Shown,
}

/// Returns the page of `report`; `leads` are those with the highest scores.
pub fn page(report: &Report, leads: &[TopLead], emails: Emails) -> String {
    document(&head::title(report), &head::subtitle(report), |out| {
        head::write(report, out)?;
        funnel::write(report, out)?;
        history::write(report, out)?;
        plan::write(report, out)?;
        finding::write(report, out)?;
        top::write(report, out)?;
        spread::write(report, out)?;
        if emails == Emails::Shown {
            lead::write(report, leads, out)?;
        }
        file::write(report, out)
    })
}

#[cfg(test)]
mod tests;
