//! The queue for a terminal, with addresses masked.

use super::example::shown_name;
use super::report::{Name, Path, Profile, Report, RuleCount};
use super::spark::Span;
use crate::report::colour::Tone;
use crate::report::figure::{counted, percent, thousands};
use crate::report::layout::{Column, Layout, Page, Table, fitted, flow};

/// The maximum number of names, and of rules for each, that are shown.
const NAMES: usize = 60;
const RULES: usize = 4;
/// The columns of a page beside the line of days.
const BESIDE_DAYS: usize = 64;
/// The minimum and maximum width of the line of days, in columns.
const DAYS: [usize; 2] = [10, 40];
/// The indentation of lines below a row, in columns.
const BELOW: usize = 4;

/// Returns the text of `report`.
pub fn text(report: &Report, layout: Layout) -> String {
    let mut page = Page::new(layout);
    let [least, most] = DAYS;
    let columns = page.width().saturating_sub(BESIDE_DAYS).clamp(least, most);
    let span = Span::new(&report.names, columns);
    head(report, span, &mut page);
    names(report, span, &mut page);
    if let Some(found) = &report.profile {
        profile(found, &mut page);
    }
    for fault in &report.faults {
        page.item("fault", &fault.to_string());
    }
    for warning in &report.warnings {
        page.item("warning", warning);
    }
    page.into_text()
}

/// Writes what was read, and what the columns of the tables mean.
fn head(report: &Report, span: Option<Span>, page: &mut Page) {
    let events = &report.events;
    let rejects: u64 = report.rejects.values().sum();
    let read = format!(
        "{} from {}, {} rejected",
        counted(report.records, "record", "records"),
        counted(report.inputs.len() as u64, "input", "inputs"),
        thousands(rejects)
    );
    page.item("read", &read);
    let events_line = format!(
        "{}: {} filtered, {} counted, {} of them {}",
        thousands(events.total),
        thousands(events.filtered),
        thousands(events.counted),
        thousands(events.duplicates),
        if events.duplicates == 1 { "a duplicate" } else { "duplicates" },
    );
    page.item("events", &events_line);
    if let Some(window) = &report.window {
        let outside = counted(events.outside_window, "event", "events");
        page.item("window", &format!("{window}; {outside} outside of it"));
    }
    if let Some(span) = span {
        let step = match span.step() {
            1 => "a day".into(),
            days => format!("{days} days"),
        };
        let (first, last, zone) = (span.first, span.last, &report.timezone);
        page.item("days", &format!("{first} to {last} ({zone}), a column is {step}"));
    }
    if let Some(plan) = &report.plan {
        let allowed = counted(plan.raw_signals_limit, "raw signal", "raw signals");
        let name = plan.name.as_deref().unwrap_or("plan");
        let periods = match plan.periods {
            1 => format!("1 {}", plan.period),
            several => format!("{} {}s", thousands(several), plan.period),
        };
        let text = format!("{name}: {allowed} a {}; shares are of {periods}", plan.period);
        page.item("plan", &text);
    }
    estimates(report, page);
}

/// Writes the accuracy of distinct counts, if any is not exact.
fn estimates(report: &Report, page: &mut Page) {
    let estimates = &report.estimates;
    let visitors = report.names.iter().map(|name| name.visitors);
    let values = report.profile.iter().flat_map(|profile| &profile.paths).map(|path| path.distinct);
    if visitors.chain(values).max().unwrap_or(0) > estimates.exact_up_to {
        let text = format!(
            "distinct counts past {} are estimates, standard error {:.1} %",
            estimates.exact_up_to,
            estimates.standard_error * 100.0
        );
        page.item("estimates", &text);
    }
}

fn names(report: &Report, span: Option<Span>, page: &mut Page) {
    if report.names.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::name("event"),
        Column::figure("count"),
        Column::figure("share"),
        Column::figure("visitors"),
        Column::figure("known"),
        Column::word("by day"),
    ]);
    for name in report.names.iter().take(NAMES) {
        table.row([
            called(name).into(),
            thousands(name.count).into(),
            format!("{:.1} %", name.share * 100.0).into(),
            thousands(name.visitors).into(),
            whole_percent(name.known_visitors, name.visitors).into(),
            span.map_or_else(String::new, |span| span.line(&name.days)).into(),
        ]);
        let parts = details(name, report.rules.is_some(), page.width() / 2);
        let lines = flow(&parts, " · ", page.width() - BELOW);
        table.below(lines.iter().map(|line| below(line, page)));
    }
    page.blank();
    page.table(&table);
    page.more(report.names.len(), NAMES, "names; --format csv has them");
    if let Some(others) = &report.others {
        let share = others.share * 100.0;
        let (names, count) = (thousands(others.names), thousands(others.count));
        page.line(&format!("  and {names} rarer names with {count} events ({share:.1} %)"));
    }
}

/// Formats a line below a row.
fn below(line: &str, page: &Page) -> String {
    format!("{:BELOW$}{}", "", page.painted(line, Tone::Faint))
}

/// Returns the times of the events of `name`, their share of the plan, and the rules that map them,
/// each in at most `width` columns.
fn details(name: &Name, has_rules: bool, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    if let (Some(first), Some(last)) = (&name.first_seen, &name.last_seen) {
        parts.push(format!("{} to {}", minute(first), minute(last)));
    }
    if let Some(share) = name.plan_share {
        parts.push(format!("{:.1} % of the plan", share * 100.0));
    }
    if is_signal(name.call) && has_rules {
        let rule = |rule: &RuleCount| {
            format!("{} {}", fitted(&shown_name(&rule.rule), width), thousands(rule.count))
        };
        parts.extend(name.rules.iter().take(RULES).map(rule));
        if name.rules.len() > RULES {
            parts.push(format!("{} more rules", name.rules.len() - RULES));
        }
        let unmapped = name.count - name.duplicates - name.mapped;
        if unmapped > 0 {
            parts.push(format!("no rule {}", thousands(unmapped)));
        }
    }
    parts
}

fn profile(profile: &Profile, page: &mut Page) {
    let mut table = Table::new([
        Column::name("path"),
        Column::figure("filled"),
        Column::name("types"),
        Column::figure("distinct"),
    ]);
    for path in &profile.paths {
        let distinct = if path.distinct == 0 { String::new() } else { thousands(path.distinct) };
        table.row([
            path.path.as_str().into(),
            percent(path.filled, profile.events).into(),
            types(path).into(),
            distinct.into(),
        ]);
        if !path.examples.is_empty() {
            let examples = fitted(&path.examples.join(" · "), page.width() - BELOW);
            table.below([below(&examples, page)]);
        }
    }
    page.blank();
    page.table(&table);
    if let Some(others) = &profile.others {
        let (paths, values) = (thousands(others.paths), thousands(others.values));
        page.line(&format!("  and about {paths} more paths with {values} values"));
    }
}

/// Returns the display name of an event.
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

/// Formats the minute of a time, such as `2025-07-01 08:15`.
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
