//! The queue for people who read it in a terminal. Addresses are masked.

use std::fmt::{self, Write};

use super::example::shown_name;
use super::report::{Name, Path, Profile, Report};
use super::spark::Span;
use crate::report::layout::{fitted, padded, wrap};
use crate::report::text::{Colour, counted, percent, thousands};

/// How many names are shown, and how many rules of each.
const NAMES: usize = 60;
const RULES: usize = 4;
/// Where the text after a heading begins.
const INDENT: usize = 12;
/// The narrowest page that is laid out for, and the widest.
const NARROWEST: usize = 60;
const WIDEST: usize = 120;
/// What the columns between a name and its days take.
const FIGURES: usize = 11 + 9 + 11 + 8;

/// How the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the page.
    pub width: usize,
    /// Whether what no rule maps is coloured.
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
        let name_width = if self.width >= 100 { 38 } else { 22 };
        let spark_width = self.width.saturating_sub(2 + name_width + FIGURES + 2);
        let span = Span::new(&report.names, spark_width);
        self.head(report, span)?;
        self.names(report, name_width, span)?;
        if let Some(profile) = &report.profile {
            self.profile(profile)?;
        }
        for fault in &report.faults {
            self.item("fault", &fault.to_string())?;
        }
        for warning in &report.warnings {
            self.item("warning", warning)?;
        }
        Ok(())
    }

    fn head(&mut self, report: &Report, span: Option<Span>) -> fmt::Result {
        let events = &report.events;
        let rejects: u64 = report.rejects.values().sum();
        let read = format!(
            "{} from {}, {} rejected",
            counted(report.records, "record", "records"),
            counted(report.inputs.len() as u64, "input", "inputs"),
            thousands(rejects)
        );
        self.item("read", &read)?;
        let events_line = format!(
            "{}: {} filtered, {} counted, {} of them {}",
            thousands(events.total),
            thousands(events.filtered),
            thousands(events.counted),
            thousands(events.duplicates),
            if events.duplicates == 1 { "a duplicate" } else { "duplicates" },
        );
        self.item("events", &events_line)?;
        if let Some(window) = &report.window {
            let outside = counted(events.outside_window, "event", "events");
            self.item("window", &format!("{window}; {outside} outside of it"))?;
        }
        if let Some(span) = span {
            let step = match span.step() {
                1 => "a day".into(),
                days => format!("{days} days"),
            };
            let days = format!(
                "{} to {} ({}), a column is {step}",
                span.first, span.last, report.timezone
            );
            self.item("days", &days)?;
        }
        if let Some(plan) = &report.plan {
            let allowed = counted(plan.raw_signals_limit, "raw signal", "raw signals");
            let name = plan.name.as_deref().unwrap_or("plan");
            let periods = match plan.periods {
                1 => format!("1 {}", plan.period),
                several => format!("{} {}s", thousands(several), plan.period),
            };
            let text = format!("{name}: {allowed} a {}; shares are of {periods}", plan.period);
            self.item("plan", &text)?;
        }
        let estimates = &report.estimates;
        let largest = report.names.iter().map(|name| name.visitors);
        let largest =
            largest.chain(report.profile.iter().flat_map(|p| p.paths.iter().map(|p| p.distinct)));
        if largest.max().unwrap_or(0) > estimates.exact_up_to {
            let text = format!(
                "distinct counts past {} are estimates, standard error {:.1} %",
                estimates.exact_up_to,
                estimates.standard_error * 100.0
            );
            self.item("estimates", &text)?;
        }
        Ok(())
    }

    fn names(&mut self, report: &Report, name_width: usize, span: Option<Span>) -> fmt::Result {
        if report.names.is_empty() {
            return Ok(());
        }
        let head = format!(
            "  {}{:>11}{:>9}{:>11}{:>8}  by day",
            padded("event", name_width),
            "count",
            "share",
            "visitors",
            "known",
        );
        writeln!(self.out, "\n{head}")?;
        for name in report.names.iter().take(NAMES) {
            let label = fitted(&called(name), name_width);
            let line = span.map_or_else(String::new, |span| span.line(&name.days));
            let row = format!(
                "  {}{:>11}{:>9}{:>11}{:>8}  {line}",
                padded(&label, name_width),
                thousands(name.count),
                format!("{:.1} %", name.share * 100.0),
                thousands(name.visitors),
                whole_percent(name.known_visitors, name.visitors),
            );
            writeln!(self.out, "{}", row.trim_end())?;
            self.details(name, report.rules.is_some())?;
        }
        let shown = report.names.len().min(NAMES);
        let hidden = (report.names.len() - shown) as u64;
        if hidden > 0 {
            writeln!(self.out, "  … {} more names; --format csv has them", thousands(hidden))?;
        }
        if let Some(others) = &report.others {
            let share = others.share * 100.0;
            let (names, count) = (thousands(others.names), thousands(others.count));
            writeln!(self.out, "  and {names} rarer names with {count} events ({share:.1} %)")?;
        }
        Ok(())
    }

    /// The line below a name: when, what share of the plan, and which rules map it.
    fn details(&mut self, name: &Name, has_rules: bool) -> fmt::Result {
        let mut parts = Vec::new();
        if let (Some(first), Some(last)) = (&name.first_seen, &name.last_seen) {
            parts.push(format!("{} to {}", minute(first), minute(last)));
        }
        if let Some(share) = name.plan_share {
            parts.push(format!("{:.1} % of the plan", share * 100.0));
        }
        if is_signal(name.call) && has_rules {
            let rules = name.rules.iter().take(RULES);
            let width = self.width / 2;
            let rule = |rule: &super::report::RuleCount| {
                format!("{} {}", fitted(&shown_name(&rule.rule), width), thousands(rule.count))
            };
            parts.extend(rules.map(rule));
            if name.rules.len() > RULES {
                parts.push(format!("{} more rules", name.rules.len() - RULES));
            }
            let unmapped = name.count - name.duplicates - name.mapped;
            if unmapped > 0 {
                parts.push(format!("no rule {}", thousands(unmapped)));
            }
        }
        // Words of one part stay together.
        let parts: Vec<String> = parts.iter().map(|part| part.replace(' ', "\u{a0}")).collect();
        for line in wrap(&parts.join(" · "), self.width - 4) {
            let line = line.replace('\u{a0}', " ");
            let line = line.trim_end_matches(" ·").trim_start_matches("· ");
            let line = self.dimmed(line);
            writeln!(self.out, "    {line}")?;
        }
        Ok(())
    }

    fn profile(&mut self, profile: &Profile) -> fmt::Result {
        let types_width = if self.width >= 100 { 28 } else { 18 };
        let path_width = self.width - 2 - 9 - 2 - types_width - 10;
        let head = format!(
            "  {}{:>9}  {}{:>10}",
            padded("path", path_width),
            "filled",
            padded("types", types_width),
            "distinct"
        );
        writeln!(self.out, "\n{head}")?;
        for path in &profile.paths {
            let types = fitted(&types(path), types_width - 1);
            let distinct =
                if path.distinct == 0 { String::new() } else { thousands(path.distinct) };
            let row = format!(
                "  {}{:>9}  {}{distinct:>10}",
                padded(&fitted(&path.path, path_width), path_width),
                percent(path.filled, profile.events),
                padded(&types, types_width),
            );
            writeln!(self.out, "{}", row.trim_end())?;
            if !path.examples.is_empty() {
                let examples = fitted(&path.examples.join(" · "), self.width - 6);
                let examples = self.dimmed(&examples);
                writeln!(self.out, "      {examples}")?;
            }
        }
        if let Some(others) = &profile.others {
            let (paths, values) = (thousands(others.paths), thousands(others.values));
            writeln!(self.out, "  and about {paths} more paths with {values} values")?;
        }
        Ok(())
    }

    /// A heading and what follows, wrapped.
    fn item(&mut self, head: &str, text: &str) -> fmt::Result {
        for (place, line) in wrap(text, self.width - INDENT).iter().enumerate() {
            let head = if place == 0 { head } else { "" };
            writeln!(self.out, "{}", format!("{head:<INDENT$}{line}").trim_end())?;
        }
        Ok(())
    }

    fn dimmed(&self, text: &str) -> String {
        match self.colour {
            Colour::On => format!("\x1b[2m{text}\x1b[0m"),
            Colour::Off => text.to_owned(),
        }
    }
}

/// What an event name is called here.
fn called(name: &Name) -> String {
    match (name.call, name.event.as_str()) {
        ("track", "") => "(track without a name)".into(),
        ("track", event) => shown_name(event),
        (call, "") => format!("{call} calls"),
        (call, event) => format!("{event} ({call})"),
    }
}

fn is_signal(call: &str) -> bool {
    matches!(call, "track" | "page" | "screen")
}

/// `2025-07-01 08:15` of a time.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn whole_percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".into(),
        whole => format!("{} %", (part * 100 + whole / 2) / whole),
    }
}

fn types(path: &Path) -> String {
    let mut types: Vec<_> = path.types.iter().collect();
    types.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let names: Vec<&str> = types.into_iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
