//! The report of a run: one tree of plain values that *is* `report.json`, and its text for people.

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

/// `report.json`. Lists and maps are in a fixed order; a count that was not asked for is `null`.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Report {
    /// The version of this layout.
    pub version: u32,
    /// The inputs, in order.
    pub inputs: Vec<Input>,
    /// Records: events and rejects.
    pub records: u64,
    /// Records by what they came in; every shape is there.
    pub records_by_shape: BTreeMap<&'static str, u64>,
    /// Requests of HTTP archives that no Segment library sent; they are no records.
    pub foreign_requests: u64,
    /// What counts of all that was read; `null` is everything.
    pub window: Option<Window>,
    /// Events.
    pub events: Events,
    /// What destination filters did to them; `null` without any.
    pub filters: Option<Filters>,
    /// Records that yield no event.
    pub rejects: Rejects,
    /// Copies of events.
    pub duplicates: Duplicates,
    /// Who the visitors turned out to be.
    pub identity: Identity,
    /// What deletion requests took out.
    pub deleted: Deleted,
    /// What the rules mapped.
    pub rules: RuleCounts,
    /// The leads.
    pub leads: Leads,
    /// What it costs.
    pub plan: Plan,
    /// What became of the raw signals, from day to day.
    pub history: History,
    /// CSV cells that a spreadsheet would have run as formulas.
    pub guarded_cells: u64,
    /// What is wrong with inputs.
    pub faults: Vec<Fault>,
    /// What is wrong with the data or the plan, and what to do about it; the worst first.
    pub findings: Vec<Finding>,
    /// What is doubtful.
    pub warnings: Vec<String>,
    /// How long it took.
    pub elapsed_seconds: f64,
    /// Bytes read, as they are stored.
    pub bytes_read: u64,
}

/// Counts of events: `total` is `filtered`, `outside_window`, `duplicates` and `kept`.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct Events {
    pub total: u64,
    pub filtered: u64,
    /// Those that happened outside of the window, duplicates among them.
    pub outside_window: u64,
    pub duplicates: u64,
    pub kept: u64,
    pub no_anonymous_id: u64,
    pub no_timestamp: u64,
    pub clock_skew: u64,
    /// What had to be mended before it was JSON.
    #[serde(flatten)]
    pub repairs: Repairs,
    /// Events whose time was set right by the clock of whoever received them.
    pub corrected_clocks: u64,
    /// Events whose time, or that of their receipt, had no offset and was taken as UTC.
    pub naive_timestamps: u64,
    /// Values in the place of a time that are none.
    pub unreadable_timestamp: u64,
    /// Events that are dated before 2005 or after 2099.
    pub implausible_timestamps: u64,
    /// The first of each kind.
    pub timestamp_examples: TimestampExamples,
    /// Raw signals by call.
    pub by_type: BTreeMap<&'static str, u64>,
    /// Raw signals by call and name, the most frequent first.
    pub by_name: Vec<NameCount>,
    /// Names beyond those listed, and how many raw signals they have.
    pub other_names: u64,
    pub other_count: u64,
}

/// Up to three of each kind, in the order of the input.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct TimestampExamples {
    /// For the summary alone: a missing time shows nothing but its place, which is another for every
    /// way to cut the input into files.
    #[serde(skip)]
    pub no_timestamp: Vec<TimestampExample>,
    pub unreadable_timestamp: Vec<TimestampExample>,
    pub implausible_timestamps: Vec<TimestampExample>,
}

/// Where a time is missing or wrong.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct TimestampExample {
    /// The input.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// The member that holds what is no time.
    pub field: Option<&'static str>,
    /// The time, or what is none: cut short, without addresses and secrets.
    pub value: Option<String>,
}

/// How often an event name came.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct NameCount {
    /// The call.
    #[serde(rename = "type")]
    pub call: &'static str,
    /// The event's name; empty for calls that have none.
    pub event: String,
    /// How often.
    pub count: u64,
}

/// Counts of rejects.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Rejects {
    /// All.
    pub total: u64,
    /// By reason; every reason is there.
    pub by_reason: BTreeMap<&'static str, u64>,
}

/// Counts of duplicates.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Duplicates {
    /// Copies that were not kept.
    pub total: u64,
    /// Message ids that came with more than one content.
    pub same_message_id_different_content: Option<u64>,
    /// Contents that came with more than one message id.
    pub same_content_different_message_id: Option<u64>,
}

/// How many ids there are, and how many lead to an e-mail at some time.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Visitors {
    pub seen: u64,
    pub resolved: u64,
}

/// Kept signals by how they came to their lead.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Resolutions {
    pub total: u64,
    pub direct: u64,
    pub known: u64,
    pub rehydrated: u64,
    pub cold: u64,
}

/// Known and rehydrated signals by what led to the e-mail.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Through {
    pub anonymous_id: u64,
    pub user_id: u64,
    pub bridge: u64,
}

/// An id with more e-mails than a person has.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SharedId {
    /// `anonymous_id` or `user_id`.
    pub kind: &'static str,
    /// The id.
    pub id: String,
    /// How many e-mails it has, counted to one past the limit.
    pub emails: usize,
}

/// E-mails that share user ids but are too many for one person.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MergeRefused {
    /// How many e-mails.
    pub emails: usize,
    /// The user ids.
    pub user_ids: Vec<String>,
}

/// Who the visitors turned out to be.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct Identity {
    pub policy: &'static str,
    pub facts: u64,
    pub anonymous_ids: Visitors,
    pub user_ids: Visitors,
    pub signals: Resolutions,
    pub through: Through,
    /// Rehydrated signals by the time that they were cold.
    pub rehydrated_after: Vec<ColdRange>,
    pub identify_without_email: u64,
    /// Identify calls that bring no valid e-mail, and whose user id is one that is not taken for it.
    pub identify_user_id_is_email: u64,
    /// Addresses that signals carry and no rule maps.
    pub unused_emails: UnusedEmails,
    pub invalid_email: u64,
    pub blocked_emails: u64,
    pub blocked_ids: u64,
    pub internal_signals: u64,
    /// Signals that each policy would give to someone else.
    pub would_change_owner: BTreeMap<&'static str, u64>,
    pub shared_ids: Vec<SharedId>,
    pub merged_emails: u64,
    pub merge_refused: Vec<MergeRefused>,
}

/// E-mail addresses that signals carry and no rule maps.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct UnusedEmails {
    /// By path, events that carry one there; duplicates too.
    pub events: BTreeMap<&'static str, u64>,
    /// Leads that they would bring besides those that there are.
    pub leads: u64,
    /// A rule that would take them, where they would bring any.
    pub rule: Option<String>,
}

/// What deletion requests took out of signals and leads.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
pub struct Deleted {
    /// `delete` calls; they are among the rejects, since they are no events.
    pub calls: u64,
    /// User ids that they name.
    pub users: u64,
    /// Kept events that they cover.
    pub events: u64,
    /// Those of them that are signals.
    pub signals: u64,
    /// Leads that nothing else brings.
    pub leads: u64,
}

/// One rule's signals.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub id: String,
    /// Its signals.
    pub matches: u64,
    /// What each scores.
    pub score: i64,
}

/// What the rules mapped.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct RuleCounts {
    pub file: Option<String>,
    pub mapped: u64,
    pub unmapped: u64,
    /// In the order of the file.
    pub by_rule: Vec<RuleCount>,
    pub unmapped_by_event: Vec<NameCount>,
}

/// The leads and their scores.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)]
pub struct Leads {
    pub total: u64,
    pub with_signals: u64,
    pub without_signals: u64,
    pub lowest_score: i64,
    pub highest_score: i64,
    pub total_score: i64,
    /// By range of scores, from the first range with a lead to the last.
    pub by_score: Vec<ScoreRange>,
}

/// What it costs against the plan.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the figure of that name
pub struct Plan {
    pub name: Option<String>,
    pub period: &'static str,
    pub timezone: String,
    /// `null` is no limit.
    pub raw_signals_limit: Option<u64>,
    pub active_leads_limit: Option<u64>,
    pub periods: Vec<Period>,
    /// Raw signals that were refused when they arrived.
    pub over: u64,
    /// Of these, those that a retry in the next period saved.
    pub retried: u64,
    /// Of these, those that nothing saved.
    pub lost: u64,
    pub lost_identifies: u64,
    pub lost_leads: u64,
    /// Up to a thousand of the lost leads; with `--redact`, their ids.
    pub lost_lead_emails: Vec<String>,
    /// Raw signals without any time, which belong to no period.
    pub undated: u64,
    pub trend: Option<Trend>,
}

/// Where the counts are heading.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Trend {
    /// By how many raw signals a period differs from the one before.
    pub change_per_period: f64,
    /// The period in which the limit is reached, if it is within ten years.
    pub limit_reached_in: Option<String>,
}

/// What one period cost.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the figure of that name
pub struct Period {
    pub period: String,
    pub start: String,
    pub end: String,
    pub raw_signals: u64,
    pub limit: Option<u64>,
    /// Raw signals by the limit.
    pub share: Option<f64>,
    pub light: &'static str,
    /// The minute in which the limit was reached.
    pub reached_at: Option<String>,
    /// Refused in the period before and taken in this one; they count against its limit.
    pub carried: u64,
    /// Raw signals that were refused when they arrived.
    pub over: u64,
    /// Of these, those that a retry in the next period saved.
    pub retried: u64,
    /// Of these, those that nothing saved.
    pub lost: u64,
    /// User ids, and anonymous ids that no user id was with; `null` where the period is no month.
    pub monthly_tracked_users: Option<u64>,
    pub active_leads: u64,
    pub active_leads_limit: Option<u64>,
    pub active_leads_light: &'static str,
    /// What the raw signals were.
    pub mix: PeriodMix,
}

impl Report {
    /// Whether every record is in exactly one count.
    ///
    /// # Errors
    /// The sum that does not hold.
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
