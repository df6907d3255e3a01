//! Findings about raw signals and leads beyond the limits of the plan, or close to them.

use super::{Finding, Severity, raw_signals};
use crate::report::figure::{counted, percent, thousands};
use crate::report::{Period, Report};

const SMALLEST_CHANGE: &str = "drop what no rule maps: `backtrail audit` works out the smallest change to the allow list that \
     fits the plan; or take a larger plan";

/// Reports periods in which the service answers 429.
pub fn exceeded(report: &Report) -> Option<Finding> {
    let plan = &report.plan;
    let limit = plan.raw_signals_limit?;
    let over: Vec<&Period> = plan.periods.iter().filter(|period| period.over > 0).collect();
    let first = over.first()?;
    let reached = first.reached_at.as_deref().map_or_else(String::new, |time| {
        format!(
            " at {} {} UTC",
            time.get(..10).unwrap_or_default(),
            time.get(11..16).unwrap_or_default()
        )
    });
    let others = match over.len() {
        1 => String::new(),
        more => format!(", and {} after it", counted(more as u64 - 1, "period", "periods")),
    };
    let lost = format!(
        "{} lost, with {} and {}",
        thousands(plan.lost),
        counted(plan.lost_identifies, "identify call", "identify calls"),
        counted(plan.lost_leads, "lead", "leads"),
    );
    Some(Finding {
        finding: "plan-exceeded",
        severity: Severity::Error,
        count: plan.over,
        of: raw_signals(report),
        message: format!(
            "{} reaches the limit of {}{reached}{others}: from then on the service answers 429. \
             {} refused, of which a retry saves {}; {lost}",
            first.period,
            counted(limit, "raw signal", "raw signals"),
            counted(plan.over, "raw signal is", "raw signals are"),
            thousands(plan.retried),
        ),
        help: SMALLEST_CHANGE.into(),
        rule: None,
    })
}

/// Reports periods close to the limit, if none exceeds it.
pub fn nearly_exceeded(report: &Report) -> Option<Finding> {
    let plan = &report.plan;
    let limit = plan.raw_signals_limit.filter(|_| plan.over == 0)?;
    let near = plan.periods.iter().filter(|period| period.light != "green");
    let most = near.max_by_key(|period| period.raw_signals)?;
    let trend = plan.trend.as_ref().and_then(|trend| trend.limit_reached_in.as_ref());
    let trend = trend.map_or_else(String::new, |period| {
        format!("; at the present trend the limit is reached in {period}")
    });
    Some(Finding {
        finding: "plan-nearly-exceeded",
        severity: Severity::Warning,
        count: most.raw_signals,
        of: limit,
        message: format!(
            "{} uses {} of the {} of the plan{trend}",
            most.period,
            percent(most.raw_signals, limit),
            counted(limit, "raw signal", "raw signals"),
        ),
        help: SMALLEST_CHANGE.into(),
        rule: None,
    })
}

/// Reports periods with more active leads than the plan allows.
pub fn active_leads(report: &Report) -> Option<Finding> {
    let limit = report.plan.active_leads_limit?;
    let over = report.plan.periods.iter().filter(|period| period.active_leads > limit);
    let most = over.max_by_key(|period| period.active_leads)?;
    Some(Finding {
        finding: "active-leads-exceeded",
        severity: Severity::Warning,
        count: most.active_leads,
        of: limit,
        message: format!(
            "{} has {}; the plan has places for {}",
            most.period,
            counted(most.active_leads, "active lead", "active leads"),
            thousands(limit),
        ),
        help: "drop events that make a lead active without saying anything about intent, such as \
               every page; or take a larger plan"
            .into(),
        rule: None,
    })
}
