//! The report in a few lines for people. No e-mail address stands in it.

use std::fmt::Write;

use super::filters::Filters;
use super::{Period, Report};
use crate::diagnostic::printable;
use crate::parse::Repairs;

/// How wide a plan's meter is.
const METER: usize = 24;
/// How many of a long list are shown.
const SHOWN: usize = 6;

/// Whether lights are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI escapes.
    On,
    /// Plain text.
    Off,
}

/// The summary of `report`, under 80 columns.
pub fn summary(report: &Report, colour: Colour) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(report, colour, &mut out);
    out
}

fn write_summary(report: &Report, colour: Colour, out: &mut String) -> std::fmt::Result {
    let Report { events, rejects, identity, leads, .. } = report;
    let files = report.inputs.len();
    writeln!(
        out,
        "read        {} from {} in {:.2} s ({})",
        counted(report.records, "record", "records"),
        counted(files as u64, "input", "inputs"),
        report.elapsed_seconds,
        bytes(report.bytes_read),
    )?;
    shapes(report, out)?;
    if report.foreign_requests > 0 {
        let count = counted(report.foreign_requests, "captured request", "captured requests");
        writeln!(out, "foreign     {count} that no Segment library sent")?;
    }
    if rejects.total > 0 {
        let reasons = rejects.by_reason.iter().filter(|(_, count)| **count > 0);
        let reasons: Vec<String> =
            reasons.map(|(reason, count)| format!("{reason} {}", thousands(*count))).collect();
        wrapped(out, "rejected", &format!("{}:", thousands(rejects.total)), &reasons)?;
    }
    writeln!(
        out,
        "events      {}: {} kept, {}, {} filtered",
        thousands(events.total),
        thousands(events.kept),
        counted(events.duplicates, "duplicate", "duplicates"),
        thousands(events.filtered),
    )?;
    if let Some(window) = &report.window {
        writeln!(out, "window      {window}")?;
        let outside = counted(events.outside_window, "event", "events");
        writeln!(out, "            {outside} outside of it")?;
    }
    mended(events.repairs, out)?;
    for (place, line) in events.timestamp_lines().iter().enumerate() {
        let head = if place == 0 { "times" } else { "" };
        writeln!(out, "{head:<12}{}", printable(line))?;
    }
    if let Some(filters) = &report.filters {
        write_filters(filters, out)?;
    }
    let signals = &identity.signals;
    writeln!(out, "signals     {}", thousands(signals.total))?;
    for (name, count) in [
        ("direct", signals.direct),
        ("known", signals.known),
        ("rehydrated", signals.rehydrated),
        ("cold", signals.cold),
    ] {
        let share = percent(count, signals.total);
        writeln!(out, "  {name:<12}{:>14}  {share:>7}", thousands(count))?;
    }
    writeln!(
        out,
        "leads       {}: {} with signals, {} without",
        thousands(leads.total),
        thousands(leads.with_signals),
        thousands(leads.without_signals),
    )?;
    rules(report, out)?;
    plan(report, colour, out)?;
    for fault in &report.faults {
        writeln!(out, "fault       {fault}")?;
    }
    for warning in &report.warnings {
        writeln!(out, "warning     {}", printable(warning))?;
    }
    for line in identity.unused_emails.rule.iter().flat_map(|rule| rule.lines()) {
        writeln!(out, "            {line}")?;
    }
    Ok(())
}

/// What the records came in, where that is more than events.
fn shapes(report: &Report, out: &mut String) -> std::fmt::Result {
    let shapes = report.records_by_shape.iter();
    let mut shapes: Vec<_> = shapes.filter(|(_, count)| **count > 0).collect();
    if shapes.iter().all(|(name, _)| matches!(**name, "event" | "unknown")) {
        return Ok(());
    }
    shapes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shape = |(name, count): (&&str, &u64)| format!("{name} {}", thousands(*count));
    let mut shapes: Vec<String> = shapes.into_iter().map(shape).collect();
    let rest = shapes.split_off(1);
    let comma = if rest.is_empty() { "" } else { "," };
    wrapped(out, "came as", &format!("{}{comma}", shapes[0]), &rest)
}

/// What was mended, where anything was.
fn mended(repairs: Repairs, out: &mut String) -> std::fmt::Result {
    let counts = [
        (repairs.lone_surrogates, ["lone surrogate", "lone surrogates"], "read as U+FFFD"),
        (repairs.non_finite_numbers, ["number", "numbers"], "such as NaN read as null"),
        (repairs.hex_escapes, ["escape", "escapes"], "such as \\x22 decoded"),
        (repairs.salvaged_batches, ["broken batch", "broken batches"], "salvaged"),
        (repairs.call_types, ["call type", "call types"], "read from other letters or the path"),
        (repairs.snake_case_names, ["event", "events"], "with names such as message_id"),
        (repairs.assigned_message_ids, ["message id", "message ids"], "made of the content"),
    ];
    let counts = counts.iter().filter(|(count, ..)| *count > 0);
    let part = |(count, [one, more], rest): &(u64, [&str; 2], &str)| {
        format!("{} {rest}", counted(*count, one, more))
    };
    let mut parts: Vec<String> = counts.map(part).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let rest = parts.split_off(1);
    let comma = if rest.is_empty() { "" } else { "," };
    wrapped(out, "mended", &format!("{}{comma}", parts[0]), &rest)
}

fn write_filters(filters: &Filters, out: &mut String) -> std::fmt::Result {
    let counts = [
        (filters.dropped, "dropped"),
        (filters.sampled_out, "not in the sample"),
        (filters.invalid, "not sent by invalid filters"),
        (filters.unrecognised, "no event any more"),
        (filters.changed, "changed"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> =
        counts.map(|(count, what)| format!("{} {what}", thousands(*count))).collect();
    if parts.is_empty() {
        parts.push("nothing dropped or changed".into());
    }
    let rest = parts.split_off(1);
    let comma = if rest.is_empty() { "" } else { "," };
    wrapped(out, "filters", &format!("{}{comma}", parts[0]), &rest)?;
    let mut top: Vec<_> = filters.by_filter.iter().filter(|filter| filter.total() > 0).collect();
    top.sort_by_key(|filter| std::cmp::Reverse(filter.total()));
    for filter in top.iter().take(SHOWN) {
        let title = match filter.title.as_str() {
            "" => format!("filter {}", filter.number),
            title => shortened(title, 38),
        };
        writeln!(out, "  {title:<40}{:>14}", thousands(filter.total()))?;
    }
    if top.len() > SHOWN {
        writeln!(out, "  … {} more", top.len() - SHOWN)?;
    }
    if filters.estimate {
        writeln!(out, "  a sample without a path is an estimate: Segment draws lots")?;
    }
    Ok(())
}

fn rules(report: &Report, out: &mut String) -> std::fmt::Result {
    let rules = &report.rules;
    if !rules.by_rule.is_empty() {
        let total = rules.mapped + rules.unmapped;
        writeln!(
            out,
            "rules       {} of {} mapped ({})",
            thousands(rules.mapped),
            counted(total, "signal", "signals"),
            percent(rules.mapped, total),
        )?;
        let mut top: Vec<_> = rules.by_rule.iter().filter(|rule| rule.matches > 0).collect();
        top.sort_by_key(|rule| std::cmp::Reverse(rule.matches));
        for rule in top.iter().take(SHOWN) {
            writeln!(out, "  {:<40}{:>14}", shortened(&rule.id, 38), thousands(rule.matches))?;
        }
        if top.len() > SHOWN {
            writeln!(out, "  … {} more", top.len() - SHOWN)?;
        }
    }
    if !rules.by_rule.is_empty() && !rules.unmapped_by_event.is_empty() {
        writeln!(out, "unmapped")?;
        for name in rules.unmapped_by_event.iter().take(SHOWN) {
            let event = if name.event.is_empty() { name.call } else { &name.event };
            writeln!(out, "  {:<40}{:>14}", shortened(event, 38), thousands(name.count))?;
        }
    }
    Ok(())
}

fn plan(report: &Report, colour: Colour, out: &mut String) -> std::fmt::Result {
    let plan = &report.plan;
    let Some(limit) = plan.raw_signals_limit else { return Ok(()) };
    let name = printable(plan.name.as_deref().unwrap_or("plan"));
    let allowed = counted(limit, "raw signal", "raw signals");
    writeln!(out, "{name:<11} {allowed} a {}", plan.period)?;
    let earlier = plan.periods.len().saturating_sub(SHOWN);
    if earlier > 0 {
        writeln!(out, "  … {earlier} earlier")?;
    }
    for period in &plan.periods[earlier..] {
        meter(period, limit, colour, out)?;
    }
    let tracked = plan.periods.iter().filter_map(|p| Some((p.monthly_tracked_users?, &p.period)));
    if let Some((users, period)) = tracked.max_by_key(|&(users, _)| users) {
        let users = counted(users, "user", "users");
        writeln!(out, "  tracked     {users} at most, in {period}")?;
    }
    if plan.lost > 0 {
        writeln!(
            out,
            "  lost        {}, among them {}; {}",
            counted(plan.lost, "event", "events"),
            counted(plan.lost_identifies, "identify call", "identify calls"),
            counted(plan.lost_leads, "lead", "leads"),
        )?;
    }
    if let Some(month) = plan.trend.as_ref().and_then(|trend| trend.limit_reached_in.as_ref()) {
        writeln!(out, "  at this trend the limit is reached in {month}")?;
    }
    Ok(())
}

fn meter(period: &Period, limit: u64, colour: Colour, out: &mut String) -> std::fmt::Result {
    let width = METER as u64;
    let filled = (u128::from(period.raw_signals) * u128::from(width) / u128::from(limit.max(1)))
        .min(u128::from(width)) as usize;
    let bar = format!("{}{}", "█".repeat(filled), "·".repeat(METER - filled));
    let code = match period.light {
        "green" => "32",
        "amber" => "33",
        _ => "31",
    };
    let bar = if colour == Colour::On { format!("\x1b[{code}m{bar}\x1b[0m") } else { bar };
    write!(out, "  {:<10}  {bar} {:>12}", period.period, thousands(period.raw_signals))?;
    write!(out, " {:>8}  {}", percent(period.raw_signals, limit), period.light)?;
    writeln!(out)
}

/// A list under a heading, broken before column 80.
fn wrapped(out: &mut String, head: &str, first: &str, items: &[String]) -> std::fmt::Result {
    let mut line = format!("{head:<12}{first}");
    for (place, item) in items.iter().enumerate() {
        let comma = if place + 1 < items.len() { "," } else { "" };
        if line.chars().count() + item.len() + 2 > 79 {
            writeln!(out, "{line}")?;
            line = " ".repeat(11);
        }
        write!(line, " {item}{comma}")?;
    }
    writeln!(out, "{line}")
}

/// A name of the data, fit to be shown: short, without control characters or addresses.
fn shortened(text: &str, width: usize) -> String {
    if text.contains('@') {
        return "(a name with an @)".into();
    }
    let text = printable(text);
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// `1,234,567`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 event`, `1,234 events`.
pub fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { more })
}

/// `12.3 %`.
#[allow(clippy::cast_precision_loss)] // shown to a tenth of a percent
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    format!("{:.1} %", part as f64 / whole as f64 * 100.0)
}

/// `1.2 MB`.
#[allow(clippy::cast_precision_loss)] // shown to a tenth
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_report_divides_by_nothing() {
        let text = summary(&Report::default(), Colour::Off);
        assert!(!text.contains("NaN") && text.contains("signals     0"), "{text}");
    }

    #[test]
    fn one_of_a_thing_is_in_the_singular_and_shares_stand_below_each_other() {
        let mut report = Report { records: 1, foreign_requests: 1, ..Report::default() };
        report.events.duplicates = 1;
        report.events.repairs.salvaged_batches = 1;
        report.events.repairs.hex_escapes = 2;
        report.identity.signals.total = 5;
        report.identity.signals.cold = 5;
        let text = summary(&report, Colour::Off);
        for said in [
            "read        1 record from 0 inputs",
            "foreign     1 captured request that",
            "kept, 1 duplicate, 0 filtered",
            "mended      2 escapes such as \\x22 decoded, 1 broken batch salvaged",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let ends = |name: &str| {
            text.lines().find(|line| line.trim_start().starts_with(name)).map(str::len)
        };
        assert!(text.contains(" 5  100.0 %"), "{text}");
        assert_eq!(ends("direct  "), ends("cold  "), "{text}");
    }

    #[test]
    fn the_plan_is_a_meter_with_a_light() {
        let mut report = Report::default();
        report.plan.raw_signals_limit = Some(100);
        report.plan.period = "month";
        let period = |raw_signals, light| Period {
            period: "2025-04".into(),
            raw_signals,
            light,
            ..Period::default()
        };
        report.plan.periods = vec![period(50, "green"), period(1_234, "red")];
        let text = summary(&report, Colour::Off);
        assert!(
            text.contains("  2025-04     ████████████············           50   50.0 %  green"),
            "{text}"
        );
        assert!(text.contains("1,234 1234.0 %  red"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
        assert!(summary(&report, Colour::On).contains("\x1b[31m"));
    }
}
