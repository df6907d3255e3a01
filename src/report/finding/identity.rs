//! Findings about visitors who do not resolve to a lead.

use super::{Finding, Severity};
use crate::report::figure::{counted, percent, thousands};
use crate::report::{Report, hint};

/// The percentage of cold signals, or of identify calls without an e-mail, from which the finding
/// is a warning.
const MANY: u64 = 50;
const IDENTIFY: &str = "call `identify` with `traits.email` where people sign up, log in or fill in a form, in the same \
     browser, so that the `anonymousId` of their earlier visits is tied to it";

/// Reports signals without any lead.
pub fn no_leads(report: &Report) -> Option<Finding> {
    let signals = report.identity.signals.total;
    (signals > 0 && report.leads.total == 0).then(|| Finding {
        finding: "no-leads",
        severity: Severity::Error,
        count: 0,
        of: signals,
        message: format!(
            "{} and no lead: no event brings an e-mail address",
            counted(signals, "signal", "signals")
        ),
        help: format!("{IDENTIFY}; check that the filter lets identify calls pass"),
        rule: None,
    })
}

/// Reports signals that do not resolve to a lead.
pub fn cold(report: &Report) -> Option<Finding> {
    let signals = &report.identity.signals;
    let stays = if signals.cold == 1 { "stays" } else { "stay" };
    (signals.cold > 0 && report.leads.total > 0).then(|| Finding {
        finding: "cold-signals",
        severity: Severity::from_percent(signals.cold, signals.total, MANY),
        count: signals.cold,
        of: signals.total,
        message: format!(
            "{} of {} ({}) {stays} cold: nothing ties the visitor to an e-mail address",
            thousands(signals.cold),
            counted(signals.total, "signal", "signals"),
            percent(signals.cold, signals.total),
        ),
        help: IDENTIFY.into(),
        rule: None,
    })
}

/// Reports identify calls without an e-mail.
pub fn without_email(report: &Report) -> Option<Finding> {
    let count = report.identity.identify_without_email;
    let of = report.events.by_type.get("identify").copied().unwrap_or(count);
    let bring = if count == 1 { "brings" } else { "bring" };
    (count > 0).then(|| Finding {
        finding: "identify-without-email",
        severity: Severity::from_percent(count, of, MANY),
        count,
        of,
        message: format!(
            "{} of {} {bring} no e-mail address",
            thousands(count),
            counted(of, "identify call", "identify calls"),
        ),
        help: "send the address as `traits.email`; where it has another name, list that under \
               `[identity] email` in the rules file"
            .into(),
        rule: None,
    })
}

/// Reports invalid e-mail addresses.
pub fn invalid_emails(report: &Report) -> Option<Finding> {
    let count = report.identity.invalid_email;
    (count > 0).then(|| Finding {
        finding: "invalid-email",
        severity: Severity::Note,
        count,
        of: report.events.total,
        message: format!(
            "{} where an e-mail address is expected {} none",
            counted(count, "value", "values"),
            if count == 1 { "is" } else { "are" },
        ),
        help: "check the form's field before it is sent, and that the mapped field is the right \
               one"
        .into(),
        rule: None,
    })
}

/// Reports ids that many people share.
pub fn shared_ids(report: &Report) -> Option<Finding> {
    let count = report.identity.shared_ids.len() as u64;
    let of = report.identity.anonymous_ids.seen + report.identity.user_ids.seen;
    let belong = if count == 1 { "belongs" } else { "belong" };
    (count > 0).then(|| Finding {
        finding: "shared-ids",
        severity: Severity::Note,
        count,
        of,
        message: format!(
            "{} {belong} to more people than one device has: earlier visits under such an id go \
             to nobody",
            counted(count, "id", "ids"),
        ),
        help: "call `reset()` when people log out of a shared device; put ids of tests and kiosks \
               on the list `[identity] block`"
            .into(),
        rule: None,
    })
}

/// Reports user ids that are e-mail addresses but do not identify anyone.
pub fn user_id_is_email(report: &Report) -> Option<Finding> {
    let count = report.identity.identify_user_id_is_email;
    let of = report.events.by_type.get("identify").copied().unwrap_or(count);
    Some(Finding {
        finding: "user-id-is-email",
        severity: Severity::Warning,
        count,
        of,
        message: hint::user_id_is_email(count, of)?,
        help: "set `user_id_is_email = true` under `[identity]` in the rules file, or send the \
               address as `traits.email` too"
            .into(),
        rule: None,
    })
}

/// Reports e-mail addresses in signals that no rule maps.
pub fn unused_emails(report: &Report) -> Option<Finding> {
    let unused = &report.identity.unused_emails;
    Some(Finding {
        finding: "unused-email",
        severity: Severity::Warning,
        count: unused.events.values().sum(),
        of: report.identity.signals.total,
        message: unused.warning()?,
        help: "add this rule to the rules file, or map `email` in the rules that take these events"
            .into(),
        rule: unused.rule.clone(),
    })
}
