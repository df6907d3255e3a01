//! The report of an audit for people who read it in a terminal. Of addresses only the domain is
//! shown; the JSON and the HTML have them whole.

use std::fmt::{self, Write};

use super::report::{
    By, Change, Drop, Example, Fate, FilterInfo, Finding, Name, Report, Severity, Usage,
};
use crate::diagnostic::{clean, masked, printable};
use crate::report::layout::{fitted, padded, wrap};
use crate::report::text::{Colour, bytes, counted, percent, thousands};

/// How many findings of one kind, names, losses and leads are shown.
const FINDINGS: usize = 5;
const NAMES: usize = 40;
const LISTED: usize = 10;
/// How many periods are shown, the latest.
const PERIODS: usize = 13;
/// Where the text after a heading begins.
const INDENT: usize = 12;
/// The narrowest page that is laid out for, and the widest.
const NARROWEST: usize = 60;
const WIDEST: usize = 120;

/// How the report is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the page.
    pub width: usize,
    /// Whether severities and lights are coloured.
    pub colour: Colour,
}

/// The text of `report`.
pub fn text(report: &Report, layout: Layout) -> String {
    let width = layout.width.clamp(NARROWEST, WIDEST);
    let mut page = Page { out: String::new(), width, colour: layout.colour };
    // Writing to a string cannot fail.
    let _ = page.report(report);
    page.out
}

struct Page {
    out: String,
    width: usize,
    colour: Colour,
}

impl Page {
    fn report(&mut self, report: &Report) -> fmt::Result {
        self.head(report)?;
        self.findings(report)?;
        self.plan(report)?;
        self.names(report)?;
        self.lines(report)?;
        self.losses(report)?;
        self.leads(report)?;
        if let Some(change) = &report.change {
            self.change(change, report)?;
        }
        for fault in &report.faults {
            self.item("fault", &fault.to_string())?;
        }
        for warning in &report.warnings {
            self.item("warning", warning)?;
        }
        Ok(())
    }

    fn head(&mut self, report: &Report) -> fmt::Result {
        let events = &report.events;
        let rejects: u64 = report.rejects.values().sum();
        for (head, filters) in [("audit", &report.filter), ("against", &report.against)] {
            for (place, filter) in filters.iter().enumerate() {
                self.item(if place == 0 { head } else { "  and" }, &described(filter))?;
            }
        }
        if report.filter.iter().any(|filter| filter.estimate) {
            let text = "counts are estimates: Segment draws lots for samples without a path, and \
                a hash of the messageId decides here";
            self.item("", text)?;
        }
        let read = format!(
            "{} from {} in {:.2} s ({}), {} rejected",
            counted(report.records, "record", "records"),
            counted(report.inputs.len() as u64, "input", "inputs"),
            report.elapsed_seconds,
            bytes(report.bytes_read),
            thousands(rejects),
        );
        self.item("read", &read)?;
        let dropped = events.total - events.after;
        let seen = format!(
            "{}: {} kept, {} dropped ({})",
            thousands(events.total),
            thousands(events.after),
            thousands(dropped),
            percent(dropped, events.total),
        );
        self.item("events", &seen)?;
        if let Some(window) = &report.window {
            let outside = counted(events.outside_window, "event", "events");
            self.item("window", &format!("{window}; {outside} outside of it"))?;
        }
        writeln!(self.out)?;
        writeln!(self.out, "{:<22}{:>14}{:>14}{:>14}", "", "before", "after", "lost")?;
        let (before, after) = (&report.leads.before, &report.leads.after);
        let (old, new) = (&report.signals.before, &report.signals.after);
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let pairs = [
            ("raw signals", count(events.before), count(events.after)),
            ("leads", count(before.total), count(after.total)),
            ("  with signals", count(before.with_signals), count(after.with_signals)),
            ("  sum of scores", before.total_score, after.total_score),
            ("resolved signals", count(old.resolved), count(new.resolved)),
            ("mapped signals", count(old.mapped), count(new.mapped)),
        ];
        for (what, before, after) in pairs {
            let lost = before.saturating_sub(after);
            writeln!(
                self.out,
                "{what:<22}{:>14}{:>14}{:>14}",
                signed(before),
                signed(after),
                signed(lost)
            )?;
        }
        Ok(())
    }

    fn findings(&mut self, report: &Report) -> fmt::Result {
        let count = |severity| {
            report.findings.iter().filter(|finding| finding.severity == severity).count() as u64
        };
        let counts = [
            (count(Severity::Error), "error", "errors"),
            (count(Severity::Warning), "warning", "warnings"),
            (count(Severity::Note), "note", "notes"),
        ];
        let counts = counts.map(|(count, one, more)| counted(count, one, more));
        writeln!(self.out)?;
        self.item("findings", &counts.join(", "))?;
        let mut rest = report.findings.as_slice();
        while let Some(first) = rest.first() {
            let alike = |finding: &&Finding| {
                (finding.finding, finding.severity) == (first.finding, first.severity)
            };
            let len = rest.iter().take_while(alike).count();
            let (kind, later) = rest.split_at(len);
            rest = later;
            for finding in &kind[..len.min(FINDINGS)] {
                self.finding(finding)?;
            }
            self.more(len, FINDINGS, first.finding)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> fmt::Result {
        let severity = format!("{:<9}", finding.severity.name());
        let code = match finding.severity {
            Severity::Error => "31",
            Severity::Warning => "33",
            Severity::Note => "36",
        };
        let severity = self.coloured(&severity, code);
        writeln!(self.out, "  {severity} {}", finding.finding)?;
        self.wrapped(&finding.message)?;
        if let Some(help) = &finding.help {
            self.wrapped(&format!("help: {help}"))?;
        }
        for line in finding.rule.iter().flat_map(|rule| rule.lines()) {
            writeln!(self.out, "      {line}")?;
        }
        if !finding.examples.is_empty() {
            let places: Vec<String> = finding.examples.iter().map(place).collect();
            self.wrapped(&format!("at {}", places.join(", ")))?;
        }
        Ok(())
    }

    fn plan(&mut self, report: &Report) -> fmt::Result {
        let plan = &report.plan;
        if plan.periods.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        let name = plan.name.as_deref().unwrap_or("plan");
        let allowed = plan.raw_signals_limit.map_or_else(
            || "unlimited raw signals".into(),
            |limit| counted(limit, "raw signal", "raw signals"),
        );
        let head = format!("{name}: {allowed} a {} ({})", plan.period, plan.timezone);
        self.item("plan", &head)?;
        writeln!(self.out, "  {:<10}{:>32}{:>32}", "", "before", "after")?;
        let earlier = plan.periods.len().saturating_sub(PERIODS);
        if earlier > 0 {
            writeln!(self.out, "  … {earlier} earlier")?;
        }
        for period in &plan.periods[earlier..] {
            let before = self.usage(&period.before);
            let after = self.usage(&period.after);
            writeln!(self.out, "  {:<10}{before}{after}", period.period)?;
        }
        Ok(())
    }

    /// Thirty-two columns: raw signals, their share and the light.
    fn usage(&self, usage: &Usage) -> String {
        let share = usage.share.map_or(String::new(), |share| format!("{:.1} %", share * 100.0));
        let light = if usage.share.is_some() { usage.light } else { "" };
        let code = match usage.light {
            "green" => "32",
            "amber" => "33",
            _ => "31",
        };
        let light = self.coloured(&format!("{light:<5}"), code);
        format!("{:>14} {share:>10}  {light}", thousands(usage.raw_signals))
    }

    fn names(&mut self, report: &Report) -> fmt::Result {
        if report.names.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        // What is left of the width goes to names, and on wide pages to what decides.
        let name_width = if self.width >= 100 { 40 } else { 28 };
        let by_width = self.width - (name_width + 2 + 11 + 9 + 11 + 2);
        let head = format!(
            "  {:<name_width$}{:>11}{:>9}{:>11}  {}",
            "events", "count", "share", "kept", "by"
        );
        writeln!(self.out, "{head}")?;
        for name in report.names.iter().take(NAMES) {
            let by = fitted(&decided(name), by_width);
            let code = match name.fate {
                Fate::Kept => "32",
                Fate::Partly => "33",
                Fate::Dropped => "31",
            };
            let by = self.coloured(&by, code);
            let label = fitted(&called(name.call, &name.event), name_width);
            let share = format!("{:.1} %", name.share * 100.0);
            write!(self.out, "  {}{:>11}", padded(&label, name_width), thousands(name.count))?;
            writeln!(self.out, "{share:>9}{:>11}  {by}", thousands(name.kept))?;
        }
        self.more(report.names.len(), NAMES, "names")
    }

    fn lines(&mut self, report: &Report) -> fmt::Result {
        if report.lines.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        let width = self.width - 2 - 6 - 11;
        writeln!(self.out, "  line  {}{:>11}", padded("of the allow list", width - 2), "takes")?;
        for line in report.lines.iter().take(NAMES) {
            let text = fitted(&masked(&line.text), width - 4);
            let takes = match line.seen {
                false => "nothing".into(),
                true if line.count == 0 => "as above".into(),
                true => thousands(line.count),
            };
            writeln!(self.out, "  {:>4}  {}{takes:>11}", line.number, padded(&text, width - 2))?;
        }
        self.more(report.lines.len(), NAMES, "lines")
    }

    fn losses(&mut self, report: &Report) -> fmt::Result {
        if report.losses.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        let width = self.width.min(100) - 2 - 12 * 3 - 4;
        writeln!(
            self.out,
            "  {}{:>12}{:>12}{:>12}",
            padded("what leads lose", width),
            "signals",
            "scored",
            "gone cold"
        )?;
        for loss in report.losses.iter().take(LISTED) {
            let label = fitted(&called(loss.call, &loss.event), width);
            writeln!(
                self.out,
                "  {}{:>12}{:>12}{:>12}",
                padded(&label, width),
                thousands(loss.resolved.before - loss.resolved.after),
                thousands(loss.scored.before.saturating_sub(loss.scored.after)),
                thousands(loss.gone_cold),
            )?;
        }
        self.more(report.losses.len(), LISTED, "names")
    }

    fn leads(&mut self, report: &Report) -> fmt::Result {
        let leads = &report.leads;
        if leads.lost > 0 {
            writeln!(self.out)?;
            let head = format!("{}, addresses masked here", thousands(leads.lost));
            self.item("lost leads", &head)?;
            for lead in leads.lost_leads.iter().take(LISTED) {
                let email = fitted(&masked(&lead.email), self.width - 40);
                let email = padded(&email, self.width.min(100) - 40);
                let signals = thousands(lead.signals);
                let what = if lead.signals == 1 { "signal" } else { "signals" };
                writeln!(self.out, "  {email} score {:>9} {signals:>9} {what}", lead.score)?;
            }
            self.more(usize::try_from(leads.lost).unwrap_or(usize::MAX), LISTED, "leads")?;
        }
        if leads.lowered > 0 {
            writeln!(self.out)?;
            self.item("lower score", &counted(leads.lowered, "lead", "leads"))?;
            for lead in leads.lowered_leads.iter().take(LISTED) {
                let email = fitted(&masked(&lead.email), self.width - 40);
                let email = padded(&email, self.width.min(100) - 40);
                writeln!(self.out, "  {email} {:>9} to {:>9}", lead.before, lead.after)?;
            }
            self.more(usize::try_from(leads.lowered).unwrap_or(usize::MAX), LISTED, "leads")?;
        }
        Ok(())
    }

    fn change(&mut self, change: &Change, report: &Report) -> fmt::Result {
        writeln!(self.out)?;
        let head = if change.fits {
            "the smallest change that fits the plan: drop as well"
        } else {
            "nothing that keeps identify calls fits the plan; this comes nearest: drop as well"
        };
        self.item("change", head)?;
        for drop in &change.drop {
            self.drop(drop)?;
        }
        let periods = report.plan.periods.iter().filter(|period| period.after.over > 0);
        let over: Vec<String> = periods.map(|period| period.period.clone()).collect();
        let text = format!(
            "over without it: {}; of {} remain {}, the sum of scores falls by {}",
            over.join(", "),
            counted(report.leads.after.total, "lead", "leads"),
            thousands(change.leads.total),
            signed(change.score_lost),
        );
        self.wrapped(&text)?;
        if !change.allow.is_empty() {
            writeln!(self.out)?;
            self.item("better list", "")?;
            for line in &change.allow {
                // As it is, so that it can be copied.
                writeln!(self.out, "{}", printable(line))?;
            }
        }
        Ok(())
    }

    fn drop(&mut self, drop: &Drop) -> fmt::Result {
        let width = self.width.min(100) - 2 - 12 - 14 - 14;
        let what = match (&drop.event, &drop.entry) {
            (Some(event), _) => called(drop.call, event),
            (None, Some(entry)) => format!("line {}, {}", entry.number, masked(&entry.text)),
            (None, None) => format!("{} calls", drop.call),
        };
        writeln!(
            self.out,
            "  {} saves {:>6} leads {:>6} score {:>6}",
            padded(&fitted(&what, width), width),
            thousands(drop.saved),
            signed(-i64::try_from(drop.leads_lost).unwrap_or(i64::MAX)),
            signed(drop.score_lost.saturating_neg()),
        )
    }

    /// A heading and what follows, wrapped.
    fn item(&mut self, head: &str, text: &str) -> fmt::Result {
        let lines = wrap(text, self.width - INDENT);
        for (place, line) in lines.iter().enumerate() {
            let head = if place == 0 { head } else { "" };
            writeln!(self.out, "{}", format!("{head:<INDENT$}{line}").trim_end())?;
        }
        Ok(())
    }

    fn wrapped(&mut self, text: &str) -> fmt::Result {
        for line in wrap(text, self.width - INDENT) {
            writeln!(self.out, "{:INDENT$}{line}", "")?;
        }
        Ok(())
    }

    fn more(&mut self, all: usize, shown: usize, what: &str) -> fmt::Result {
        match all.checked_sub(shown) {
            Some(more) if more > 0 => writeln!(self.out, "  … {more} more {what}"),
            _ => Ok(()),
        }
    }

    fn coloured(&self, text: &str, code: &str) -> String {
        match self.colour {
            Colour::On => format!("\x1b[{code}m{text}\x1b[0m"),
            Colour::Off => text.to_owned(),
        }
    }
}

fn described(filter: &FilterInfo) -> String {
    let FilterInfo { file, entries, .. } = filter;
    match (filter.kind, entries) {
        ("allow_list", 1) => format!("{file} (allow list of 1 line)"),
        ("allow_list", _) => format!("{file} (allow list of {entries} lines)"),
        (_, 1) => format!("{file} (1 destination filter)"),
        _ => format!("{file} ({entries} destination filters)"),
    }
}

/// What an event name is called here.
pub(super) fn called(call: &str, event: &str) -> String {
    match (call, event) {
        ("track", "") => "(track without a name)".into(),
        ("track", name) => clean(name),
        (_, "") => format!("{call} calls"),
        (_, name) => clean(name),
    }
}

fn decided(name: &Name) -> String {
    let one = |by: &By| match (by.number, by.fate) {
        (Some(number), Fate::Dropped) => format!("filter {number}"),
        (Some(number), _) => format!("line {number}"),
        (None, Fate::Dropped) => "dropped".into(),
        (None, _) => "kept".into(),
    };
    let all: Vec<String> = match name.by.as_slice() {
        [only] => vec![one(only)],
        several => {
            several.iter().map(|by| format!("{} {}", one(by), thousands(by.count))).collect()
        }
    };
    all.join(", ")
}

fn place(example: &Example) -> String {
    format!("{}:{}", example.file, example.line)
}

fn signed(number: i64) -> String {
    let digits = thousands(number.unsigned_abs());
    if number < 0 { format!("-{digits}") } else { digits }
}
