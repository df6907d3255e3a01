//! The report of a run: a tree of plain values that is `report.json`, and its text for people.

pub mod colour;
pub mod figure;
pub mod filters;
pub mod finding;
pub mod hint;
pub mod history;
mod input;
pub mod layout;
pub mod page;
pub(crate) mod redact;
pub mod text;
mod timestamp;
mod window;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::lead::ScoreRange;
use crate::engine::plan::PeriodMix;
use crate::parse::Repairs;
use filters::Filters;
use finding::Finding;
use history::{ColdRange, History};
pub use input::{Fault, Input};
pub use window::Window;

/// The content of `report.json`. Lists and maps are in a fixed order; a count that was not
/// requested is `null`.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The inputs, in order.
    pub inputs: Vec<Input>,
    /// The number of records: events and rejects.
    pub records: u64,
    /// Records by their shape; every shape is listed.
    pub records_by_shape: BTreeMap<&'static str, u64>,
    /// Requests in HTTP archives that were not sent by a Segment library; they are not records.
    pub foreign_requests: u64,
    /// The window of time that is counted; `null` is all time.
    pub window: Option<Window>,
    /// Counts of events.
    pub events: Events,
    /// What destination filters did; `null` if there are none.
    pub filters: Option<Filters>,
    /// Records that yield no event.
    pub rejects: Rejects,
    /// Counts of duplicate events.
    pub duplicates: Duplicates,
    /// The resolution of visitors to e-mails.
    pub identity: Identity,
    /// What deletion requests removed.
    pub deleted: Deleted,
    /// Counts of mapped signals.
    pub rules: RuleCounts,
    /// Counts and scores of leads.
    pub leads: Leads,
    /// The use of the plan.
    pub plan: Plan,
    /// What became of the raw signals over time.
    pub history: History,
    /// CSV cells that a spreadsheet would have run as formulas and that were guarded.
    pub guarded_cells: u64,
    /// The faults of the inputs.
    pub faults: Vec<Fault>,
    /// What is wrong with the data or the plan, and what to do about it; the worst first.
    pub findings: Vec<Finding>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// The duration of the run, in seconds.
    pub elapsed_seconds: f64,
    /// The number of bytes read, as stored.
    pub bytes_read: u64,
}

/// Counts of events: `total` is the sum of `filtered`, `outside_window`, `duplicates` and `kept`.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct Events {
    pub total: u64,
    pub filtered: u64,
    /// Events that happened outside the window, including duplicates.
    pub outside_window: u64,
    pub duplicates: u64,
    pub kept: u64,
    pub no_anonymous_id: u64,
    pub no_timestamp: u64,
    pub clock_skew: u64,
    /// Repairs that were needed before the text was valid JSON.
    #[serde(flatten)]
    pub repairs: Repairs,
    /// Events whose time was corrected by the clock of the receiver.
    pub corrected_clocks: u64,
    /// Events whose time, or time of receipt, had no offset and was taken as UTC.
    pub naive_timestamps: u64,
    /// Time fields whose values are not times.
    pub unreadable_timestamp: u64,
    /// Events that are dated before 2005 or after 2099.
    pub implausible_timestamps: u64,
    /// The first events of each kind.
    pub timestamp_examples: TimestampExamples,
    /// Raw signals by call.
    pub by_type: BTreeMap<&'static str, u64>,
    /// Raw signals by call and name, the most frequent first.
    pub by_name: Vec<NameCount>,
    /// The number of names beyond those listed, and the number of their raw signals.
    pub other_names: u64,
    pub other_count: u64,
}

/// Up to three examples of each kind, in the order of the input.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct TimestampExamples {
    /// Only for the summary: an event without a time shows nothing but its place, which differs
    /// with every way of splitting the input into files.
    #[serde(skip)]
    pub no_timestamp: Vec<TimestampExample>,
    pub unreadable_timestamp: Vec<TimestampExample>,
    pub implausible_timestamps: Vec<TimestampExample>,
}

/// An event whose time is missing or wrong.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct TimestampExample {
    /// The name of the input.
    pub file: String,
    /// The line in the input, from 1.
    pub line: u64,
    /// The field whose value is not a usable time.
    pub field: Option<&'static str>,
    /// The value of the field, cut short and masked.
    pub value: Option<String>,
}

/// An event name and its frequency.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct NameCount {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The name of the event; empty for calls that have no name.
    pub event: String,
    /// The number of events.
    pub count: u64,
}

/// Counts of rejects.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Rejects {
    /// The total number of rejects.
    pub total: u64,
    /// Rejects by reason; every reason is listed.
    pub by_reason: BTreeMap<&'static str, u64>,
}

/// Counts of duplicates.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Duplicates {
    /// Copies that were not kept.
    pub total: u64,
    /// Message ids that occur with more than one content.
    pub same_message_id_different_content: Option<u64>,
    /// Contents that occur with more than one message id.
    pub same_content_different_message_id: Option<u64>,
}

/// The number of ids, and the number of ids that resolve to an e-mail at some time.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Visitors {
    pub seen: u64,
    pub resolved: u64,
}

/// Kept signals by how they resolve to a lead.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Resolutions {
    pub total: u64,
    pub direct: u64,
    pub known: u64,
    pub rehydrated: u64,
    pub cold: u64,
}

/// Known and rehydrated signals by what resolves them to an e-mail.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Through {
    pub anonymous_id: u64,
    pub user_id: u64,
    pub bridge: u64,
}

/// An id with more e-mails than one person has.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SharedId {
    /// `anonymous_id` or `user_id`.
    pub kind: &'static str,
    /// The id.
    pub id: String,
    /// The number of its e-mails, counted up to one more than the limit.
    pub emails: usize,
}

/// E-mails that share user ids but are too many to be one person.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MergeRefused {
    /// The number of e-mails.
    pub emails: usize,
    /// The user ids.
    pub user_ids: Vec<String>,
}

/// The resolution of visitors to e-mails.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct Identity {
    pub policy: &'static str,
    pub facts: u64,
    pub anonymous_ids: Visitors,
    pub user_ids: Visitors,
    pub signals: Resolutions,
    pub through: Through,
    /// Rehydrated signals by how long they were cold.
    pub rehydrated_after: Vec<ColdRange>,
    pub identify_without_email: u64,
    /// Identify calls without a valid e-mail whose user id is an address that is not used as their
    /// e-mail.
    pub identify_user_id_is_email: u64,
    /// E-mail addresses that signals carry but no rule maps.
    pub unused_emails: UnusedEmails,
    pub invalid_email: u64,
    pub blocked_emails: u64,
    pub blocked_ids: u64,
    pub internal_signals: u64,
    /// For each policy, the number of signals that it would give to another owner.
    pub would_change_owner: BTreeMap<&'static str, u64>,
    pub shared_ids: Vec<SharedId>,
    pub merged_emails: u64,
    pub merge_refused: Vec<MergeRefused>,
}

/// E-mail addresses that signals carry but no rule maps.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct UnusedEmails {
    /// The number of events with an address, by the path of the address; includes duplicates.
    pub events: BTreeMap<&'static str, u64>,
    /// The number of leads that they would add.
    pub leads: u64,
    /// A rule that takes the addresses, if it would add leads.
    pub rule: Option<String>,
}

/// What deletion requests removed from signals and leads.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
pub struct Deleted {
    /// `delete` calls; they are not events, and are counted among the rejects.
    pub calls: u64,
    /// User ids in these calls.
    pub users: u64,
    /// Kept events that these calls cover.
    pub events: u64,
    /// The signals among the covered events.
    pub signals: u64,
    /// Leads that only the covered events identify.
    pub leads: u64,
}

/// The signals of a rule.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct RuleCount {
    /// The id of the rule.
    pub id: String,
    /// The number of signals that it matches.
    pub matches: u64,
    /// The score of each of its signals.
    pub score: i64,
}

/// Counts of mapped signals.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct RuleCounts {
    pub file: Option<String>,
    pub mapped: u64,
    pub unmapped: u64,
    /// The rules, in the order of the file.
    pub by_rule: Vec<RuleCount>,
    pub unmapped_by_event: Vec<NameCount>,
}

/// Counts and scores of leads.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Leads {
    pub total: u64,
    pub with_signals: u64,
    pub without_signals: u64,
    pub lowest_score: i64,
    pub highest_score: i64,
    pub total_score: i64,
    /// Leads by range of scores, from the first range with a lead to the last.
    pub by_score: Vec<ScoreRange>,
}

/// The use of the plan.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the figure of that name
pub struct Plan {
    pub name: Option<String>,
    pub period: &'static str,
    pub timezone: String,
    /// The limit of raw signals per period; `null` is no limit.
    pub raw_signals_limit: Option<u64>,
    pub active_leads_limit: Option<u64>,
    pub periods: Vec<Period>,
    /// Raw signals that were refused when they arrived.
    pub over: u64,
    /// The refused raw signals that a retry in the next period saved.
    pub retried: u64,
    /// The refused raw signals that were lost.
    pub lost: u64,
    pub lost_identifies: u64,
    pub lost_leads: u64,
    /// The e-mails of the lost leads, a thousand at most; with `--redact`, their ids.
    pub lost_lead_emails: Vec<String>,
    /// Raw signals without any time; they belong to no period.
    pub undated: u64,
    pub trend: Option<Trend>,
}

/// The trend of the raw signals per period.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Trend {
    /// The number of raw signals by which each period exceeds the one before, along a fitted line.
    pub change_per_period: f64,
    /// The period in which the limit is reached, if that is within ten years.
    pub limit_reached_in: Option<String>,
}

/// The use of the plan in a period.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the figure of that name
pub struct Period {
    pub period: String,
    pub start: String,
    pub end: String,
    pub raw_signals: u64,
    pub limit: Option<u64>,
    /// Raw signals divided by the limit.
    pub share: Option<f64>,
    pub light: &'static str,
    /// The minute in which the limit was reached.
    pub reached_at: Option<String>,
    /// Raw signals refused in the period before and accepted in this one; they count against its
    /// limit.
    pub carried: u64,
    /// Raw signals that were refused when they arrived.
    pub over: u64,
    /// The refused raw signals that a retry in the next period saved.
    pub retried: u64,
    /// The refused raw signals that were lost.
    pub lost: u64,
    /// The number of user ids, and of anonymous ids without a user id; `null` if the period is not
    /// a month.
    pub monthly_tracked_users: Option<u64>,
    pub active_leads: u64,
    pub active_leads_limit: Option<u64>,
    pub active_leads_light: &'static str,
    /// The raw signals by kind.
    pub mix: PeriodMix,
}

impl Report {
    /// Checks that every record is in exactly one count.
    ///
    /// # Errors
    /// Returns a message about the first sum that does not hold.
    pub fn check_sums(&self) -> Result<(), String> {
        let Self { records, events, rejects, identity, .. } = self;
        let signals = &identity.signals;
        let sums = [
            ("records = events + rejects", *records, events.total + rejects.total),
            (
                "events = filtered + outside_window + duplicates + kept",
                events.total,
                events.filtered + events.outside_window + events.duplicates + events.kept,
            ),
            (
                "signals = direct + known + rehydrated + cold",
                signals.total,
                signals.direct + signals.known + signals.rehydrated + signals.cold,
            ),
            (
                "events = filtered + outside_window + history",
                events.total,
                events.filtered + events.outside_window + self.history.total().total(),
            ),
            (
                "rehydrated = sum by time cold",
                signals.rehydrated,
                identity.rehydrated_after.iter().map(|range| range.signals).sum(),
            ),
            (
                "leads = sum by score",
                self.leads.total,
                self.leads.by_score.iter().map(|range| range.leads).sum(),
            ),
            ("rejects = sum by reason", rejects.total, rejects.by_reason.values().sum()),
            ("records = sum by shape", *records, self.records_by_shape.values().sum()),
        ];
        match sums.iter().find(|(_, whole, parts)| whole != parts) {
            Some((sum, whole, parts)) => Err(format!("{sum}: {whole} is not {parts}")),
            None => Ok(()),
        }
    }
}
