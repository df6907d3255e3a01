//! The report of an audit as one web page that needs no network, no script and no other file.
//!
//! The size of the page is bounded, whatever the input: of a long list it contains the first items,
//! and the sum of the others. The page also contains the report as JSON, with lists cut as far as
//! needed, so that programs can read what people see.

mod change;
mod data;
mod finding;
mod head;
mod loss;
mod name;
mod outcome;
mod verdict;
mod volume;

#[cfg(test)]
mod tests;

use std::fmt::{self, Write};

use super::report::Report;
use crate::report::figure::counted;
use crate::report::page::{document, more, section, ticked};

/// The maximum number of faults and warnings that are shown.
const SHOWN: usize = 20;

/// Returns the page for `report`.
pub fn page(report: &Report) -> String {
    document(&head::title(report), &head::subtitle(report), |out| {
        head::write(report, out)?;
        outcome::write(report, out)?;
        volume::write(report, out)?;
        finding::write(report, out)?;
        name::write(report, out)?;
        loss::write(report, out)?;
        if let Some(change) = &report.change {
            change::write(change, report, out)?;
        }
        doubts(report, out)?;
        data::write(report, out)
    })
}

/// Writes the faults and warnings about files.
fn doubts(report: &Report, out: &mut String) -> fmt::Result {
    let faults = report.faults.iter().map(ToString::to_string);
    let doubts: Vec<String> = faults.chain(report.warnings.iter().cloned()).collect();
    if doubts.is_empty() {
        return Ok(());
    }
    section("doubts", "Files", out, |out| {
        out.write_str("<ul>\n")?;
        for doubt in doubts.iter().take(SHOWN) {
            writeln!(out, "<li>{}</li>", ticked(doubt))?;
        }
        out.write_str("</ul>\n")?;
        let others = doubts.len().saturating_sub(SHOWN) as u64;
        more((others > 0).then(|| counted(others, "more", "more")), out)
    })
}
