//! The report of an audit, in plain values: `--format json` writes it, the other reports show it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::emit::LEAD_ID;
use crate::engine::plan::SpanUnit;
pub use crate::report::finding::Severity;
use crate::report::{Fault, Input, Window};

/// The version of the JSON.
pub const VERSION: u32 = 1;

/// The report of an audit.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// The filter: an allow list, destination filters, or both, the list first.
    pub filter: Vec<FilterInfo>,
    /// What it is compared with; empty is no filter.
    pub against: Vec<FilterInfo>,
    /// The rules file.
    pub rules: Option<String>,
    /// The inputs.
    pub inputs: Vec<Input>,
    /// Records read: events and rejects.
    pub records: u64,
    /// Records that are no events, by reason.
    pub rejects: BTreeMap<&'static str, u64>,
    /// What counts of all that was read; `null` is everything.
    pub window: Option<Window>,
    /// The events.
    pub events: Events,
    /// By event name, the most frequent first.
    pub names: Vec<Name>,
    /// The lines of the allow list, in order.
    pub lines: Vec<Line>,
    /// Raw signals against the plan.
    pub plan: Plan,
    /// Leads before and after.
    pub leads: Leads,
    /// Signals before and after.
    pub signals: Signals,
    /// By event name, what leads lose; the greatest loss first.
    pub losses: Vec<Loss>,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// The smallest change that would fit the plan, where the plan does not suffice.
    pub change: Option<Change>,
    /// What is doubtful about the files that the user wrote.
    pub warnings: Vec<String>,
    /// What is wrong with the inputs.
    pub faults: Vec<Fault>,
    /// How long it took.
    pub elapsed_seconds: f64,
    /// Bytes read, as they are stored.
    pub bytes_read: u64,
}

/// A filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FilterInfo {
    /// `allow_list` or `destination_filters`.
    pub kind: &'static str,
    /// Its file.
    pub file: String,
    /// How many lines or filters it has.
    pub entries: usize,
    /// Whether Segment draws lots where a hash decides here, so that all counts are estimates.
    pub estimate: bool,
}

/// The events of an audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Events {
    /// All that were detected, lie in the window and, with `--where`, were looked at.
    pub total: u64,
    /// Those that lie outside of the window.
    pub outside_window: u64,
    /// Those that pass before: all, unless two filters are compared.
    pub before: u64,
    /// Those that pass the filter.
    pub after: u64,
    /// Duplicates before.
    pub duplicates_before: u64,
    /// Duplicates after.
    pub duplicates_after: u64,
    /// Those that the filter takes something out of.
    pub changed: u64,
}

/// What decides about an event name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// All its events pass.
    #[default]
    Kept,
    /// Some do.
    Partly,
    /// None does.
    Dropped,
}

impl Fate {
    /// The name in reports.
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
    /// The name; empty of calls that have none.
    pub event: String,
    /// How many events.
    pub count: u64,
    /// Of all events, from 0 to 1.
    pub share: f64,
    /// How many pass the filter.
    pub kept: u64,
    /// How many pass before.
    pub before: u64,
    /// Whether all, some or none pass.
    pub fate: Fate,
    /// What keeps or drops them, the most frequent first.
    pub by: Vec<By>,
    /// How many a rule maps.
    pub mapped: u64,
    /// Places of the first ones.
    pub examples: Vec<Example>,
}

/// What keeps or drops events.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct By {
    /// Whether it keeps or drops them.
    pub fate: Fate,
    /// The line of the allow list, or the number of the destination filter, from 1; `null` where
    /// no line takes them.
    pub number: Option<usize>,
    /// Its text or title.
    pub text: Option<String>,
    /// How many events.
    pub count: u64,
}

/// A line of an allow list.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Line {
    /// Its number in the file.
    pub number: usize,
    /// Its text.
    pub text: String,
    /// Events that it is the first to take.
    pub count: u64,
    /// Whether it takes anything, even if an earlier line does too.
    pub seen: bool,
}

/// Raw signals against the plan.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Plan {
    /// The plan's name.
    pub name: Option<String>,
    /// `month` or `day`.
    pub period: &'static str,
    /// Where periods begin.
    pub timezone: String,
    /// Raw signals in a period; `null` is no limit.
    pub raw_signals_limit: Option<u64>,
    /// Active leads in a period; `null` is no limit.
    pub active_leads_limit: Option<u64>,
    /// By period.
    pub periods: Vec<Period>,
    /// By day, days without events left out.
    pub days: Vec<Day>,
    /// How long a span of the history is: `day`, or longer where the inputs span more than 110 days.
    pub unit: SpanUnit,
    /// The history in at most 110 spans, those without events among them.
    pub history: Vec<HistorySpan>,
    /// Events without any time, which belong to no period: before, after.
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

/// A day's raw signals.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Day {
    /// `2025-07-01`, by the plan's time zone.
    pub day: String,
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// Raw signals of one span of the history.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct HistorySpan {
    /// `2025-07-01` of a day or of the Monday of a week, `2025-07` of a month, `2025` of a year.
    pub span: String,
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
    /// What the plan allows in it: the limit of its period, evenly spread; `null` is no limit.
    pub allowance: Option<f64>,
}

/// A period before and after.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Period {
    /// `2025-07` or `2025-07-01`.
    pub period: String,
    /// Days that it has.
    pub days: f64,
    /// Before.
    pub before: Usage,
    /// After.
    pub after: Usage,
    /// Raw signals that the filter saves.
    pub saved: i64,
}

/// What one period uses of the plan.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Usage {
    /// Raw signals.
    pub raw_signals: u64,
    /// Raw signals by the limit.
    pub share: Option<f64>,
    /// `green`, `amber` or `red`.
    pub light: &'static str,
    /// Raw signals refused when they arrive.
    pub over: u64,
    /// Of these, those that no retry saves.
    pub lost: u64,
    /// The minute in which the limit is reached.
    pub reached_at: Option<String>,
    /// Leads with a signal.
    pub active_leads: u64,
    /// Their light.
    pub active_leads_light: &'static str,
}

/// Leads before and after.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Leads {
    /// Before.
    pub before: LeadCounts,
    /// After.
    pub after: LeadCounts,
    /// How many are lost.
    pub lost: u64,
    /// How many are there only after: an address that the other filter keeps out, or another
    /// address of someone who is one lead.
    pub gained: u64,
    /// How many are left with a lower score.
    pub lowered: u64,
    /// Up to a thousand of the lost ones, the highest score first.
    #[schemars(with = "Vec<Named<LeadFigures>>")]
    pub lost_leads: Vec<Lead>,
    /// Up to a thousand of those with a lower score, the greatest loss first.
    #[schemars(with = "Vec<Named<LoweredFigures>>")]
    pub lowered_leads: Vec<Lowered>,
}

/// Sums over leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct LeadCounts {
    /// All.
    pub total: u64,
    /// Those with signals.
    pub with_signals: u64,
    /// The sum of their scores.
    pub total_score: i64,
}

/// A lost lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// Its e-mail; its id where the report names nobody.
    pub email: String,
    /// Its score before.
    pub score: i64,
    /// Its signals before.
    pub signals: u64,
}

/// A lead with a lower score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// Its e-mail; its id where the report names nobody.
    pub email: String,
    /// Its score before.
    pub before: i64,
    /// Its score after.
    pub after: i64,
}

/// What the JSON calls that by which a lead is named.
fn name_of_lead(email: &str) -> &'static str {
    if email.contains('@') { "email" } else { LEAD_ID }
}

/// The shape of a [`Lead`] and of a [`Lowered`] in JSON: one of `email` and `lead_id`, and figures.
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

/// Signals before and after, duplicates left out.
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
    /// All but the cold ones.
    pub resolved: u64,
    pub direct: u64,
    pub known: u64,
    pub rehydrated: u64,
    pub cold: u64,
    /// Those that a rule maps.
    pub mapped: u64,
}

/// What leads lose of an event name.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Loss {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name.
    pub event: String,
    /// Signals of leads.
    pub resolved: Pair,
    /// Of these, those that a rule scores.
    pub scored: Pair,
    /// What the rules give to the signals that are lost, their limits apart.
    pub score_lost: i64,
    /// Of those that are lost, how many pass the filter but have lost their owner.
    pub gone_cold: u64,
}

/// One finding.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Finding {
    /// What kind; the names are frozen.
    pub finding: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What it is, with its numbers.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// A rule that would do it, in TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The call that it is about.
    #[serde(rename = "type")]
    pub call: Option<&'static str>,
    /// The event name that it is about.
    pub event: Option<String>,
    /// The line of the allow list, or the destination filter, that it is about.
    pub entry: Option<Entry>,
    /// How many events it is about.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// Where the first of them stand.
    pub examples: Vec<Example>,
}

/// A line of an allow list, or a destination filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Entry {
    /// The line, or the place of the filter, from 1.
    pub number: usize,
    /// Its text or title.
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

/// The smallest change that would fit the plan.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Change {
    /// Whether every period fits with it.
    pub fits: bool,
    /// What would be dropped, the best first.
    pub drop: Vec<Drop>,
    /// Raw signals of each period that remain.
    pub raw_signals: Vec<u64>,
    /// Leads that remain.
    pub leads: LeadCounts,
    /// Leads that the change would lose.
    pub leads_lost: u64,
    /// What the scores of leads would sum to less.
    pub score_lost: i64,
    /// The allow list with the change made, where it is one.
    pub allow: Vec<String>,
    /// What else could be dropped, the best first.
    pub others: Vec<Drop>,
}

/// Something that could be dropped.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Drop {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name of track events.
    pub event: Option<String>,
    /// The line that takes pages or screens.
    pub entry: Option<Entry>,
    /// Raw signals saved.
    pub saved: u64,
    /// Leads that nothing else brings.
    pub leads_lost: u64,
    /// What leads would score less.
    pub score_lost: i64,
    /// The FQL condition of a destination filter that drops just this.
    pub fql: Option<String>,
}
