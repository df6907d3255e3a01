//! The summary of a report for people. It contains no e-mail address.

use super::colour::Tone;
use super::filters::{FilterCount, Filters};
use super::layout::{Cell, Column, Layout, Page, Table};
use super::{Period, Report};
use crate::parse::Repairs;

pub use super::colour::Colour;
pub use super::figure::{bytes, counted, percent, thousands};

/// The maximum number of entries of a list that are shown.
const SHOWN: usize = 6;
/// The minimum and maximum width of the plan's meter, in columns.
const METER: [usize; 2] = [12, 48];
/// The columns of a page beside the plan's meter.
const BESIDE_METER: usize = 56;

/// Returns the summary of `report`.
pub fn summary(report: &Report, layout: Layout) -> String {
    let mut page = Page::new(layout);
    inputs(report, &mut page);
    events(report, &mut page);
    signals(report, &mut page);
    rules(report, &mut page);
    plan(report, &mut page);
    for fault in &report.faults {
        page.item("fault", &fault.to_string());
    }
    for warning in &report.warnings {
        page.item("warning", warning);
    }
    for line in report.identity.unused_emails.rule.iter().flat_map(|rule| rule.lines()) {
        // The rule is not wrapped, so that it can be copied.
        page.line(&format!("            {line}"));
    }
    page.into_text()
}

/// Writes what was read.
fn inputs(report: &Report, page: &mut Page) {
    let read = format!(
        "{} from {} in {:.2} s ({})",
        counted(report.records, "record", "records"),
        counted(report.inputs.len() as u64, "input", "inputs"),
        report.elapsed_seconds,
        bytes(report.bytes_read),
    );
    page.item("read", &read);
    shapes(report, page);
    if report.foreign_requests > 0 {
        let count = counted(report.foreign_requests, "captured request", "captured requests");
        page.item("foreign", &format!("{count} that no Segment library sent"));
    }
    if report.rejects.total > 0 {
        let reasons = report.rejects.by_reason.iter().filter(|(_, count)| **count > 0);
        let mut reasons: Vec<String> =
            reasons.map(|(reason, count)| format!("{reason} {}", thousands(*count))).collect();
        if let Some(first) = reasons.first_mut() {
            *first = format!("{}: {first}", thousands(report.rejects.total));
        }
        page.list("rejected", &reasons);
    }
}

/// Writes the records by shape, unless all are plain events.
fn shapes(report: &Report, page: &mut Page) {
    let shapes = report.records_by_shape.iter();
    let mut shapes: Vec<_> = shapes.filter(|(_, count)| **count > 0).collect();
    if shapes.iter().all(|(name, _)| matches!(**name, "event" | "unknown")) {
        return;
    }
    shapes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shape = |(name, count): (&&str, &u64)| format!("{name} {}", thousands(*count));
    page.list("came as", &shapes.into_iter().map(shape).collect::<Vec<_>>());
}

/// Writes what became of the events.
fn events(report: &Report, page: &mut Page) {
    let events = &report.events;
    let fates = [
        format!("{}: {} kept", thousands(events.total), thousands(events.kept)),
        counted(events.duplicates, "duplicate", "duplicates"),
        format!("{} filtered", thousands(events.filtered)),
    ];
    page.list("events", &fates);
    if let Some(window) = &report.window {
        let outside = counted(events.outside_window, "event", "events");
        page.item("window", &format!("{window}; {outside} outside of it"));
    }
    mended(events.repairs, page);
    for (place, line) in events.timestamp_lines().iter().enumerate() {
        page.item(if place == 0 { "times" } else { "" }, line);
    }
    if let Some(filters) = &report.filters {
        write_filters(filters, page);
    }
}

/// Writes the repairs, if any.
fn mended(repairs: Repairs, page: &mut Page) {
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
    let parts: Vec<String> = counts.map(part).collect();
    if !parts.is_empty() {
        page.list("mended", &parts);
    }
}

fn write_filters(filters: &Filters, page: &mut Page) {
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
    page.list("filters", &parts);
    let mut top: Vec<_> = filters.by_filter.iter().filter(|filter| filter.total() > 0).collect();
    top.sort_by_key(|filter| std::cmp::Reverse(filter.total()));
    let count = |filter: &&FilterCount| {
        let title = match filter.title.as_str() {
            "" => format!("filter {}", filter.number),
            title => without_address(title),
        };
        (title, filter.total())
    };
    counts_of(top.iter().map(count), page);
    if filters.estimate {
        page.line("  a sample without a path is an estimate: Segment draws lots");
    }
}

/// Writes the signals by resolution, and their leads.
fn signals(report: &Report, page: &mut Page) {
    let signals = &report.identity.signals;
    page.item("signals", &thousands(signals.total));
    let mut table = Table::new([Column::word(""), Column::figure(""), Column::figure("")]);
    for (name, count) in [
        ("direct", signals.direct),
        ("known", signals.known),
        ("rehydrated", signals.rehydrated),
        ("cold", signals.cold),
    ] {
        let share = percent(count, signals.total);
        table.row([name.into(), thousands(count).into(), share.into()]);
    }
    page.table(&table);
    let leads = &report.leads;
    let parts = [
        format!("{}: {} with signals", thousands(leads.total), thousands(leads.with_signals)),
        format!("{} without", thousands(leads.without_signals)),
    ];
    page.list("leads", &parts);
}

fn rules(report: &Report, page: &mut Page) {
    let rules = &report.rules;
    if rules.by_rule.is_empty() {
        return;
    }
    let total = rules.mapped + rules.unmapped;
    let mapped = format!(
        "{} of {} mapped ({})",
        thousands(rules.mapped),
        counted(total, "signal", "signals"),
        percent(rules.mapped, total),
    );
    page.item("rules", &mapped);
    let mut top: Vec<_> = rules.by_rule.iter().filter(|rule| rule.matches > 0).collect();
    top.sort_by_key(|rule| std::cmp::Reverse(rule.matches));
    counts_of(top.iter().map(|rule| (without_address(&rule.id), rule.matches)), page);
    if !rules.unmapped_by_event.is_empty() {
        page.line("unmapped");
        let names = rules.unmapped_by_event.iter().map(|name| {
            let event = if name.event.is_empty() { name.call } else { &name.event };
            (without_address(event), name.count)
        });
        counts_of(names, page);
    }
}

/// Writes the first entries of `counts` as a table, and how many more there are.
fn counts_of(counts: impl ExactSizeIterator<Item = (String, u64)>, page: &mut Page) {
    let all = counts.len();
    let mut table = Table::new([Column::name(""), Column::figure("")]);
    for (name, count) in counts.take(SHOWN) {
        table.row([name.into(), thousands(count).into()]);
    }
    page.table(&table);
    page.more(all, SHOWN, "");
}

fn plan(report: &Report, page: &mut Page) {
    let plan = &report.plan;
    let Some(limit) = plan.raw_signals_limit else { return };
    let name = plan.name.as_ref().map_or_else(String::new, |name| format!("{name}: "));
    let allowed = counted(limit, "raw signal", "raw signals");
    page.item("plan", &format!("{name}{allowed} a {}", plan.period));
    let earlier = plan.periods.len().saturating_sub(SHOWN);
    if earlier > 0 {
        page.line(&format!("  … {earlier} earlier"));
    }
    meters(&plan.periods[earlier..], limit, page);
    let tracked = plan.periods.iter().filter_map(|p| Some((p.monthly_tracked_users?, &p.period)));
    if let Some((users, period)) = tracked.max_by_key(|&(users, _)| users) {
        let users = counted(users, "user", "users");
        page.line(&format!("  tracked   {users} at most, in {period}"));
    }
    if plan.lost > 0 {
        let lost = format!(
            "  lost      {}, among them {}; {}",
            counted(plan.lost, "event", "events"),
            counted(plan.lost_identifies, "identify call", "identify calls"),
            counted(plan.lost_leads, "lead", "leads"),
        );
        page.line(&lost);
    }
    if let Some(month) = plan.trend.as_ref().and_then(|trend| trend.limit_reached_in.as_ref()) {
        page.line(&format!("  at this trend the limit is reached in {month}"));
    }
}

/// Writes for each of `periods` how full it is, as a bar and in figures.
fn meters(periods: &[Period], limit: u64, page: &mut Page) {
    let [least, most] = METER;
    let width = (page.width() - BESIDE_METER).clamp(least, most);
    let mut table = Table::new([
        Column::word(""),
        Column::word(""),
        Column::figure(""),
        Column::figure(""),
        Column::word(""),
    ]);
    for period in periods {
        let filled = u128::from(period.raw_signals) * width as u128 / u128::from(limit.max(1));
        let filled = usize::try_from(filled).unwrap_or(width).min(width);
        let bar = format!("{}{}", "█".repeat(filled), "·".repeat(width - filled));
        table.row([
            period.period.as_str().into(),
            Cell::from(bar).toned(Tone::of_light(period.light)),
            thousands(period.raw_signals).into(),
            percent(period.raw_signals, limit).into(),
            period.light.into(),
        ]);
    }
    page.table(&table);
}

/// Returns a name from the data, or a placeholder if it may contain an address.
fn without_address(text: &str) -> String {
    if text.contains('@') { "(a name with an @)".into() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_report_divides_by_nothing() {
        let text = summary(&Report::default(), Layout::plain());
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
        let text = summary(&report, Layout::plain());
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
        assert!(text.contains("  cold        5  100.0 %"), "{text}");
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
        let text = summary(&report, Layout::plain());
        assert!(
            text.contains("  2025-04  ████████████············     50    50.0 %  green"),
            "{text}"
        );
        assert!(text.contains("1,234  1234.0 %  red"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
        assert!(summary(&report, Layout::new(80, Colour::On)).contains("\x1b[31m"));
    }
}
