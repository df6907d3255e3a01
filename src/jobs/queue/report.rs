//! The report of a queue as plain values: `--format json` writes it, other formats present it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::distinct::{EXACT_UP_TO, STANDARD_ERROR};
use crate::report::{Fault, Input, Window};

/// The version of the JSON format.
pub const VERSION: u32 = 1;

/// The report of a queue.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// The version of this format.
    pub version: u32,
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
    /// The accuracy of the counts of distinct visitors and values.
    pub estimates: Estimates,
    /// The plan, if the rules file limits raw signals.
    pub plan: Option<Plan>,
    /// The time zone in which days begin.
    pub timezone: String,
    /// Event names with their counts, the most frequent first; at most 1,000.
    pub names: Vec<Name>,
    /// The sum of all other names.
    pub others: Option<Others>,
    /// The profile of the events of one name, if requested.
    pub profile: Option<Profile>,
    /// Warnings about the files of the user.
    pub warnings: Vec<String>,
    /// The faults of the inputs.
    pub faults: Vec<Fault>,
    /// The number of bytes read, as stored.
    pub bytes_read: u64,
}

/// Counts of events: `total` is the sum of `filtered`, `outside_window` and `counted`, which
/// includes `duplicates`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct Events {
    pub total: u64,
    pub filtered: u64,
    pub outside_window: u64,
    pub counted: u64,
    pub duplicates: u64,
}

/// The accuracy of the counts of distinct visitors and values.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Estimates {
    /// The count up to which counts are exact.
    pub exact_up_to: u64,
    /// The standard error of higher counts, as a fraction of the count.
    pub standard_error: f64,
}

impl Default for Estimates {
    fn default() -> Self {
        Self { exact_up_to: EXACT_UP_TO, standard_error: STANDARD_ERROR }
    }
}

/// The limit of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Plan {
    /// The name of the plan.
    pub name: Option<String>,
    /// `month` or `day`.
    pub period: &'static str,
    /// The limit of raw signals per period.
    pub raw_signals_limit: u64,
    /// The number of periods that the input covers.
    pub periods: u64,
}

/// The events of one call and name.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Name {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name of the event; empty for calls that have no name.
    pub event: String,
    /// The number of events, including duplicates.
    pub count: u64,
    /// The fraction of all counted events, from 0 to 1.
    pub share: f64,
    /// The number of duplicates among the events.
    pub duplicates: u64,
    /// The number of distinct visitors: anonymous ids, and user ids of events without one.
    pub visitors: u64,
    /// The number of visitors that resolve to an e-mail anywhere in the input.
    pub known_visitors: u64,
    /// The time of the first event.
    pub first_seen: Option<String>,
    /// The time of the last event.
    pub last_seen: Option<String>,
    /// The number of events, without duplicates, in the hour before their visitor was tied to an
    /// e-mail, or to a user id that resolves to one.
    pub before_identify: u64,
    /// The fraction of what the plan allows in all periods of the input; 1 is all of it.
    pub plan_share: Option<f64>,
    /// Events by period of the plan.
    pub periods: Vec<PeriodCount>,
    /// The number of events, without duplicates, that a rule maps.
    pub mapped: u64,
    /// Events by rule, the most frequent first.
    pub rules: Vec<RuleCount>,
    /// Events by the day on which they happened, without days that have none.
    pub days: Vec<DayCount>,
}

/// A count by period.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct PeriodCount {
    /// The name of the period, such as `2025-07` or `2025-07-01`.
    pub period: String,
    /// The number of events.
    pub count: u64,
    /// The fraction of the limit.
    pub share: f64,
}

/// A count by rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RuleCount {
    /// The id of the rule.
    pub rule: String,
    /// The number of events.
    pub count: u64,
}

/// A count by day.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct DayCount {
    /// The date, such as `2025-07-01`.
    pub day: String,
    /// The number of events.
    pub count: u64,
}

/// The sum of names that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Others {
    /// The number of names.
    pub names: u64,
    /// The number of events.
    pub count: u64,
    /// The fraction of all counted events.
    pub share: f64,
}

/// The profile of the events of one name.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Profile {
    /// The requested name or call.
    pub event: String,
    /// The number of events.
    pub events: u64,
    /// All paths, in order; at most 1,000.
    pub paths: Vec<Path>,
    /// The sum of all other paths.
    pub others: Option<OtherPaths>,
}

/// A path of the events.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Path {
    /// The path in the syntax of rules; `[]` stands for the items of a list.
    pub path: String,
    /// The number of events with a value that is neither `null` nor `""`.
    pub filled: u64,
    /// The fraction of all events of the name, from 0 to 1.
    pub fill_rate: f64,
    /// The number of values by JSON type, without types that do not occur.
    pub types: BTreeMap<&'static str, u64>,
    /// The number of empty strings.
    pub empty: u64,
    /// The number of distinct strings, numbers and booleans.
    pub distinct: u64,
    /// Some of these values, with addresses and secrets masked.
    pub examples: Vec<String>,
}

/// The sum of paths that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct OtherPaths {
    /// The approximate number of paths.
    pub paths: u64,
    /// The number of values.
    pub values: u64,
}
