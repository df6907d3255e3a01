//! The two tables: their columns with order and kind.

use std::io::{self, Write};

use super::crm::Crm;
use super::{Encoder, Format, FormulaGuard, TableWriter};

/// A table that a run writes.
#[derive(Clone, Copy, Debug)]
pub enum Table<'a> {
    /// The signals, with the names of the rules' custom columns in order of first mention. A name
    /// must be unique, and [`Table::is_built_in`] must return `false` for it.
    Signals(&'a [String]),
    /// The leads.
    Leads,
    /// The signals with lead ids instead of e-mails.
    RedactedSignals(&'a [String]),
    /// The leads with lead ids instead of e-mails, and without names and phone numbers.
    RedactedLeads,
    /// The leads in the format of a CRM's importer.
    LeadsFor(Crm),
}

/// A table in a format: the settings that its encoders and its writer share.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// The table.
    pub table: Table<'a>,
    /// The format.
    pub format: Format,
    /// Whether CSV cells are guarded; the other formats need no guard.
    pub guard: FormulaGuard,
}

impl Layout<'_> {
    /// Creates an encoder of rows of this table; each worker needs one.
    pub fn encoder(&self) -> Encoder {
        Encoder::new(self)
    }

    /// Creates a writer of this table to `out`.
    ///
    /// # Errors
    /// Returns an error if writing the header to `out` fails.
    pub fn writer<W: Write + Send>(&self, out: W) -> io::Result<TableWriter<W>> {
        TableWriter::new(self, out)
    }
}

/// The kind of values in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A content hash as 32 hex digits; never missing.
    Hash,
    /// A point in time.
    Time,
    /// A name that this program defines, of few distinct values; never missing.
    Name,
    /// A text that is never missing.
    Key,
    /// A text.
    Text,
    /// A text of few distinct values.
    Word,
    /// An integer; never missing.
    Integer,
    /// A boolean; never missing.
    Flag,
    /// A list of texts; empty rather than missing.
    List,
}

/// The column that replaces the e-mail of a lead in redacted outputs.
pub const LEAD_ID: &str = "lead_id";

/// The name and kind of a column.
pub(super) type Column<'a> = (&'a str, Kind);

#[rustfmt::skip]
const SIGNALS: [Column<'static>; 18] = [
    ("signal_id", Kind::Hash), ("timestamp", Kind::Time), ("received_at", Kind::Time),
    ("type", Kind::Name), ("event", Kind::Word), ("signal", Kind::Word),
    ("signal_type", Kind::Word), ("high_intent", Kind::Flag), ("rule", Kind::Word),
    ("score", Kind::Integer), ("lead_email", Kind::Word), ("resolution", Kind::Name),
    ("anonymous_id", Kind::Text), ("user_id", Kind::Text), ("page_url", Kind::Text),
    ("page_name", Kind::Word), ("source", Kind::Word), ("message_id", Kind::Key),
];

#[rustfmt::skip]
const LEADS: [Column<'static>; 24] = [
    ("email", Kind::Key), ("name", Kind::Text), ("first_name", Kind::Text),
    ("last_name", Kind::Text), ("company", Kind::Text), ("title", Kind::Text),
    ("phone", Kind::Text), ("score", Kind::Integer), ("signals", Kind::Integer),
    ("high_intent_signals", Kind::Integer), ("rehydrated_signals", Kind::Integer),
    ("first_seen", Kind::Time), ("last_seen", Kind::Time), ("identified_at", Kind::Time),
    ("first_page_url", Kind::Text), ("first_referrer", Kind::Text), ("utm_source", Kind::Word),
    ("utm_medium", Kind::Word), ("utm_campaign", Kind::Word), ("last_signal", Kind::Word),
    ("top_signal", Kind::Word), ("anonymous_ids", Kind::List), ("user_ids", Kind::List),
    ("sources", Kind::List),
];

/// The columns of the signals without e-mails.
const REDACTED_SIGNALS: [Column<'static>; 18] = {
    let mut columns = SIGNALS;
    columns[10].0 = LEAD_ID;
    columns
};

/// The columns of the leads without e-mails, names and phone numbers.
const REDACTED_LEADS: [Column<'static>; 20] = {
    let mut columns = [(LEAD_ID, Kind::Key); 20];
    (columns[1], columns[2]) = (LEADS[4], LEADS[5]);
    let mut at = 7;
    while at < LEADS.len() {
        columns[at - 4] = LEADS[at];
        at += 1;
    }
    columns
};

impl<'a> Table<'a> {
    /// Returns the name of the file, without its extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signals(_) | Self::RedactedSignals(_) => "signals",
            Self::Leads | Self::RedactedLeads => "leads",
            Self::LeadsFor(crm) => crm.table(),
        }
    }

    /// Returns `true` if `name` is a built-in column of this table, which custom columns must not
    /// use.
    pub fn is_built_in(self, name: &str) -> bool {
        self.built_in().iter().any(|(column, _)| *column == name)
    }

    /// Iterates over all columns in order, custom ones last.
    pub(super) fn columns(self) -> impl Iterator<Item = Column<'a>> {
        let own = self.own().iter().map(|name| (name.as_str(), Kind::Text));
        self.built_in().iter().copied().chain(own)
    }

    /// Returns the names of the rules' custom columns.
    pub(super) fn own(self) -> &'a [String] {
        match self {
            Self::Signals(own) | Self::RedactedSignals(own) => own,
            Self::Leads | Self::RedactedLeads | Self::LeadsFor(_) => &[],
        }
    }

    fn built_in(self) -> &'static [Column<'static>] {
        match self {
            Self::Signals(_) => &SIGNALS,
            Self::Leads => &LEADS,
            Self::RedactedSignals(_) => &REDACTED_SIGNALS,
            Self::RedactedLeads => &REDACTED_LEADS,
            Self::LeadsFor(crm) => crm.columns(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_columns_stand_last() {
        let own = ["form".to_owned()];
        assert_eq!(Table::Signals(&own).columns().last(), Some(("form", Kind::Text)));
        assert_eq!(Table::Leads.columns().last(), Some(("sources", Kind::List)));
    }

    #[test]
    fn redacted_tables_lack_the_columns_of_people() {
        let names =
            |table: Table<'static>| table.columns().map(|(name, _)| name).collect::<Vec<_>>();
        let leads = names(Table::RedactedLeads);
        assert_eq!(leads[..4], ["lead_id", "company", "title", "score"]);
        let of_people = ["email", "name", "first_name", "last_name", "phone"];
        let mut rest = names(Table::Leads);
        rest.retain(|name| !of_people.contains(name));
        assert_eq!(leads[1..], rest);
        let signals = names(Table::RedactedSignals(&[])).join(" ");
        assert_eq!(signals, names(Table::Signals(&[])).join(" ").replace("lead_email", "lead_id"));
    }

    #[test]
    fn built_in_names_are_known() {
        assert!(Table::Signals(&[]).is_built_in("page_url"));
        assert!(!Table::Signals(&[]).is_built_in("form"));
    }
}
