//! The verdict: what the filter saves and loses, and what causes most of the loss.

use crate::jobs::audit::report::{Finding, Period, Report, Usage};
use crate::report::figure::{called, counted, percent, thousands};
use crate::report::finding::counts_by_severity;
use crate::report::page::{code, label};

/// Returns the sentences of the verdict as markup, the most important first.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let mut sentences = vec![balance(report)];
    if score_lost(report).is_some() {
        sentences.extend(worst_name(report));
    }
    sentences.extend(plan(report));
    sentences.extend(findings(report));
    sentences
}

/// Describes what the filter saves and loses.
fn balance(report: &Report) -> String {
    let (before, after) = (report.events.before, report.events.after);
    let saved = before.saturating_sub(after);
    let effect = match (saved, after.saturating_sub(before)) {
        (0, 0) => "Saves nothing of the plan".to_owned(),
        (0, more) => format!("Costs {} of raw signals more", percent(more, before)),
        (saved, _) => format!("Saves {} of the raw signals", percent(saved, before)),
    };
    let leads = &report.leads;
    let score = score_lost(report);
    let loses = match (score, leads.lost) {
        (None, 0) => "and loses neither leads nor score".to_owned(),
        (Some(score), 0) => format!("and loses {score} of the score, but no lead"),
        (None, lost) => format!("and loses {}", of_leads(lost, leads.before.total)),
        (Some(score), lost) => {
            format!("and loses {score} of the score and {}", of_leads(lost, leads.before.total))
        }
    };
    format!("{effect}, {loses}.")
}

fn of_leads(lost: u64, total: u64) -> String {
    format!("{} of {}", thousands(lost), counted(total, "lead", "leads"))
}

/// Returns the percentage of the score that is lost, if any is.
pub(super) fn score_lost(report: &Report) -> Option<String> {
    let before = u64::try_from(report.leads.before.total_score).ok()?;
    let lost = report.leads.before.total_score.saturating_sub(report.leads.after.total_score);
    let lost = u64::try_from(lost).ok().filter(|lost| *lost > 0 && before > 0)?;
    Some(percent(lost, before))
}

/// Describes the event name that loses the most score, and the line that was probably meant for it.
fn worst_name(report: &Report) -> Option<String> {
    let worst = report.losses.iter().max_by_key(|loss| loss.score_lost)?;
    let all = report.losses.iter().filter(|loss| loss.score_lost > 0);
    let all = all.map(|loss| i128::from(loss.score_lost)).sum::<i128>();
    let lost = i128::from(worst.score_lost);
    if lost <= 0 {
        return None;
    }
    let part = match lost {
        lost if lost == all => "all of it",
        lost if lost * 2 >= all => "most of it",
        _ => "the largest part of it",
    };
    let what = format!(
        "{} is {part}: {} that rules score.",
        label(&called(worst.call, &worst.event)),
        counted(worst.scored.before.saturating_sub(worst.scored.after), "signal", "signals"),
    );
    let means = |finding: &&Finding| {
        finding.finding == "allowed-never-seen"
            && finding.event.as_deref() == Some(&worst.event)
            && finding.call == Some(worst.call)
    };
    let slip = report.findings.iter().find(means).and_then(|finding| finding.entry.as_ref());
    Some(match slip {
        Some(entry) => {
            format!("{what} Line {} likely means it: {}.", entry.number, code(&entry.text))
        }
        None => what,
    })
}

/// Describes whether the plan suffices.
fn plan(report: &Report) -> Option<String> {
    let limit = report.plan.raw_signals_limit?;
    let over = |of: fn(&Period) -> &Usage| {
        report.plan.periods.iter().filter(|period| of(period).over > 0).count() as u64
    };
    let (before, after) = (over(|period| &period.before), over(|period| &period.after));
    let all = counted(report.plan.periods.len() as u64, report.plan.period, plural(report));
    let limit = counted(limit, "raw signal", "raw signals");
    Some(match (before, after) {
        (0, 0) => {
            format!("Every {} fits the plan of {limit}, with it and without.", report.plan.period)
        }
        (before, 0) => format!(
            "With it, every {} fits the plan of {limit}; without it, {} of {all} {} not.",
            report.plan.period,
            thousands(before),
            if before == 1 { "does" } else { "do" },
        ),
        (before, after) => format!(
            "With it, {} of {all} {} over the plan of {limit}; without it, {}.",
            thousands(after),
            if after == 1 { "is" } else { "are" },
            thousands(before)
        ),
    })
}

fn plural(report: &Report) -> &'static str {
    if report.plan.period == "day" { "days" } else { "months" }
}

/// Counts the findings.
fn findings(report: &Report) -> Option<String> {
    let counts = counts_by_severity(report.findings.iter().map(|finding| finding.severity))?;
    Some(format!("<a href=\"#findings-h\">Findings</a>: {counts}."))
}
