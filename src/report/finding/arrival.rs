//! Findings about events that do not arrive.

use super::{Finding, Severity, events};
use crate::diagnostic::clean;
use crate::report::Report;
use crate::report::figure::{counted, percent, thousands};

/// The percentage of rejects from which the finding is a warning.
const MANY_REJECTS: u64 = 1;

/// Reports inputs that could not be read to their end.
pub fn unreadable_inputs(report: &Report) -> Option<Finding> {
    let first = report.faults.first()?;
    let count = report.faults.len() as u64;
    let inputs = counted(count, "fault ends", "faults end");
    Some(Finding {
        finding: "unreadable-input",
        severity: Severity::Error,
        count,
        of: report.inputs.len() as u64,
        message: format!("{inputs} an input early: {}", clean(&first.to_string())),
        help: "copy or export the file again; what stands before the fault counts".into(),
        rule: None,
    })
}

/// Reports inputs without any event.
pub fn no_events(report: &Report) -> Option<Finding> {
    (report.events.total == 0).then(|| Finding {
        finding: "no-events",
        severity: Severity::Error,
        count: 0,
        of: report.records,
        message: "no record of the inputs is an event of Segment".into(),
        help: "check that the destination is enabled and its mappings are on, and that the \
               webhook's address and secret are those of the receiver; then export again"
            .into(),
        rule: None,
    })
}

/// Reports a filter that removes every event.
pub fn all_filtered(report: &Report) -> Option<Finding> {
    let filtered = report.events.filtered;
    (filtered > 0 && filtered == report.events.total).then(|| Finding {
        finding: "all-filtered",
        severity: Severity::Error,
        count: filtered,
        of: report.events.total,
        message: format!("the filter drops all {}", events(filtered)),
        help: "let identify calls and the events of your rules pass; `backtrail audit` shows \
               which line decides about which event"
            .into(),
        rule: None,
    })
}

/// Reports records that are not events.
pub fn rejected(report: &Report) -> Option<Finding> {
    let total = report.rejects.total;
    let mut reasons: Vec<_> =
        report.rejects.by_reason.iter().filter(|(_, count)| **count > 0).collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let (first, _) = reasons.first()?;
    let named: Vec<String> = reasons
        .iter()
        .take(3)
        .map(|(reason, count)| format!("`{reason}` {}", thousands(**count)))
        .collect();
    let others: u64 = reasons.iter().skip(3).map(|(_, count)| **count).sum();
    let others =
        if others == 0 { String::new() } else { format!(", others {}", thousands(others)) };
    let yields = if total == 1 { "yields" } else { "yield" };
    Some(Finding {
        finding: "rejected-records",
        severity: Severity::from_percent(total, report.records, MANY_REJECTS),
        count: total,
        of: report.records,
        message: format!(
            "{} of {} ({}) {yields} no event: {}{others}",
            thousands(total),
            counted(report.records, "record", "records"),
            percent(total, report.records),
            named.join(", "),
        ),
        help: format!("`rejects.ndjson` has each with its place and reason; {}", remedy(first)),
        rule: None,
    })
}

/// Returns the advice for rejects with `reason`.
fn remedy(reason: &str) -> &'static str {
    match reason {
        "invalid_json" | "not_utf8" => {
            "a record that is cut or not text was damaged on its way: export it again"
        }
        "missing_message_id" => "send a `messageId`, or let `--assign-ids` make one of the content",
        "missing_identity" => "send an `anonymousId` or a `userId` with every call",
        "too_large" | "too_deep" => {
            "Segment takes 32 KB a call; raise `--max-record-bytes` for batches that are larger"
        }
        "bad_capture_body" => "the capture's body is no JSON: check how it was recorded",
        "unauthorized" | "bad_signature" => {
            "the secret given here is not the sender's: compare it with the destination's settings"
        }
        _ => {
            "check that the file holds Segment's track, identify, page, screen, group or alias calls"
        }
    }
}

/// Reports events that the service does not detect because they lack an `anonymousId`.
pub fn no_anonymous_id(report: &Report) -> Option<Finding> {
    let count = report.events.no_anonymous_id;
    let has = if count == 1 { "has" } else { "have" };
    (count > 0).then(|| Finding {
        finding: "no-anonymous-id",
        severity: Severity::Warning,
        count,
        of: report.events.total,
        message: format!(
            "{} of {} {has} no `anonymousId`: they count here, but TrailSpark does not detect them",
            thousands(count),
            events(report.events.total),
        ),
        help: "let servers send the visitor's `anonymousId` along with the `userId`; \
               `--strict-detect` shows the result without these events"
            .into(),
        rule: None,
    })
}
