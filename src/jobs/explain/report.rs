//! The report of an explanation as plain values: `--format json` writes it, the text presents it.
//!
//! A missing value is `null`, a list without entries is empty. Times have the format of the tables.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{Fault, Input, Window};

/// The version of the JSON format.
pub const VERSION: u32 = 1;

/// The report of an explanation.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The subject.
    pub subject: Subject,
    /// The path of the rules file.
    pub rules: Option<String>,
    /// The window of time whose signals count; `null` is all time.
    pub window: Option<Window>,
    /// The inputs.
    pub inputs: Vec<Input>,
    /// The number of records in the inputs: events and rejects.
    pub records: u64,
    /// The number of events in the inputs.
    pub events_read: u64,
    /// The leads that the events belong to, by e-mail: their columns in `leads`, and where these
    /// come from.
    pub leads: Vec<Lead>,
    /// The ids in the events: anonymous ids first, then user ids, each sorted.
    pub ids: Vec<Id>,
    /// The events of the subject, by time: kept events, duplicates, and events that filters
    /// dropped.
    pub events: Vec<Event>,
    /// Warnings about the files of the user.
    pub warnings: Vec<String>,
    /// The faults of the inputs.
    pub faults: Vec<Fault>,
}

/// The subject of an explanation.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Subject {
    /// `email`, `anonymous_id`, `user_id`, `message_id` or `signal_id`.
    pub kind: &'static str,
    /// The address or id.
    pub value: String,
}

/// A line of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
pub struct Place {
    /// The path of the file; `archive.zip/member` for a member of an archive.
    pub file: String,
    /// The line, from 1. Several events can share a line.
    pub line: u64,
}

/// An id in the events of the subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Id {
    /// `anonymous_id` or `user_id`.
    pub kind: &'static str,
    /// The id.
    pub value: String,
    /// The number of e-mails that it resolves to, counted up to one more than the limit.
    pub emails: usize,
    /// Whether there are too many e-mails for one person: the id belongs to a shared device.
    pub shared: bool,
}

/// An event.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Event {
    /// The place in the input.
    #[serde(flatten)]
    pub place: Place,
    /// The time at which the event happened.
    pub timestamp: Option<String>,
    /// The time at which the event was received.
    pub received_at: Option<String>,
    /// The time by the event's own clock, if that clock is wrong and another time is used instead.
    pub own_clock: Option<String>,
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name; `null` for calls that have no name.
    pub event: Option<String>,
    /// The URL of the page.
    pub page_url: Option<String>,
    /// The content hash.
    pub signal_id: String,
    /// The message id.
    pub message_id: Option<String>,
    /// The anonymous id, even if it is blocked.
    pub anonymous_id: Option<String>,
    /// The user id, even if it is blocked.
    pub user_id: Option<String>,
    /// Whether the anonymous id or the user id is blocked, and therefore not used.
    pub blocked_ids: bool,
    /// What became of the event.
    pub status: Status,
    /// Whether the service would have lost the event, because the limit of the plan was reached when
    /// it and all of its retries arrived; `null` for events that do not count, and for a plan
    /// without a limit.
    pub over_plan: Option<bool>,
    /// The titles of the destination filters that removed something from the event.
    pub changed_by: Vec<String>,
    /// The duplicates of the event.
    pub copies: Vec<Place>,
    /// The facts: which ids the event ties.
    pub facts: Vec<Fact>,
    /// The values of its lead that come from this event.
    pub supplies: Vec<LeadValue>,
    /// The fault of the event's e-mail: `without_email`, `invalid_email` or `blocked_email`.
    pub email_fault: Option<&'static str>,
    /// The lead and the score; only for a track, page or screen call that is kept.
    pub signal: Option<Signal>,
}

/// What became of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Status {
    /// The event is kept.
    #[default]
    Kept,
    /// The event is kept but outside the window: it is not a signal, but still identifies visitors.
    OutsideWindow,
    /// The event is a duplicate.
    Duplicate {
        /// The place of the copy that is kept.
        of: Place,
    },
    /// The event is not sent.
    Filtered {
        /// The reason.
        because: String,
    },
    /// A deletion request covers it, so that a run leaves it out. Nothing is told of it but where it
    /// stands, when it happened, its call and its content hash.
    Deleted,
}

/// A fact: an id is tied to another id or to an e-mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Fact {
    /// `anonymous_id` or `user_id`.
    pub source_kind: &'static str,
    /// The id.
    pub source: String,
    /// `user_id` or `email`.
    pub target_kind: &'static str,
    /// The id or the e-mail.
    pub target: String,
    /// Whether an earlier event ties them already.
    pub again: bool,
}

/// A value of a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct LeadValue {
    /// The column of `leads`.
    pub column: &'static str,
    /// The value.
    pub value: String,
}

/// The result for a signal.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Signal {
    /// The name of the signal.
    pub signal: String,
    /// The type of the signal in TrailSpark.
    pub signal_type: Option<String>,
    /// Whether the rule marks the signal as high intent.
    pub high_intent: bool,
    /// The rule that maps it.
    pub rule: Option<String>,
    /// The score of the rule.
    pub score: i64,
    /// Whether the score counts for the lead; `null` without a lead or a rule.
    pub counts: Option<Counts>,
    /// The e-mail of the lead.
    pub lead_email: Option<String>,
    /// Whether the e-mail belongs to staff, who are not leads.
    pub internal: bool,
    /// `direct`, `known`, `rehydrated` or `cold`.
    pub resolution: &'static str,
    /// For a direct signal, the path at which the rule found the e-mail.
    pub email_path: Option<String>,
    /// For a known or rehydrated signal, the ties from its id to the e-mail.
    pub ties: Vec<Tie>,
    /// For a cold signal, the reasons for which its ids resolve to no e-mail.
    pub cold_because: Vec<String>,
    /// The rules that were tried earlier and did not match, in order.
    pub tried: Vec<Tried>,
    /// The number of rules that were not tried, because they require other calls or names, or come
    /// later.
    pub untried: usize,
}

/// The position of a signal among the signals of its rule and lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Counts {
    /// The position by time, from 1.
    pub place: u64,
    /// The maximum number of signals that score.
    pub limit: Option<u32>,
    /// Whether this signal scores.
    pub scores: bool,
}

/// A tie through which an owner was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Tie {
    /// The ids that were tied.
    #[serde(flatten)]
    pub fact: Fact,
    /// The time.
    pub timestamp: Option<String>,
    /// The event that tied them.
    #[serde(flatten)]
    pub place: Place,
}

/// A rule that did not match a signal.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Tried {
    /// The id of the rule.
    pub rule: String,
    /// The part of its `when` that is not true.
    pub failed: String,
    /// The value of the event at the first path of that part, cut short, with addresses and secrets
    /// masked.
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
    /// The addresses that are merged into this lead because they share a user id.
    pub joined_emails: Vec<String>,
    /// The number of addresses that would have been merged into this lead if they were fewer.
    pub merge_refused: Option<usize>,
    /// The score by rule, the highest sum first.
    pub score_by_rule: Vec<RuleScore>,
    /// The events from which the values come.
    pub sources: Vec<Source>,
}

/// The contribution of one rule to a score.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RuleScore {
    /// The id of the rule.
    pub rule: String,
    /// The score of each signal.
    pub score: i64,
    /// The maximum number of signals that score.
    pub limit: Option<u32>,
    /// The number of the lead's signals.
    pub signals: u64,
    /// The number of these that score.
    pub scoring: u64,
    /// The total.
    pub sum: i64,
}

/// The origin of a value of a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Source {
    /// The value.
    #[serde(flatten)]
    pub value: LeadValue,
    /// The event from which it comes.
    #[serde(flatten)]
    pub place: Place,
}
