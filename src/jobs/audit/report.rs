//! The report of an audit as plain values: `--format json` writes it, other formats present it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::emit::LEAD_ID;
use crate::engine::plan::SpanUnit;
pub use crate::report::finding::Severity;
use crate::report::{Fault, Input, Window};

/// The version of the JSON format.
pub const VERSION: u32 = 1;

/// The report of an audit.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The filter: an allow list, destination filters, or both, the list first.
    pub filter: Vec<FilterInfo>,
    /// The filter that it is compared with; empty is no filter.
    pub against: Vec<FilterInfo>,
    /// The path of the rules file.
    pub rules: Option<String>,
    /// The inputs.
    pub inputs: Vec<Input>,
    /// Records read: events and rejects.
    pub records: u64,
    /// Records that are not events, by reason.
    pub rejects: BTreeMap<&'static str, u64>,
    /// The window of time that is counted; `null` is all time.
    pub window: Option<Window>,
    /// Counts of events.
    pub events: Events,
    /// Events by name, the most frequent first.
    pub names: Vec<Name>,
    /// The lines of the allow list, in order.
    pub lines: Vec<Line>,
    /// Raw signals against the plan.
    pub plan: Plan,
    /// Leads before and after.
    pub leads: Leads,
    /// Signals before and after.
    pub signals: Signals,
    /// What leads lose, by event name, the greatest loss first.
    pub losses: Vec<Loss>,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// The smallest change that fits the plan, if the plan does not suffice.
    pub change: Option<Change>,
    /// Warnings about the files of the user.
    pub warnings: Vec<String>,
    /// The faults of the inputs.
    pub faults: Vec<Fault>,
    /// The duration of the audit, in seconds.
    pub elapsed_seconds: f64,
    /// The number of bytes read, as stored.
    pub bytes_read: u64,
}

/// A filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FilterInfo {
    /// `allow_list` or `destination_filters`.
    pub kind: &'static str,
    /// The path of the file.
    pub file: String,
    /// The number of lines or filters.
    pub entries: usize,
    /// Whether all counts are estimates: Segment picks events at random where this program takes a
    /// hash.
    pub estimate: bool,
}

/// Counts of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Events {
    /// Events that are detected, lie in the window and match `--where`.
    pub total: u64,
    /// Events outside the window.
    pub outside_window: u64,
    /// Events that pass before: all, unless two filters are compared.
    pub before: u64,
    /// Events that pass the filter.
    pub after: u64,
    /// Duplicates before.
    pub duplicates_before: u64,
    /// Duplicates after.
    pub duplicates_after: u64,
    /// Events that the filter changes.
    pub changed: u64,
}

/// What happens to the events of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// All its events pass.
    #[default]
    Kept,
    /// Some of its events pass.
    Partly,
    /// None of its events passes.
    Dropped,
}

impl Fate {
    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Partly => "partly",
            Self::Dropped => "dropped",
        }
    }
}

/// An event name.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Name {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name of the event; empty for calls that have no name.
    pub event: String,
    /// The number of events.
    pub count: u64,
    /// The fraction of all events, from 0 to 1.
    pub share: f64,
    /// The number of events that pass the filter.
    pub kept: u64,
    /// The number of events that pass before.
    pub before: u64,
    /// Whether all, some or none of the events pass.
    pub fate: Fate,
    /// The lines and filters that keep or drop the events, the most frequent first.
    pub by: Vec<By>,
    /// The number of events that a rule maps.
    pub mapped: u64,
    /// The places of the first events.
    pub examples: Vec<Example>,
}

/// A line or a filter that keeps or drops events.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct By {
    /// Whether it keeps or drops the events.
    pub fate: Fate,
    /// The line of the allow list, or the position of the destination filter, from 1; `null` if no
    /// line matches.
    pub number: Option<usize>,
    /// The text of the line, or the title of the filter.
    pub text: Option<String>,
    /// The number of events.
    pub count: u64,
}

/// A line of an allow list.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Line {
    /// The number of the line in the file.
    pub number: usize,
    /// The text of the line.
    pub text: String,
    /// Events for which it is the first matching line.
    pub count: u64,
    /// Whether it matches any event, even if an earlier line matches too.
    pub seen: bool,
}

/// Raw signals against the plan.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Plan {
    /// The name of the plan.
    pub name: Option<String>,
    /// `month` or `day`.
    pub period: &'static str,
    /// The time zone in which periods begin.
    pub timezone: String,
    /// The limit of raw signals per period; `null` is no limit.
    pub raw_signals_limit: Option<u64>,
    /// The limit of active leads per period; `null` is no limit.
    pub active_leads_limit: Option<u64>,
    /// The periods.
    pub periods: Vec<Period>,
    /// Raw signals by day, without days that have no events.
    pub days: Vec<Day>,
    /// The length of a span of the history: `day`, or longer if the inputs cover more than 110
    /// days.
    pub unit: SpanUnit,
    /// The history in at most 110 spans, including those without events.
    pub history: Vec<HistorySpan>,
    /// Events without any time, which belong to no period.
    pub undated: Pair,
}

/// A figure before and after the filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Pair {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// The raw signals of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Day {
    /// The date, such as `2025-07-01`, in the time zone of the plan.
    pub day: String,
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// Raw signals of one span of the history.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct HistorySpan {
    /// The name: `2025-07-01` for a day or for the Monday of a week, `2025-07` for a month, `2025`
    /// for a year.
    pub span: String,
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
    /// The number of raw signals that the plan allows in the span: the limit of its period, spread
    /// evenly; `null` is no limit.
    pub allowance: Option<f64>,
}

/// A period before and after.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Period {
    /// The name, such as `2025-07` or `2025-07-01`.
    pub period: String,
    /// The length of the period, in days.
    pub days: f64,
    /// Before.
    pub before: Usage,
    /// After.
    pub after: Usage,
    /// Raw signals that the filter saves.
    pub saved: i64,
}

/// The use of the plan in a period.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Usage {
    /// Raw signals.
    pub raw_signals: u64,
    /// Raw signals divided by the limit.
    pub share: Option<f64>,
    /// `green`, `amber` or `red`.
    pub light: &'static str,
    /// Raw signals refused when they arrive.
    pub over: u64,
    /// The refused raw signals that no retry saves.
    pub lost: u64,
    /// The minute in which the limit is reached.
    pub reached_at: Option<String>,
    /// Leads with a signal.
    pub active_leads: u64,
    /// The light of the active leads: `green`, `amber` or `red`.
    pub active_leads_light: &'static str,
}

/// Leads before and after.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Leads {
    /// Before.
    pub before: LeadCounts,
    /// After.
    pub after: LeadCounts,
    /// The number of leads that are lost.
    pub lost: u64,
    /// The number of leads that exist only after: with an address that the other filter keeps out,
    /// or with another address of the same person.
    pub gained: u64,
    /// The number of leads that remain with a lower score.
    pub lowered: u64,
    /// The lost leads with the highest scores, a thousand at most.
    #[schemars(with = "Vec<Named<LeadFigures>>")]
    pub lost_leads: Vec<Lead>,
    /// The leads with the greatest loss of score, a thousand at most.
    #[schemars(with = "Vec<Named<LoweredFigures>>")]
    pub lowered_leads: Vec<Lowered>,
}

/// Sums over leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct LeadCounts {
    /// The number of leads.
    pub total: u64,
    /// The number of leads with signals.
    pub with_signals: u64,
    /// The sum of their scores.
    pub total_score: i64,
}

/// A lost lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// The e-mail of the lead; its id in a redacted report.
    pub email: String,
    /// The score before.
    pub score: i64,
    /// The number of signals before.
    pub signals: u64,
}

/// A lead with a lower score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// The e-mail of the lead; its id in a redacted report.
    pub email: String,
    /// The score before.
    pub before: i64,
    /// The score after.
    pub after: i64,
}

/// Returns the name of the JSON field that names a lead.
fn name_of_lead(email: &str) -> &'static str {
    if email.contains('@') { "email" } else { LEAD_ID }
}

/// The schema of [`Lead`] and [`Lowered`] in JSON: one of `email` and `lead_id`, and the figures.
#[derive(JsonSchema)]
#[allow(dead_code)] // only its shape is used
struct Named<T> {
    #[schemars(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    lead_id: Option<String>,
    #[schemars(flatten)]
    figures: T,
}

#[derive(JsonSchema)]
#[allow(dead_code)] // only its shape is used
struct LeadFigures {
    score: i64,
    signals: u64,
}

#[derive(JsonSchema)]
#[allow(dead_code)] // only its shape is used
struct LoweredFigures {
    before: i64,
    after: i64,
}

impl Serialize for Lead {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { email, score, signals } = self;
        let mut map = to.serialize_map(Some(3))?;
        map.serialize_entry(name_of_lead(email), email)?;
        map.serialize_entry("score", score)?;
        map.serialize_entry("signals", signals)?;
        map.end()
    }
}

impl Serialize for Lowered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { email, before, after } = self;
        let mut map = to.serialize_map(Some(3))?;
        map.serialize_entry(name_of_lead(email), email)?;
        map.serialize_entry("before", before)?;
        map.serialize_entry("after", after)?;
        map.end()
    }
}

/// Signals before and after, without duplicates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Signals {
    /// Before.
    pub before: SignalCounts,
    /// After.
    pub after: SignalCounts,
}

/// Signals by resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct SignalCounts {
    pub total: u64,
    /// All signals that are not cold.
    pub resolved: u64,
    pub direct: u64,
    pub known: u64,
    pub rehydrated: u64,
    pub cold: u64,
    /// Signals that a rule maps.
    pub mapped: u64,
}

/// What leads lose with the events of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Loss {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name.
    pub event: String,
    /// The signals that belong to leads.
    pub resolved: Pair,
    /// The signals that belong to leads and that a rule scores.
    pub scored: Pair,
    /// The score that the rules give to the lost signals, ignoring the rules' limits.
    pub score_lost: i64,
    /// The number of lost signals that pass the filter but no longer resolve to a lead.
    pub gone_cold: u64,
}

/// A finding.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Finding {
    /// The kind of the finding; names do not change between versions.
    pub finding: &'static str,
    /// The severity.
    pub severity: Severity,
    /// The description, with its numbers.
    pub message: String,
    /// The advice.
    pub help: Option<String>,
    /// A rule that follows the advice, in TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The call that it is about.
    #[serde(rename = "type")]
    pub call: Option<&'static str>,
    /// The event name that it is about.
    pub event: Option<String>,
    /// The line of the allow list, or the destination filter, that it is about.
    pub entry: Option<Entry>,
    /// The number of events that it is about.
    pub count: u64,
    /// The number of such events in total.
    pub of: u64,
    /// The places of the first events.
    pub examples: Vec<Example>,
}

/// A line of an allow list, or a destination filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Entry {
    /// The number of the line, or the position of the filter, from 1.
    pub number: usize,
    /// The text of the line, or the title of the filter.
    pub text: String,
}

/// A place in the input.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Example {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
}

/// The smallest change that fits the plan.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Change {
    /// Whether every period fits with it.
    pub fits: bool,
    /// The events to drop, the best choice first.
    pub drop: Vec<Drop>,
    /// The raw signals that remain in each period.
    pub raw_signals: Vec<u64>,
    /// The leads that remain.
    pub leads: LeadCounts,
    /// The number of leads that the change would lose.
    pub leads_lost: u64,
    /// The total score that leads would lose.
    pub score_lost: i64,
    /// The changed allow list; empty if there is none.
    pub allow: Vec<String>,
    /// Other events that could be dropped, the best choice first.
    pub others: Vec<Drop>,
}

/// Events that could be dropped.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Drop {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name, for track events.
    pub event: Option<String>,
    /// The matching line, for page and screen calls.
    pub entry: Option<Entry>,
    /// Raw signals saved.
    pub saved: u64,
    /// The number of leads that depend on these events alone.
    pub leads_lost: u64,
    /// The total score that leads would lose.
    pub score_lost: i64,
    /// The FQL condition of a destination filter that drops exactly these events.
    pub fql: Option<String>,
}
