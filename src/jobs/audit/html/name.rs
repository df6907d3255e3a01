//! The section on event names: kept or dropped, and by which line or filter.

use std::fmt;

use crate::jobs::audit::report::{By, Fate, Name, Report};
use crate::report::figure::{called, counted};
use crate::report::page::{Cell, Table, code, label, more, section};

/// The maximum number of names shown, and of lines or filters shown for each.
const SHOWN: usize = 100;
const DECIDERS: usize = 3;

/// Writes the table.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    section("names", "Events by name", out, |out| {
        let columns = ["Event", "Count", "Share", "Kept", "Dropped", "Mapped", "<By", "<"];
        let caption = "Kept and dropped by event name";
        let table = Table { id: "names", caption, columns: &columns };
        let most = report.names.first().map_or(1, |name| name.count).max(1);
        let (shown, others) = report.names.split_at(report.names.len().min(SHOWN));
        table.write(shown.iter().map(|name| row(name, most)), out)?;
        let sum = |of: fn(&Name) -> u64| others.iter().map(of).sum::<u64>();
        let rest = format!(
            "{}, {}, of which {} kept; the JSON report has them",
            counted(others.len() as u64, "more name", "more names"),
            counted(sum(|name| name.count), "event", "events"),
            counted(sum(|name| name.kept), "is", "are"),
        );
        more((!others.is_empty()).then_some(rest), out)
    })
}

#[allow(clippy::cast_precision_loss)] // the length of a bar
fn row(name: &Name, most: u64) -> Vec<Cell> {
    let dropped = name.count - name.kept;
    let length = |count: u64| count as f64 / most as f64;
    vec![
        Cell::Text(label(&called(name.call, &name.event))),
        Cell::Number(name.count),
        Cell::Figure(format!("{:.1} %", name.share * 100.0)),
        Cell::Number(name.kept),
        Cell::Number(dropped),
        Cell::Number(name.mapped),
        Cell::Text(deciders(&name.by)),
        Cell::Bars(vec![("kept", length(name.kept)), ("dropped", length(dropped))]),
    ]
}

fn deciders(by: &[By]) -> String {
    let decider = |by: &By| {
        let text = by.text.as_deref().unwrap_or("");
        match (by.number, by.fate) {
            (Some(number), Fate::Dropped) => format!("filter {number} {}", code(text)),
            (Some(number), _) => format!("line {number} {}", code(text)),
            (None, Fate::Dropped) => "no line".to_owned(),
            (None, _) => String::new(),
        }
    };
    let mut texts: Vec<String> =
        by.iter().take(DECIDERS).map(decider).filter(|text| !text.is_empty()).collect();
    if by.len() > DECIDERS {
        texts.push(counted((by.len() - DECIDERS) as u64, "more", "more"));
    }
    texts.join("<br>")
}
