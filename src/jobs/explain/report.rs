//! What is explained, in plain values: `--format json` is this, and the text shows it.
//!
//! A value that there is none of is `null`, a list without entries empty. Times are as in the tables.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{Fault, Input, Window};

/// The version of the JSON.
pub const VERSION: u32 = 1;

/// The report.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// What was asked about.
    pub subject: Subject,
    /// The rules file.
    pub rules: Option<String>,
    /// The span of time whose signals count, where there is one.
    pub window: Option<Window>,
    /// The inputs.
    pub inputs: Vec<Input>,
    /// Records of the inputs: events and rejects.
    pub records: u64,
    /// Events of the inputs.
    pub events_read: u64,
    /// The leads that the events are of, by e-mail: each as in `leads`, and how it came about.
    pub leads: Vec<Lead>,
    /// The ids of the events, anonymous ids first, then user ids, each sorted.
    pub ids: Vec<Id>,
    /// The events of the subject, by time: what is kept, copies, and what filters dropped.
    pub events: Vec<Event>,
    /// What is doubtful about the files that the user wrote.
    pub warnings: Vec<String>,
    /// What is wrong with the inputs.
    pub faults: Vec<Fault>,
}

/// What was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Subject {
    /// `email`, `anonymous_id`, `user_id`, `message_id` or `signal_id`.
    pub kind: &'static str,
    /// Its text.
    pub value: String,
}

/// A line of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
pub struct Place {
    /// The file; of a member of an archive `archive.zip/member`.
    pub file: String,
    /// Its line, from 1. Several events can share one.
    pub line: u64,
}

/// An id of the subject's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Id {
    /// `anonymous_id` or `user_id`.
    pub kind: &'static str,
    /// The id.
    pub value: String,
    /// How many e-mails it leads to, counted no further than one past the limit.
    pub emails: usize,
    /// Whether these are too many for one person: a shared device.
    pub shared: bool,
}

/// One event.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Event {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// When it happened.
    pub timestamp: Option<String>,
    /// When it was received.
    pub received_at: Option<String>,
    /// When it happened by its own clock, where that is wrong and another time stands for it.
    pub own_clock: Option<String>,
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// Its name; `null` of calls that have none.
    pub event: Option<String>,
    /// The page that it was on.
    pub page_url: Option<String>,
    /// Its content hash.
    pub signal_id: String,
    /// Its message id.
    pub message_id: Option<String>,
    /// Its anonymous id, also where it is blocked.
    pub anonymous_id: Option<String>,
    /// Its user id, also where it is blocked.
    pub user_id: Option<String>,
    /// Whether its anonymous id or its user id is blocked, so that it is none.
    pub blocked_ids: bool,
    /// What became of it.
    pub status: Status,
    /// Whether the service would have lost it, for the limit of the plan was reached when it arrived
    /// and when each retry did; `null` of what does not count, and of a plan without a limit.
    pub over_plan: Option<bool>,
    /// Titles of the destination filters that took something out of it.
    pub changed_by: Vec<String>,
    /// Its copies.
    pub copies: Vec<Place>,
    /// What it ties.
    pub facts: Vec<Fact>,
    /// What it supplies to its lead that no other event overrides.
    pub supplies: Vec<LeadValue>,
    /// What is wrong with the e-mail that it has: `without_email`, `invalid_email` or `blocked_email`.
    pub email_fault: Option<&'static str>,
    /// Of a track, page or screen that is kept: its lead, and what it scores.
    pub signal: Option<Signal>,
}

/// What became of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Status {
    /// It is kept.
    #[default]
    Kept,
    /// It is kept, and lies outside of the window: it is no signal, but says who is who.
    OutsideWindow,
    /// It is a copy of the event that stands here.
    Duplicate {
        /// Where the event stands that is kept.
        of: Place,
    },
    /// It is not sent.
    Filtered {
        /// Why.
        because: String,
    },
    /// A deletion request covers it, so that a run leaves it out. Nothing is told of it but where it
    /// stands, when it happened, its call and its content hash.
    Deleted,
}

/// An id tied to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Fact {
    /// `anonymous_id` or `user_id`.
    pub source_kind: &'static str,
    /// The id.
    pub source: String,
    /// `user_id` or `email`.
    pub target_kind: &'static str,
    /// What it is tied to.
    pub target: String,
    /// Whether it was tied to that already.
    pub again: bool,
}

/// A value of a lead, and where it is from.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct LeadValue {
    /// The column of `leads`.
    pub column: &'static str,
    /// The value.
    pub value: String,
}

/// What became of a signal.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Signal {
    /// Its name.
    pub signal: String,
    /// TrailSpark's type of signal.
    pub signal_type: Option<String>,
    /// Whether its rule says that it shows intent.
    pub high_intent: bool,
    /// The rule that maps it.
    pub rule: Option<String>,
    /// What its rule scores.
    pub score: i64,
    /// Whether that counts for its lead, and why not.
    pub counts: Option<Counts>,
    /// The lead.
    pub lead_email: Option<String>,
    /// Whether that is staff, which is no lead.
    pub internal: bool,
    /// `direct`, `known`, `rehydrated` or `cold`.
    pub resolution: &'static str,
    /// Where its rule found the e-mail, of a direct one.
    pub email_path: Option<String>,
    /// The ties that lead from its id to the e-mail, of a known or rehydrated one.
    pub ties: Vec<Tie>,
    /// Of a cold one, why each of its ids leads to no e-mail.
    pub cold_because: Vec<String>,
    /// The rules that were tried before and did not take it, in order.
    pub tried: Vec<Tried>,
    /// How many rules were not tried, for they ask for other calls or names, or stand behind.
    pub untried: usize,
}

/// Which of the signals of its rule a signal is, for its lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Counts {
    /// Its place among them by time, from 1.
    pub place: u64,
    /// How many score.
    pub limit: Option<u32>,
    /// Whether it is one of these.
    pub scores: bool,
}

/// A tie through which an owner was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Tie {
    /// What was tied, and to what.
    #[serde(flatten)]
    pub fact: Fact,
    /// When.
    pub timestamp: Option<String>,
    /// By the event that stands here.
    #[serde(flatten)]
    pub place: Place,
}

/// A rule that did not take a signal.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Tried {
    /// The rule.
    pub rule: String,
    /// The condition of its `when` that does not hold.
    pub failed: String,
    /// What the event has at the first path of the condition, short, addresses and secrets masked.
    pub found: Option<String>,
}

/// A lead.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the column of that name in `leads`
pub struct Lead {
    pub email: String,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub phone: Option<String>,
    pub score: i64,
    pub signals: u64,
    pub high_intent_signals: u64,
    pub rehydrated_signals: u64,
    pub first_seen: Option<String>,
    pub last_seen: Option<String>,
    pub identified_at: Option<String>,
    pub first_page_url: Option<String>,
    pub first_referrer: Option<String>,
    pub utm_source: Option<String>,
    pub utm_medium: Option<String>,
    pub utm_campaign: Option<String>,
    pub last_signal: Option<String>,
    pub top_signal: Option<String>,
    pub anonymous_ids: Vec<String>,
    pub user_ids: Vec<String>,
    /// The addresses that are one lead with it, for they share a user id.
    pub joined_emails: Vec<String>,
    /// How many addresses would have become one lead with it, were they not too many.
    pub merge_refused: Option<usize>,
    /// Its score, rule by rule, the highest sum first.
    pub score_by_rule: Vec<RuleScore>,
    /// Where its values are from.
    pub sources: Vec<Source>,
}

/// What the signals of one rule add to a score.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RuleScore {
    /// The rule.
    pub rule: String,
    /// What each of its signals scores.
    pub score: i64,
    /// At most so many score.
    pub limit: Option<u32>,
    /// How many signals of it the lead has.
    pub signals: u64,
    /// How many of them score.
    pub scoring: u64,
    /// What they come to.
    pub sum: i64,
}

/// Where a value of a lead is from.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Source {
    /// What it is.
    #[serde(flatten)]
    pub value: LeadValue,
    /// The event that it is from.
    #[serde(flatten)]
    pub place: Place,
}
