//! Findings about times that cannot be used unchanged.

use super::{Finding, Severity, events};
use crate::diagnostic::clean;
use crate::report::figure::counted;
use crate::report::timestamp::place;
use crate::report::{Report, TimestampExample};

/// The percentage of wrong times from which the finding is a warning.
const MANY: u64 = 1;

/// Reports clocks that are ahead.
pub fn wrong_clocks(report: &Report) -> Option<Finding> {
    let (count, of) = (report.events.clock_skew, report.events.total);
    let are = if count == 1 { "is" } else { "are" };
    (count > 0).then(|| Finding {
        finding: "wrong-clocks",
        severity: Severity::from_percent(count, of, MANY),
        count,
        of,
        message: format!(
            "{} {are} dated more than a day after their receipt; the time of receipt is used",
            events(count)
        ),
        help: "the clocks of these devices are ahead, which Segment's libraries correct when they \
               send `sentAt`; of captures from before Segment, `--correct-clocks` does it"
            .into(),
        rule: None,
    })
}

/// Reports times that no event can have.
pub fn implausible(report: &Report) -> Option<Finding> {
    let (count, of) = (report.events.implausible_timestamps, report.events.total);
    Some(Finding {
        finding: "implausible-times",
        severity: Severity::from_percent(count, of, MANY),
        count,
        of,
        message: clean(&report.events.implausible_warning()?),
        help: "look at how the sender writes times: epoch seconds read as milliseconds, and \
               calendars other than the Gregorian one, are the usual causes"
            .into(),
        rule: None,
    })
}

/// Reports unreadable times and events without a time.
pub fn unusable(report: &Report) -> Option<Finding> {
    let (unreadable, missing) = (report.events.unreadable_timestamp, report.events.no_timestamp);
    let examples = &report.events.timestamp_examples;
    let mut parts = Vec::new();
    let mut add = |count, text: String, examples: &[TimestampExample]| {
        if count > 0 {
            let first = examples.first().map(place).map(|place| clean(&place));
            let first = first.map_or_else(String::new, |place| format!(", the first at {place}"));
            parts.push(format!("{text}{first}"));
        }
    };
    let text =
        counted(unreadable, "value cannot be read as a time", "values cannot be read as times");
    add(unreadable, text, &examples.unreadable_timestamp);
    let has = if missing == 1 { "has" } else { "have" };
    add(missing, format!("{} {has} no usable time", events(missing)), &[]);
    (!parts.is_empty()).then(|| Finding {
        finding: "unusable-times",
        severity: Severity::from_percent(unreadable + missing, report.events.total, MANY),
        count: unreadable + missing,
        of: report.events.total,
        message: parts.join("; "),
        help: "send times as ISO 8601, such as `2025-07-01T00:00:34.985Z`; an event without one \
               counts as the earliest of its visitor"
            .into(),
        rule: None,
    })
}
