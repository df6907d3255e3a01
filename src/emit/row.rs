//! The rows of the two tables, borrowed from whoever made them.

use crate::event::CallType;
use crate::identity::Resolution;
use crate::time::Time;

/// What a rule mapped to one of its own columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing was present.
    Absent,
    /// A string, as it stands.
    Text(&'a str),
    /// Any other value, in its RFC 8785 form.
    Json(&'a str),
}

/// One row of `signals`. An empty string is a missing value.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // each is the column of that name
pub struct SignalRow<'a> {
    pub signal_id: u128,
    pub timestamp: Time,
    pub received_at: Time,
    pub call: CallType,
    pub event: &'a str,
    pub signal: &'a str,
    pub signal_type: &'a str,
    pub high_intent: bool,
    pub rule: &'a str,
    pub score: i64,
    pub lead_email: &'a str,
    pub resolution: Resolution,
    pub anonymous_id: &'a str,
    pub user_id: &'a str,
    pub page_url: &'a str,
    pub page_name: &'a str,
    pub source: &'a str,
    pub message_id: &'a str,
    /// The rules' own columns, in the table's order.
    pub columns: &'a [Cell<'a>],
}

/// One row of `leads`. An empty string is a missing value.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // each is the column of that name
pub struct LeadRow<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub first_name: &'a str,
    pub last_name: &'a str,
    pub company: &'a str,
    pub title: &'a str,
    pub phone: &'a str,
    pub score: i64,
    pub signals: u64,
    pub high_intent_signals: u64,
    pub rehydrated_signals: u64,
    pub first_seen: Time,
    pub last_seen: Time,
    pub identified_at: Time,
    pub first_page_url: &'a str,
    pub first_referrer: &'a str,
    pub utm_source: &'a str,
    pub utm_medium: &'a str,
    pub utm_campaign: &'a str,
    pub last_signal: &'a str,
    pub top_signal: &'a str,
    /// Sorted.
    pub anonymous_ids: &'a [&'a str],
    /// Sorted.
    pub user_ids: &'a [&'a str],
    /// Sorted.
    pub sources: &'a [&'a str],
}
