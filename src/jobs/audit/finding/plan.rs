//! Findings about raw signals or active leads beyond the limits of the plan.

use super::{Kind, counted};
use crate::jobs::audit::Side;
use crate::jobs::audit::report::{Change, Finding, Period, Report, Severity};
use crate::jobs::audit::summary::Evidence;
use crate::report::text::thousands;

/// Reports periods that exceed the plan after the filter.
pub fn exceeded(
    evidence: &Evidence<'_>,
    report: &Report,
    change: Option<&Change>,
) -> Vec<(Kind, Finding)> {
    let plan = &report.plan;
    let mut found = Vec::new();
    for period in &plan.periods {
        if let Some(limit) = plan.raw_signals_limit.filter(|_| period.after.over > 0) {
            found.push(raw_signals(evidence, period, limit, change));
        }
        let active = period.after.active_leads;
        if let Some(limit) = plan.active_leads_limit.filter(|&limit| active > limit) {
            found.push(active_leads(evidence, period, limit));
        }
    }
    found
}

fn raw_signals(
    evidence: &Evidence<'_>,
    period: &Period,
    limit: u64,
    change: Option<&Change>,
) -> (Kind, Finding) {
    let kind = Kind::PlanExceeded;
    let usage = &period.after;
    let reached = usage.reached_at.as_ref();
    let message = format!(
        "{}: {} pass, the plan allows {}: {} over, {} of them lost{}",
        period.period,
        counted(usage.raw_signals, "raw signal", "raw signals"),
        thousands(limit),
        thousands(usage.over),
        thousands(usage.lost),
        reached.map_or_else(String::new, |at| format!("; full from {at} on")),
    );
    let help = match change {
        Some(change) if change.fits => "see the smallest change that would fit the plan",
        _ => "no change that keeps identify calls would fit; a larger plan would",
    };
    let over =
        evidence.uses.zip(position(evidence, period)).and_then(|(uses, at)| uses.over.get(at));
    let finding = Finding {
        help: Some(help.into()),
        count: usage.over,
        of: usage.raw_signals,
        examples: over.map_or_else(Vec::new, |over| evidence.examples(over)),
        ..kind.finding(Severity::Warning, message)
    };
    (kind, finding)
}

fn active_leads(evidence: &Evidence<'_>, period: &Period, limit: u64) -> (Kind, Finding) {
    let kind = Kind::PlanExceeded;
    let active = period.after.active_leads;
    let message = format!(
        "{}: {}, the plan allows {}",
        period.period,
        counted(active, "active lead", "active leads"),
        thousands(limit),
    );
    let seen = position(evidence, period)
        .and_then(|at| evidence.outcomes[Side::After as usize].signal_sums.active_in(at));
    let finding = Finding {
        count: active - limit,
        of: active,
        examples: seen.map_or_else(Vec::new, |seen| evidence.examples(seen)),
        ..kind.finding(Severity::Warning, message)
    };
    (kind, finding)
}

/// Returns the position of `period` in the ledger after the filter.
fn position(evidence: &Evidence<'_>, period: &Period) -> Option<usize> {
    let ledger = &evidence.outcomes[Side::After as usize].ledger;
    ledger.periods.iter().position(|used| used.period.label() == period.period)
}
