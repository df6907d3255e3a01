//! What is wrong with the data or the plan of a run, and what to do about it.
//!
//! Findings are derived from the report alone, so that any reader of its numbers can derive them
//! too.

mod arrival;
mod identity;
mod plan;
mod time;
mod volume;

use schemars::JsonSchema;
use serde::Serialize;

use super::Report;
use super::figure::counted;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Data is lost, or the result cannot be what anyone wants.
    Error,
    /// It probably costs or loses more than it should.
    Warning,
    /// Worth knowing.
    #[default]
    Note,
}

impl Severity {
    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// Returns a warning if `part` is at least `percent` per cent of `whole`, else a note.
    fn from_percent(part: u64, whole: u64, percent: u64) -> Self {
        let is_much = u128::from(part) * 100 >= u128::from(whole) * u128::from(percent);
        if is_much { Self::Warning } else { Self::Note }
    }
}

/// Counts `severities` by level, the worst first, such as `1 error, 2 notes`. Returns `None` if
/// there are none.
pub fn counts_by_severity(severities: impl Iterator<Item = Severity>) -> Option<String> {
    let (mut errors, mut warnings, mut notes) = (0, 0, 0);
    for severity in severities {
        match severity {
            Severity::Error => errors += 1,
            Severity::Warning => warnings += 1,
            Severity::Note => notes += 1,
        }
    }
    let counts =
        [(errors, "error", "errors"), (warnings, "warning", "warnings"), (notes, "note", "notes")];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let parts: Vec<String> = counts.map(|(count, one, more)| counted(count, one, more)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A finding: what is wrong, how often, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Finding {
    /// The kind of the finding; names do not change between versions.
    pub finding: &'static str,
    /// The severity.
    pub severity: Severity,
    /// The number of records, events, signals or other things that it is about.
    pub count: u64,
    /// The number of such things in total.
    pub of: u64,
    /// The description, with its numbers.
    pub message: String,
    /// The advice.
    pub help: String,
    /// A rule that follows the advice, in TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// Returns all findings of `report`, the worst first.
pub fn all(report: &Report) -> Vec<Finding> {
    let kinds: [fn(&Report) -> Option<Finding>; 21] = [
        arrival::unreadable_inputs,
        arrival::no_events,
        arrival::all_filtered,
        plan::exceeded,
        plan::active_leads,
        plan::nearly_exceeded,
        identity::no_leads,
        arrival::rejected,
        arrival::no_anonymous_id,
        identity::user_id_is_email,
        identity::unused_emails,
        identity::cold,
        identity::without_email,
        identity::invalid_emails,
        identity::shared_ids,
        volume::duplicates,
        volume::pages,
        volume::unmapped,
        time::wrong_clocks,
        time::implausible,
        time::unusable,
    ];
    let mut found: Vec<Finding> = kinds.iter().filter_map(|kind| kind(report)).collect();
    found.sort_by_key(|finding| finding.severity);
    found
}

fn events(count: u64) -> String {
    counted(count, "event", "events")
}

/// Returns the number of raw signals: events in the window that pass the filter.
fn raw_signals(report: &Report) -> u64 {
    let events = &report.events;
    events.total - events.filtered - events.outside_window
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{NameCount, Period, TimestampExample};

    fn kinds(report: &Report) -> Vec<(&'static str, Severity)> {
        all(report).iter().map(|finding| (finding.finding, finding.severity)).collect()
    }

    /// Returns a report without findings.
    fn good() -> Report {
        let mut report = Report { records: 1_000, ..Report::default() };
        report.events.total = 1_000;
        report.events.kept = 1_000;
        report.identity.signals.total = 900;
        report.identity.signals.known = 900;
        report.leads.total = 10;
        report
    }

    #[test]
    fn nothing_is_found_where_all_is_well() {
        assert_eq!(kinds(&good()), []);
    }

    #[test]
    fn the_worst_is_first() {
        let mut report = good();
        report.events.duplicates = 10;
        report.identity.signals.cold = 600;
        report.plan.over = 7;
        report.plan.lost = 5;
        report.plan.periods.push(Period {
            period: "2025-06".into(),
            over: 7,
            light: "red",
            reached_at: Some("2025-06-26T14:00:00.000Z".into()),
            ..Period::default()
        });
        report.plan.raw_signals_limit = Some(993);
        assert_eq!(
            kinds(&report),
            [
                ("plan-exceeded", Severity::Error),
                ("cold-signals", Severity::Warning),
                ("duplicates", Severity::Note),
            ]
        );
        let found = all(&report);
        assert!(found[0].message.contains("2025-06-26 14:00 UTC"), "{}", found[0].message);
        assert_eq!((found[0].count, found[0].of), (7, 1_000));
    }

    #[test]
    fn unmapped_pages_and_names_are_reported_from_a_threshold_on() {
        let mut report = good();
        let name = |call, event: &str, count| NameCount { call, event: event.into(), count };
        report.rules.by_rule.push(crate::report::RuleCount::default());
        report.rules.unmapped_by_event =
            vec![name("page", "Page Viewed", 300), name("track", "Route Planned", 250)];
        let found = kinds(&report);
        assert_eq!(
            found,
            [("unfiltered-pages", Severity::Warning), ("unmapped-events", Severity::Warning)]
        );
        report.rules.unmapped_by_event =
            vec![name("page", "Page Viewed", 20), name("track", "Route Planned", 20)];
        assert_eq!(kinds(&report), []);
    }

    #[test]
    fn wrong_times_are_reported_with_a_place() {
        let mut report = good();
        report.events.unreadable_timestamp = 2;
        report.events.clock_skew = 3;
        report.events.timestamp_examples.unreadable_timestamp.push(TimestampExample {
            file: "a.ndjson".into(),
            line: 7,
            field: Some("timestamp"),
            value: Some("3/1/2025".into()),
        });
        let found = all(&report);
        assert_eq!(found.len(), 2);
        assert!(found[1].message.contains("a.ndjson:7"), "{}", found[1].message);
    }

    #[test]
    fn every_finding_says_what_to_do() {
        let mut report = good();
        report.rejects.total = 3;
        report.rejects.by_reason = [("invalid_json", 1), ("missing_message_id", 2)].into();
        report.events.no_anonymous_id = 1;
        report.identity.identify_without_email = 1;
        report.identity.invalid_email = 1;
        report.leads.total = 0;
        let found = all(&report);
        assert_eq!(found.len(), 5);
        for finding in found {
            assert!(!finding.help.is_empty() && !finding.message.is_empty(), "{finding:?}");
            assert!(!finding.message.ends_with('.'), "{finding:?}");
        }
    }
}
