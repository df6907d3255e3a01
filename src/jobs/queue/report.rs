//! The report of a queue, in plain values: `--format json` writes it, the other formats show it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::distinct::{LISTED, STANDARD_ERROR};
use crate::report::{Fault, Input, Window};

/// The version of the JSON.
pub const VERSION: u32 = 1;

/// The report of a queue.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
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
    /// How good the counts of different things are.
    pub estimates: Estimates,
    /// The plan, where the rules file limits raw signals.
    pub plan: Option<Plan>,
    /// Where days begin.
    pub timezone: String,
    /// By call and name, the most frequent first; at most 1,000.
    pub names: Vec<Name>,
    /// The names that are not among them.
    pub others: Option<Others>,
    /// What the events of one name hold, where that was asked for.
    pub profile: Option<Profile>,
    /// What is doubtful about the files that the user wrote.
    pub warnings: Vec<String>,
    /// What is wrong with the inputs.
    pub faults: Vec<Fault>,
    /// Bytes read, as they are stored.
    pub bytes_read: u64,
}

/// Counts of events: `total` is `filtered`, `outside_window` and `counted`; `duplicates` are counted,
/// too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct Events {
    pub total: u64,
    pub filtered: u64,
    pub outside_window: u64,
    pub counted: u64,
    pub duplicates: u64,
}

/// How good the counts of different visitors and values are.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Estimates {
    /// Up to so many the count is exact.
    pub exact_up_to: u64,
    /// Past that, the standard error as a share of the count.
    pub standard_error: f64,
}

impl Default for Estimates {
    fn default() -> Self {
        Self { exact_up_to: LISTED, standard_error: STANDARD_ERROR }
    }
}

/// The plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Plan {
    /// Its name.
    pub name: Option<String>,
    /// `month` or `day`.
    pub period: &'static str,
    /// Raw signals in a period.
    pub raw_signals_limit: u64,
    /// How many periods the input spans.
    pub periods: u64,
}

/// The events of one call and name.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Name {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name; empty of calls that have none.
    pub event: String,
    /// How many, duplicates too.
    pub count: u64,
    /// Of all events that were counted, from 0 to 1.
    pub share: f64,
    /// Duplicates among them.
    pub duplicates: u64,
    /// Different visitors: anonymous ids, and user ids of events without one.
    pub visitors: u64,
    /// Those of them that are tied to an e-mail anywhere in the input.
    pub known_visitors: u64,
    /// When the first one happened.
    pub first_seen: Option<String>,
    /// When the last one did.
    pub last_seen: Option<String>,
    /// Those, without duplicates, that came in the hour before their visitor was tied to an
    /// e-mail or a user id that leads to one.
    pub before_identify: u64,
    /// Of what the plan allows in all periods of the input; 1 is all of it.
    pub plan_share: Option<f64>,
    /// By period of the plan.
    pub periods: Vec<PeriodCount>,
    /// Those, without duplicates, that a rule maps.
    pub mapped: u64,
    /// By rule, the most frequent first.
    pub rules: Vec<RuleCount>,
    /// By day on which they happened; days without any are left out.
    pub days: Vec<DayCount>,
}

/// A count by period.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct PeriodCount {
    /// `2025-07` or `2025-07-01`.
    pub period: String,
    /// How many.
    pub count: u64,
    /// Of the limit.
    pub share: f64,
}

/// A count by rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// How many.
    pub count: u64,
}

/// A count by day.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct DayCount {
    /// `2025-07-01`.
    pub day: String,
    /// How many.
    pub count: u64,
}

/// Names that are summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Others {
    /// How many names.
    pub names: u64,
    /// How many events.
    pub count: u64,
    /// Of all events that were counted.
    pub share: f64,
}

/// What the events of one name hold.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Profile {
    /// What was asked for.
    pub event: String,
    /// How many events.
    pub events: u64,
    /// Every path, in order; at most 1,000.
    pub paths: Vec<Path>,
    /// The paths that are not among them.
    pub others: Option<OtherPaths>,
}

/// A path of the events.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Path {
    /// The path as rules have it; `[]` stands for the places of a list.
    pub path: String,
    /// Events that have something there: neither `null` nor `""`.
    pub filled: u64,
    /// Of all events of the name, from 0 to 1.
    pub fill_rate: f64,
    /// Values by JSON type; those that do not occur are left out.
    pub types: BTreeMap<&'static str, u64>,
    /// Empty strings.
    pub empty: u64,
    /// Different strings, numbers and booleans.
    pub distinct: u64,
    /// Some of them, addresses and secrets masked.
    pub examples: Vec<String>,
}

/// Paths that are summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct OtherPaths {
    /// About how many paths.
    pub paths: u64,
    /// How many values.
    pub values: u64,
}
