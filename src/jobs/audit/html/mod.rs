//! The report of an audit as one web page that needs no network, no script and no other file.
//!
//! What a page shows and holds is bounded, whatever the input: of long lists the page has the first
//! and says how much the others add up to. The JSON of the report is part of the page as well, with
//! lists cut as far as need be, so that programs can read what people see.

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

/// How many faults and warnings are shown.
const SHOWN: usize = 20;

/// The page of `report`.
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

/// What is doubtful about files.
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
