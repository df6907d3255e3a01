//! The rows of the two tables, borrowed from the engine, and the order of their cells.

use crate::event::CallType;
use crate::time::Time;

/// Receives the cells of a row, in the order of the table's columns. An empty text is a missing
/// value.
pub trait Cells {
    /// Receives a content hash.
    fn hash(&mut self, hash: u128);
    /// Receives a point in time, which may be missing.
    fn time(&mut self, time: Time);
    /// Receives a name that this program defines, and no input can choose.
    fn name(&mut self, name: &'static str);
    /// Receives a text from the data.
    fn text(&mut self, text: &str);
    /// Receives a JSON value from the data, in its RFC 8785 form.
    fn json(&mut self, json: &str);
    /// Receives an integer.
    fn integer(&mut self, value: i64);
    /// Receives a boolean.
    fn flag(&mut self, value: bool);
    /// Receives a list of texts from the data; an empty list is not a missing value.
    fn list(&mut self, texts: &[&str]);
}

/// A row of a table.
pub trait Row {
    /// Passes every cell to `to` in order; the last `own` of them are the rules' custom columns.
    fn write_cells(&self, own: usize, to: &mut impl Cells);
}

/// The value that a rule mapped to a custom column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// No value.
    Absent,
    /// A string, unchanged.
    Text(&'a str),
    /// Any other value, in its RFC 8785 form.
    Json(&'a str),
}

/// A row of `signals`. An empty string is a missing value.
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
    pub resolution: &'static str,
    pub anonymous_id: &'a str,
    pub user_id: &'a str,
    pub page_url: &'a str,
    pub page_name: &'a str,
    pub source: &'a str,
    pub message_id: &'a str,
    /// The rules' custom columns, in the order of the table.
    pub columns: &'a [Cell<'a>],
}

/// A row of `leads`. An empty string is a missing value.
#[derive(Clone, Debug, Default)]
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

impl Row for SignalRow<'_> {
    #[inline]
    fn write_cells(&self, own: usize, to: &mut impl Cells) {
        to.hash(self.signal_id);
        to.time(self.timestamp);
        to.time(self.received_at);
        to.name(self.call.name());
        to.text(self.event);
        to.text(self.signal);
        to.text(self.signal_type);
        to.flag(self.high_intent);
        to.text(self.rule);
        to.integer(self.score);
        to.text(self.lead_email);
        to.name(self.resolution);
        to.text(self.anonymous_id);
        to.text(self.user_id);
        to.text(self.page_url);
        to.text(self.page_name);
        to.text(self.source);
        to.text(self.message_id);
        for at in 0..own {
            match self.columns.get(at).copied().unwrap_or(Cell::Absent) {
                Cell::Absent => to.text(""),
                Cell::Text(text) => to.text(text),
                Cell::Json(json) => to.json(json),
            }
        }
    }
}

/// A row of `leads` without e-mail, names and phone number; its `email` already contains the lead
/// id.
#[derive(Clone, Copy, Debug)]
pub(super) struct RedactedLead<'a>(pub &'a LeadRow<'a>);

impl Row for RedactedLead<'_> {
    fn write_cells(&self, _own: usize, to: &mut impl Cells) {
        for text in [self.0.email, self.0.company, self.0.title] {
            to.text(text);
        }
        self.0.write_activity(to);
    }
}

impl Row for LeadRow<'_> {
    fn write_cells(&self, _own: usize, to: &mut impl Cells) {
        for text in [
            self.email,
            self.name,
            self.first_name,
            self.last_name,
            self.company,
            self.title,
            self.phone,
        ] {
            to.text(text);
        }
        self.write_activity(to);
    }
}

impl LeadRow<'_> {
    /// Passes the cells after those of the person to `to`.
    fn write_activity(&self, to: &mut impl Cells) {
        to.integer(self.score);
        for count in [self.signals, self.high_intent_signals, self.rehydrated_signals] {
            to.integer(i64::try_from(count).unwrap_or(i64::MAX));
        }
        to.time(self.first_seen);
        to.time(self.last_seen);
        to.time(self.identified_at);
        for text in [
            self.first_page_url,
            self.first_referrer,
            self.utm_source,
            self.utm_medium,
            self.utm_campaign,
            self.last_signal,
            self.top_signal,
        ] {
            to.text(text);
        }
        to.list(self.anonymous_ids);
        to.list(self.user_ids);
        to.list(self.sources);
    }
}
