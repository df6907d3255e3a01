//! The section on the inputs, their faults and the warnings.

use std::fmt::{self, Write};

use crate::diagnostic::clean;
use crate::report::figure::{bytes, counted};
use crate::report::page::{Cell, Table, code, more, section, ticked};
use crate::report::{Input, Report};

/// The maximum number of inputs, faults and warnings that are shown.
const SHOWN: usize = 20;

/// Writes the section.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    section("files", "What was read", out, |out| {
        let faults = report.faults.iter().map(ToString::to_string);
        list("What is wrong with inputs", &faults.collect::<Vec<_>>(), out)?;
        let is_finding =
            |warning: &&String| report.findings.iter().any(|found| found.message == **warning);
        let warnings = report.warnings.iter().filter(|warning| !is_finding(warning)).cloned();
        list("Warnings", &warnings.collect::<Vec<_>>(), out)?;
        let (shown, others) = report.inputs.split_at(report.inputs.len().min(SHOWN));
        let columns = ["Input", "Size", "Records"];
        let table = Table { id: "inputs", caption: "Inputs", columns: &columns };
        table.write(shown.iter().map(row), out)?;
        let records: u64 = others.iter().map(|input| input.records).sum();
        let rest = format!(
            "{}, {}",
            counted(others.len() as u64, "more input", "more inputs"),
            counted(records, "record", "records"),
        );
        more((!others.is_empty()).then_some(rest), out)
    })
}

fn row(input: &Input) -> Vec<Cell> {
    let size = input.bytes.map_or_else(|| "–".into(), bytes);
    vec![Cell::Text(code(&input.path)), Cell::Figure(size), Cell::Number(input.records)]
}

fn list(heading: &str, texts: &[String], out: &mut String) -> fmt::Result {
    if texts.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h3>{heading}</h3>\n<ul>")?;
    for text in texts.iter().take(SHOWN) {
        writeln!(out, "<li>{}</li>", ticked(&clean(text)))?;
    }
    out.write_str("</ul>\n")?;
    let others = texts.len().saturating_sub(SHOWN) as u64;
    more((others > 0).then(|| counted(others, "more", "more")), out)
}
