//! The title, the verdict and the key figures of the page.

use std::fmt::{self, Write};

use crate::report::figure::{bytes, counted, percent, signed, thousands};
use crate::report::finding::counts_by_severity;
use crate::report::page::{Figure, Text, Tone, code, minute, verdict, write_figures};
use crate::report::{Period, Report};

/// Returns the title, such as `28 leads from 287 events`.
pub fn title(report: &Report) -> String {
    format!(
        "{} from {}",
        counted(report.leads.total, "lead", "leads"),
        counted(report.events.total, "event", "events"),
    )
}

/// Returns the subtitle: the time covered, the inputs and the rules.
pub fn subtitle(report: &Report) -> String {
    let mut parts = Vec::new();
    if let [first, .., last] = report.history.spans.as_slice() {
        parts.push(format!("{} to {}", Text(&first.span), Text(&last.span)));
    }
    if let Some(window) = &report.window {
        parts.push(Text(&window.to_string()).to_string());
    }
    let inputs = counted(report.inputs.len() as u64, "input", "inputs");
    parts.push(format!("{inputs} ({})", bytes(report.bytes_read)));
    if let Some(file) = &report.rules.file {
        parts.push(format!("rules of {}", code(file)));
    }
    if let Some(name) = &report.plan.name {
        parts.push(format!("plan {}", Text(name)));
    }
    parts.join(" · ")
}

/// Writes the verdict and the key figures.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    let mut sentences = vec![resolved(report)];
    sentences.extend(plan(report));
    sentences.extend(todo(report));
    verdict(&sentences, out)?;
    write_figures(&figures(report), out)
}

/// Describes how many signals belong to leads, and how many of these were rehydrated.
fn resolved(report: &Report) -> String {
    let signals = &report.identity.signals;
    let of_leads = signals.total - signals.cold;
    let belong = if of_leads == 1 { "belongs" } else { "belong" };
    let mut text = format!(
        "{} of {} ({}) {belong} to a person with an e-mail address.",
        thousands(of_leads),
        counted(signals.total, "signal", "signals"),
        percent(of_leads, signals.total),
    );
    if signals.rehydrated > 0 {
        let came = if signals.rehydrated == 1 { "it" } else { "they" };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            " {} of them {} rehydrated: {came} came before the visitor was known.",
            thousands(signals.rehydrated),
            if signals.rehydrated == 1 { "was" } else { "were" },
        );
    }
    text
}

/// Describes whether the plan suffices.
fn plan(report: &Report) -> Option<String> {
    let plan = &report.plan;
    let limit = counted(plan.raw_signals_limit?, "raw signal", "raw signals");
    let fullest = fullest(report)?;
    if plan.over == 0 {
        return Some(format!(
            "Every {} is within the plan of {limit}; the fullest, {}, uses {}.",
            plan.period,
            Text(&fullest.period),
            percent(fullest.raw_signals, plan.raw_signals_limit?),
        ));
    }
    let first = plan.periods.iter().find(|period| period.over > 0)?;
    let reached = first.reached_at.as_deref().map_or_else(String::new, |time| {
        format!(" on <time datetime=\"{}\">{}</time>", Text(time), Text(&minute(time)))
    });
    Some(format!(
        "The plan of {limit} a {} does not suffice: {} reaches the limit{reached}, and {} {} lost.",
        plan.period,
        Text(&first.period),
        counted(plan.lost, "event", "events"),
        if plan.lost == 1 { "is" } else { "are" },
    ))
}

/// Counts the findings.
fn todo(report: &Report) -> Option<String> {
    let counts = counts_by_severity(report.findings.iter().map(|finding| finding.severity))?;
    Some(format!("<a href=\"#findings-h\">What to do</a>: {counts}."))
}

fn figures(report: &Report) -> Vec<Figure> {
    let (leads, signals) = (&report.leads, &report.identity.signals);
    let figure = |id, name, value, note, tone| Figure { id, name, value, note, tone };
    let of_leads = signals.total - signals.cold;
    let with_signals = format!("{} with signals", thousands(leads.with_signals));
    let resolved =
        format!("{} of {}", thousands(of_leads), counted(signals.total, "signal", "signals"));
    let rehydrated = format!("{} of the signals", percent(signals.rehydrated, signals.total));
    let score = format!("the highest of a lead is {}", signed(leads.highest_score));
    let mut figures = vec![
        figure("leads", "Leads", thousands(leads.total), with_signals, Tone::Plain),
        figure("resolved", "Resolved", percent(of_leads, signals.total), resolved, Tone::Plain),
        figure("rehydrated", "Rehydrated", thousands(signals.rehydrated), rehydrated, Tone::Plain),
        figure("score", "Sum of scores", signed(leads.total_score), score, Tone::Plain),
    ];
    figures.extend(plan_figure(report));
    figures
}

fn plan_figure(report: &Report) -> Option<Figure> {
    let limit = report.plan.raw_signals_limit?;
    let fullest = fullest(report)?;
    let tone = match fullest.light {
        "green" => Tone::Good,
        "amber" => Tone::Doubtful,
        _ => Tone::Bad,
    };
    Some(Figure {
        id: "fullest",
        name: "Of the plan",
        value: percent(fullest.raw_signals, limit),
        note: format!(
            "{} in {}: {}",
            counted(fullest.raw_signals, "raw signal", "raw signals"),
            fullest.period,
            fullest.light,
        ),
        tone,
    })
}

/// Returns the period with the most raw signals.
fn fullest(report: &Report) -> Option<&Period> {
    report.plan.periods.iter().max_by_key(|period| period.raw_signals)
}
