//! The report as JSON, for programs that read the page.

use std::fmt::{self, Write};

use crate::jobs::audit::report::{Change, Leads, Plan, Report};

/// The maximum size of the JSON on a page, in bytes.
const MOST_BYTES: usize = 256 << 10;
/// The numbers of items to which lists are cut; the first that fits is used.
const LENGTHS: [usize; 5] = [500, 100, 25, 5, 0];

/// Writes the JSON of `report`: complete if it fits, otherwise with each list cut to the same
/// length, which an attribute of the element gives. A report that does not fit even with empty
/// lists is left out.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    let fits = |length: usize| {
        let json = serde_json::to_string(&cut(report, length)).ok()?;
        // No text from the data can end the element or begin a comment.
        let json = json.replace('<', "\\u003c");
        (json.len() <= MOST_BYTES).then_some((length, json))
    };
    let Some((length, json)) = LENGTHS.into_iter().find_map(fits) else { return Ok(()) };
    let cut = if longest(report) > length {
        format!(" data-lists-cut-to=\"{length}\"")
    } else {
        String::new()
    };
    writeln!(out, "<script type=\"application/json\" id=\"report\"{cut}>{json}</script>")
}

fn first<T: Clone>(list: &[T], length: usize) -> Vec<T> {
    list[..list.len().min(length)].to_vec()
}

/// Returns the length of the longest list that may be cut.
fn longest(report: &Report) -> usize {
    let Report { inputs, names, lines, plan, leads, losses, findings, change, .. } = report;
    let change = change
        .as_ref()
        .map_or(0, |change| change.drop.len().max(change.allow.len()).max(change.others.len()));
    [
        inputs.len(),
        names.len(),
        lines.len(),
        plan.periods.len(),
        plan.days.len(),
        leads.lost_leads.len(),
        leads.lowered_leads.len(),
        losses.len(),
        findings.len(),
        report.warnings.len(),
        report.faults.len(),
        change,
    ]
    .into_iter()
    .max()
    .unwrap_or(0)
}

/// Returns the report with the first `length` items of each list.
fn cut(report: &Report, length: usize) -> Report {
    let plan = Plan {
        periods: first(&report.plan.periods, length),
        days: first(&report.plan.days, length),
        name: report.plan.name.clone(),
        timezone: report.plan.timezone.clone(),
        history: report.plan.history.clone(),
        ..report.plan
    };
    let leads = Leads {
        lost_leads: first(&report.leads.lost_leads, length),
        lowered_leads: first(&report.leads.lowered_leads, length),
        ..report.leads
    };
    let change = report.change.as_ref().map(|change| Change {
        drop: first(&change.drop, length),
        raw_signals: first(&change.raw_signals, length),
        allow: first(&change.allow, length),
        others: first(&change.others, length),
        ..*change
    });
    Report {
        inputs: first(&report.inputs, length),
        names: first(&report.names, length),
        lines: first(&report.lines, length),
        losses: first(&report.losses, length),
        findings: first(&report.findings, length),
        warnings: first(&report.warnings, length),
        faults: first(&report.faults, length),
        filter: report.filter.clone(),
        against: report.against.clone(),
        window: report.window.clone(),
        rules: report.rules.clone(),
        rejects: report.rejects.clone(),
        plan,
        leads,
        change,
        ..*report
    }
}
