//! The section on the most frequent events, and on the rules that map the most signals.

use std::fmt::{self, Write};

use crate::report::figure::{called, counted, percent, signed, thousands};
use crate::report::page::{Bar, Table, label, more, section, write_bars};
use crate::report::{Report, RuleCount};

/// The maximum number of events and rules that are shown.
const SHOWN: usize = 12;

/// Writes both lists.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    out.write_str("<div class=\"pair\">\n")?;
    section("top-events", "Most frequent events", out, |out| events(report, out))?;
    section("top-rules", "Rules", out, |out| rules(report, out))?;
    out.write_str("</div>\n")
}

fn events(report: &Report, out: &mut String) -> fmt::Result {
    let events = &report.events;
    let raw = events.total - events.filtered - events.outside_window;
    let (shown, others) = events.by_name.split_at(events.by_name.len().min(SHOWN));
    let bars: Vec<Bar> = shown
        .iter()
        .map(|name| Bar {
            name: label(&called(name.call, &name.event)),
            note: String::new(),
            count: name.count,
            figure: percent(name.count, raw),
            class: "known",
        })
        .collect();
    let table = Table {
        id: "top-events",
        caption: "Raw signals by name",
        columns: &["Event", "Count", "Share"],
    };
    let longest = shown.first().map_or(1, |name| name.count);
    write_bars(table, longest, &bars, out)?;
    let count = others.iter().map(|name| name.count).sum::<u64>() + events.other_count;
    let names = others.len() as u64 + events.other_names;
    more(rest(names, "more name", "more names", count, "raw signal"), out)
}

fn rules(report: &Report, out: &mut String) -> fmt::Result {
    let rules = &report.rules;
    if rules.by_rule.is_empty() {
        return out.write_str(
            "<p>Without a rules file no signal is mapped or scored. <code>backtrail queue \
             --suggest</code> writes one to start from.</p>\n",
        );
    }
    let signals = report.identity.signals.total;
    writeln!(
        out,
        "<p>Rules map {} of {} ({}).</p>",
        thousands(rules.mapped),
        counted(signals, "signal", "signals"),
        percent(rules.mapped, signals),
    )?;
    let mut sorted: Vec<&RuleCount> = rules.by_rule.iter().collect();
    sorted.sort_by_key(|rule| std::cmp::Reverse(rule.matches));
    let (shown, others) = sorted.split_at(sorted.len().min(SHOWN));
    let bars: Vec<Bar> = shown
        .iter()
        .map(|rule| Bar {
            name: label(&rule.id),
            note: String::new(),
            count: rule.matches,
            figure: signed(rule.score),
            class: "direct",
        })
        .collect();
    let table = Table {
        id: "top-rules",
        caption: "Signals by rule",
        columns: &["Rule", "Signals", "Score"],
    };
    let longest = shown.first().map_or(1, |rule| rule.matches);
    write_bars(table, longest, &bars, out)?;
    let count = others.iter().map(|rule| rule.matches).sum();
    more(rest(others.len() as u64, "more rule", "more rules", count, "signal"), out)
}

/// Describes what a list leaves out.
fn rest(names: u64, one: &str, more: &str, count: u64, what: &str) -> Option<String> {
    (names > 0).then(|| {
        format!("{}, {}", counted(names, one, more), counted(count, what, &format!("{what}s")))
    })
}
