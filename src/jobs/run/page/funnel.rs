//! The section on the stages from records to leads, with what is left after each.

use std::fmt;

use crate::report::Report;
use crate::report::figure::{percent, thousands};
use crate::report::page::{Bar, Table, section, write_bars};

/// Writes the funnel.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    section("funnel", "From records to leads", out, |out| {
        let table = Table {
            id: "funnel",
            caption: "What is left after each stage",
            columns: &["Stage", "Count", "Of the records"],
        };
        write_bars(table, report.records, &stages(report), out)
    })
}

fn stages(report: &Report) -> Vec<Bar> {
    let Report { events, identity, leads, .. } = report;
    let signals = &identity.signals;
    let passed = events.total - events.filtered;
    let stage = |name: &str, (gone, why): (u64, &str), count, class| Bar {
        name: name.to_owned(),
        note: if gone == 0 { String::new() } else { format!("{} {why}", thousands(gone)) },
        count,
        figure: percent(count, report.records),
        class,
    };
    let others = (events.kept - signals.total, "that are no signals");
    let without = (leads.without_signals, "of them without signals");
    let mut stages = vec![
        stage("Records", (0, ""), report.records, "known"),
        stage("Events", (report.rejects.total, "rejected"), events.total, "known"),
        stage("Raw signals", (events.filtered, "filtered out"), passed, "known"),
        stage("Kept events", (events.duplicates, "duplicates less"), events.kept, "known"),
        stage("Signals", others, signals.total, "known"),
        stage("Signals of leads", (signals.cold, "cold"), signals.total - signals.cold, "direct"),
    ];
    if events.outside_window > 0 {
        let outside = (events.outside_window, "before or after it");
        let inside = passed - events.outside_window;
        stages.insert(3, stage("In the window", outside, inside, "known"));
    }
    let leads = stage("Leads", without, leads.total, "rehydrated");
    stages.push(Bar { figure: String::new(), ..leads });
    stages
}
