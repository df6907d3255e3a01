//! The report of an audit for a terminal. Of e-mail addresses only the domain is shown; the JSON
//! and the page contain them in full.

use super::report::{
    By, Change, Drop, Example, Fate, FilterInfo, Finding, Name, Report, Severity, Usage,
};
use crate::diagnostic::{masked, printable};
use crate::report::colour::Tone;
use crate::report::figure::{bytes, called, counted, percent, signed, thousands};
use crate::report::layout::{Cell, Column, Layout, Page, Table};

/// The maximum number of findings of one kind, names, losses and leads that are shown.
const FINDINGS: usize = 5;
const NAMES: usize = 40;
const LISTED: usize = 10;
/// The maximum number of periods shown, the latest ones.
const PERIODS: usize = 13;

/// Returns the text of `report`.
pub fn text(report: &Report, layout: Layout) -> String {
    let mut page = Page::new(layout);
    head(report, &mut page);
    comparison(report, &mut page);
    findings(report, &mut page);
    plan(report, &mut page);
    names(report, &mut page);
    lines(report, &mut page);
    losses(report, &mut page);
    leads(report, &mut page);
    if let Some(found) = &report.change {
        change(found, report, &mut page);
    }
    for fault in &report.faults {
        page.item("fault", &fault.to_string());
    }
    for warning in &report.warnings {
        page.item("warning", warning);
    }
    page.into_text()
}

/// Writes what is audited, and what was read.
fn head(report: &Report, page: &mut Page) {
    let events = &report.events;
    let rejects: u64 = report.rejects.values().sum();
    for (head, filters) in [("audit", &report.filter), ("against", &report.against)] {
        for (place, filter) in filters.iter().enumerate() {
            page.item(if place == 0 { head } else { "  and" }, &described(filter));
        }
    }
    if report.filter.iter().any(|filter| filter.estimate) {
        page.continued(
            "counts are estimates: Segment draws lots for samples without a path, and a hash of \
             the messageId decides here",
        );
    }
    let read = format!(
        "{} from {} in {:.2} s ({}), {} rejected",
        counted(report.records, "record", "records"),
        counted(report.inputs.len() as u64, "input", "inputs"),
        report.elapsed_seconds,
        bytes(report.bytes_read),
        thousands(rejects),
    );
    page.item("read", &read);
    let dropped = events.total - events.after;
    let seen = format!(
        "{}: {} kept, {} dropped ({})",
        thousands(events.total),
        thousands(events.after),
        thousands(dropped),
        percent(dropped, events.total),
    );
    page.item("events", &seen);
    if let Some(window) = &report.window {
        let outside = counted(events.outside_window, "event", "events");
        page.item("window", &format!("{window}; {outside} outside of it"));
    }
}

/// Writes the sums before and after the filter.
fn comparison(report: &Report, page: &mut Page) {
    let (before, after) = (&report.leads.before, &report.leads.after);
    let (old, new) = (&report.signals.before, &report.signals.after);
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut table = Table::new([
        Column::word(""),
        Column::figure("before"),
        Column::figure("after"),
        Column::figure("lost"),
    ]);
    for (what, before, after) in [
        ("raw signals", count(report.events.before), count(report.events.after)),
        ("leads", count(before.total), count(after.total)),
        ("  with signals", count(before.with_signals), count(after.with_signals)),
        ("  sum of scores", before.total_score, after.total_score),
        ("resolved signals", count(old.resolved), count(new.resolved)),
        ("mapped signals", count(old.mapped), count(new.mapped)),
    ] {
        let lost = before.saturating_sub(after);
        table.row([what.into(), signed(before).into(), signed(after).into(), signed(lost).into()]);
    }
    page.blank();
    page.table(&table);
}

fn findings(report: &Report, page: &mut Page) {
    let count = |severity| {
        report.findings.iter().filter(|finding| finding.severity == severity).count() as u64
    };
    let counts = [
        counted(count(Severity::Error), "error", "errors"),
        counted(count(Severity::Warning), "warning", "warnings"),
        counted(count(Severity::Note), "note", "notes"),
    ];
    page.blank();
    page.list("findings", &counts);
    let alike = |a: &Finding, b: &Finding| (a.finding, a.severity) == (b.finding, b.severity);
    for kind in report.findings.chunk_by(alike) {
        kind.iter().take(FINDINGS).for_each(|found| finding(found, page));
        page.more(kind.len(), FINDINGS, kind[0].finding);
    }
}

fn finding(finding: &Finding, page: &mut Page) {
    let tone = match finding.severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Doubtful,
        Severity::Note => Tone::Note,
    };
    let severity = page.painted(&format!("{:<9}", finding.severity.name()), tone);
    page.line(&format!("  {severity} {}", finding.finding));
    page.continued(&finding.message);
    if let Some(help) = &finding.help {
        page.continued(&format!("help: {help}"));
    }
    for line in finding.rule.iter().flat_map(|rule| rule.lines()) {
        // The rule is not wrapped, so that it can be copied.
        page.line(&format!("      {line}"));
    }
    if !finding.examples.is_empty() {
        let places: Vec<String> = finding.examples.iter().map(place).collect();
        page.continued(&format!("at {}", places.join(", ")));
    }
}

fn plan(report: &Report, page: &mut Page) {
    let plan = &report.plan;
    if plan.periods.is_empty() {
        return;
    }
    page.blank();
    let name = plan.name.as_deref().unwrap_or("plan");
    let allowed = plan.raw_signals_limit.map_or_else(
        || "unlimited raw signals".into(),
        |limit| counted(limit, "raw signal", "raw signals"),
    );
    page.item("plan", &format!("{name}: {allowed} a {} ({})", plan.period, plan.timezone));
    let share = if plan.raw_signals_limit.is_some() { "share" } else { "" };
    let mut table = Table::new([
        Column::word(""),
        Column::figure("before"),
        Column::figure(share),
        Column::word(""),
        Column::figure("after"),
        Column::figure(share),
        Column::word(""),
    ]);
    let earlier = plan.periods.len().saturating_sub(PERIODS);
    for period in &plan.periods[earlier..] {
        let [before, after] = [usage(&period.before), usage(&period.after)];
        table.row([Cell::from(period.period.as_str())].into_iter().chain(before).chain(after));
    }
    page.table(&table);
    if earlier > 0 {
        page.line(&format!("  … {earlier} earlier"));
    }
}

/// Returns the raw signals, their share of the limit and the light.
fn usage(usage: &Usage) -> [Cell; 3] {
    let share = usage.share.map_or(String::new(), |share| format!("{:.1} %", share * 100.0));
    let light = if usage.share.is_some() { usage.light } else { "" };
    let light = Cell::from(light).toned(Tone::of_light(usage.light));
    [thousands(usage.raw_signals).into(), share.into(), light]
}

fn names(report: &Report, page: &mut Page) {
    if report.names.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::name("events"),
        Column::figure("count"),
        Column::figure("share"),
        Column::figure("kept"),
        Column::name("by"),
    ]);
    for name in report.names.iter().take(NAMES) {
        let tone = match name.fate {
            Fate::Kept => Tone::Good,
            Fate::Partly => Tone::Doubtful,
            Fate::Dropped => Tone::Bad,
        };
        table.row([
            called(name.call, &name.event).into(),
            thousands(name.count).into(),
            format!("{:.1} %", name.share * 100.0).into(),
            thousands(name.kept).into(),
            Cell::from(decided(name)).toned(tone),
        ]);
    }
    page.blank();
    page.table(&table);
    page.more(report.names.len(), NAMES, "names");
}

fn lines(report: &Report, page: &mut Page) {
    if report.lines.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::figure("line"),
        Column::name("of the allow list"),
        Column::figure("takes"),
    ]);
    for line in report.lines.iter().take(NAMES) {
        let takes = match line.seen {
            false => "nothing".into(),
            true if line.count == 0 => "as above".into(),
            true => thousands(line.count),
        };
        table.row([line.number.to_string().into(), masked(&line.text).into(), takes.into()]);
    }
    page.blank();
    page.table(&table);
    page.more(report.lines.len(), NAMES, "lines");
}

fn losses(report: &Report, page: &mut Page) {
    if report.losses.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::name("what leads lose"),
        Column::figure("signals"),
        Column::figure("scored"),
        Column::figure("gone cold"),
    ]);
    for loss in report.losses.iter().take(LISTED) {
        table.row([
            called(loss.call, &loss.event).into(),
            thousands(loss.resolved.before - loss.resolved.after).into(),
            thousands(loss.scored.before.saturating_sub(loss.scored.after)).into(),
            thousands(loss.gone_cold).into(),
        ]);
    }
    page.blank();
    page.table(&table);
    page.more(report.losses.len(), LISTED, "names");
}

fn leads(report: &Report, page: &mut Page) {
    let leads = &report.leads;
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    if leads.lost > 0 {
        let mut table =
            Table::new([Column::name("lead"), Column::figure("score"), Column::figure("signals")]);
        for lead in leads.lost_leads.iter().take(LISTED) {
            let (score, signals) = (signed(lead.score), thousands(lead.signals));
            table.row([masked(&lead.email).into(), score.into(), signals.into()]);
        }
        page.blank();
        page.item("lost leads", &format!("{}, addresses masked here", thousands(leads.lost)));
        page.table(&table);
        page.more(count(leads.lost), LISTED, "leads");
    }
    if leads.lowered > 0 {
        let mut table =
            Table::new([Column::name("lead"), Column::figure("before"), Column::figure("after")]);
        for lead in leads.lowered_leads.iter().take(LISTED) {
            let (before, after) = (signed(lead.before), signed(lead.after));
            table.row([masked(&lead.email).into(), before.into(), after.into()]);
        }
        page.blank();
        page.item("lower score", &counted(leads.lowered, "lead", "leads"));
        page.table(&table);
        page.more(count(leads.lowered), LISTED, "leads");
    }
}

fn change(change: &Change, report: &Report, page: &mut Page) {
    page.blank();
    page.item(
        "change",
        if change.fits {
            "the smallest change that fits the plan: drop as well"
        } else {
            "nothing that keeps identify calls fits the plan; this comes nearest: drop as well"
        },
    );
    let mut table = Table::new([
        Column::name(""),
        Column::figure("saves"),
        Column::figure("leads"),
        Column::figure("score"),
    ]);
    for drop in &change.drop {
        table.row([
            dropped(drop).into(),
            thousands(drop.saved).into(),
            signed(-i64::try_from(drop.leads_lost).unwrap_or(i64::MAX)).into(),
            signed(drop.score_lost.saturating_neg()).into(),
        ]);
    }
    page.table(&table);
    let periods = report.plan.periods.iter().filter(|period| period.after.over > 0);
    let over: Vec<String> = periods.map(|period| period.period.clone()).collect();
    let text = format!(
        "over without it: {}; of {} remain {}, the sum of scores falls by {}",
        over.join(", "),
        counted(report.leads.after.total, "lead", "leads"),
        thousands(change.leads.total),
        signed(change.score_lost),
    );
    page.continued(&text);
    if !change.allow.is_empty() {
        page.blank();
        page.item("better list", "");
        for line in &change.allow {
            // The line is not wrapped, so that it can be copied.
            page.line(&printable(line));
        }
    }
}

/// Describes what a change would drop.
fn dropped(drop: &Drop) -> String {
    match (&drop.event, &drop.entry) {
        (Some(event), _) => called(drop.call, event),
        (None, Some(entry)) => format!("line {}, {}", entry.number, masked(&entry.text)),
        (None, None) => format!("{} calls", drop.call),
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
