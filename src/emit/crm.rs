//! Leads for the importers of CRMs: a CSV file for each, with that importer's column names.
//!
//! `docs/crm.md` lists which column becomes which, and where the importers' rules are documented.

use std::borrow::Cow;

use super::row::{Cells, LeadRow, Row};
use super::table::{Column, Kind};
use crate::time::Time;

/// The placeholder for a missing value that Salesforce requires.
const NOT_PROVIDED: &str = "[not provided]";
/// The length of a date, in characters.
const DATE_LEN: usize = 10;

/// A CRM with an importer for leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Crm {
    /// HubSpot's import of contacts.
    HubSpot,
    /// Salesforce's Data Import Wizard, for leads.
    Salesforce,
}

impl Crm {
    /// All CRMs.
    pub const ALL: [Self; 2] = [Self::HubSpot, Self::Salesforce];

    /// Returns the name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::HubSpot => "hubspot",
            Self::Salesforce => "salesforce",
        }
    }

    /// Returns the name of the CRM's table.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::HubSpot => "leads-hubspot",
            Self::Salesforce => "leads-salesforce",
        }
    }

    /// Returns the columns of the CRM's table.
    pub(super) fn columns(self) -> &'static [Column<'static>] {
        match self {
            Self::HubSpot => &HUBSPOT,
            Self::Salesforce => &SALESFORCE,
        }
    }
}

#[rustfmt::skip]
const HUBSPOT: [Column<'static>; 18] = [
    ("Email", Kind::Key), ("First Name", Kind::Text), ("Last Name", Kind::Text),
    ("Company Name", Kind::Text), ("Job Title", Kind::Text), ("Phone Number", Kind::Text),
    ("Lifecycle Stage", Kind::Name),
    OWN[0], OWN[1], OWN[2], OWN[3], OWN[4], OWN[5], OWN[6], OWN[7], OWN[8], OWN[9], OWN[10],
];

#[rustfmt::skip]
const SALESFORCE: [Column<'static>; 19] = [
    ("Email", Kind::Key), ("First Name", Kind::Text), ("Last Name", Kind::Key),
    ("Company", Kind::Key), ("Title", Kind::Text), ("Phone", Kind::Text),
    ("Lead Source", Kind::Name), ("Description", Kind::Text),
    OWN[0], OWN[1], OWN[2], OWN[3], OWN[4], OWN[5], OWN[6], OWN[7], OWN[8], OWN[9], OWN[10],
];

/// The columns for custom properties.
#[rustfmt::skip]
const OWN: [Column<'static>; 11] = [
    ("Backtrail Score", Kind::Integer), ("Backtrail Signals", Kind::Integer),
    ("Backtrail High Intent Signals", Kind::Integer), ("Backtrail First Seen", Kind::Text),
    ("Backtrail Last Seen", Kind::Text), ("Backtrail Top Signal", Kind::Word),
    ("Backtrail Last Signal", Kind::Word), ("Backtrail First Page", Kind::Text),
    ("Backtrail UTM Source", Kind::Word), ("Backtrail UTM Medium", Kind::Word),
    ("Backtrail UTM Campaign", Kind::Word),
];

/// A lead in the format of a CRM's importer.
#[derive(Clone, Copy, Debug)]
pub(super) struct CrmLead<'a> {
    /// The CRM.
    pub crm: Crm,
    /// The lead.
    pub lead: &'a LeadRow<'a>,
}

impl Row for CrmLead<'_> {
    fn write_cells(&self, _own: usize, to: &mut impl Cells) {
        let lead = self.lead;
        to.text(lead.email);
        match self.crm {
            Crm::HubSpot => {
                let (first, last) = self.names();
                for text in [first, last, lead.company, lead.title, lead.phone] {
                    to.text(text);
                }
                to.name("Lead");
            }
            Crm::Salesforce => {
                let (first, last) = self.names();
                to.text(&cut(first, 40));
                to.text(&cut(required(last), 80));
                to.text(&cut(required(lead.company), 255));
                to.text(&cut(lead.title, 128));
                to.text(&cut(lead.phone, 40));
                to.name("Web");
                to.text(&description(lead));
            }
        }
        to.integer(lead.score);
        for count in [lead.signals, lead.high_intent_signals] {
            to.integer(i64::try_from(count).unwrap_or(i64::MAX));
        }
        for time in [lead.first_seen, lead.last_seen] {
            to.text(&date(time));
        }
        for text in [
            lead.top_signal,
            lead.last_signal,
            lead.first_page_url,
            lead.utm_source,
            lead.utm_medium,
            lead.utm_campaign,
        ] {
            to.text(text);
        }
    }
}

impl CrmLead<'_> {
    /// Returns the first and the last name; if both are missing, the parts of the whole name. A
    /// single word becomes the name that the importer requires.
    fn names(&self) -> (&str, &str) {
        let LeadRow { name, first_name, last_name, .. } = self.lead;
        if !first_name.is_empty() || !last_name.is_empty() {
            return (first_name, last_name);
        }
        let name = name.trim();
        let (first, last) = name.split_at(last_name_at(name));
        match self.crm {
            Crm::HubSpot if first.is_empty() => (last, ""),
            _ => (first.trim_end(), last),
        }
    }
}

/// Returns the start of the last name in a whole name: that of its last word, or of the word before
/// it if a comma separates the two, as in `Dunn, Jr.`.
fn last_name_at(name: &str) -> usize {
    let word = |text: &str| {
        let blank = text.char_indices().rfind(|(_, char)| char.is_whitespace());
        blank.map_or(0, |(at, char)| at + char.len_utf8())
    };
    let at = word(name);
    let before = name[..at].trim_end();
    if before.ends_with(',') { word(before) } else { at }
}

fn required(text: &str) -> &str {
    if text.trim().is_empty() { NOT_PROVIDED } else { text }
}

/// Returns at most `most` characters of `text`; the last one is `…` if text was cut off.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.chars().nth(most).is_none() {
        return text.into();
    }
    text.chars().take(most - 1).chain(['…']).collect::<String>().into()
}

/// Returns the date of `time` in UTC, or an empty string if the time is missing.
fn date(time: Time) -> String {
    let mut text = time.to_string();
    text.truncate(DATE_LEN);
    text
}

/// Returns the text that a salesperson reads first.
fn description(lead: &LeadRow<'_>) -> String {
    let signals = if lead.signals == 1 { "signal" } else { "signals" };
    let mut text = format!("Score {} from {} {signals}", lead.score, lead.signals);
    for (what, value) in [
        ("top", lead.top_signal),
        ("last", lead.last_signal),
        ("last seen", &date(lead.last_seen)),
        ("first page", lead.first_page_url),
    ] {
        if !value.is_empty() {
            text.extend(["; ", what, ": ", value]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<'a>(crm: Crm, name: &'a str, first: &'a str, last: &'a str) -> (String, String) {
        let lead = LeadRow { name, first_name: first, last_name: last, ..LeadRow::default() };
        let lead = CrmLead { crm, lead: &lead };
        let (first, last) = lead.names();
        (first.to_owned(), last.to_owned())
    }

    #[test]
    fn a_whole_name_is_divided_before_its_last_word() {
        for crm in Crm::ALL {
            let is = |name, first, last, expected: (&str, &str)| {
                let (found_first, found_last) = names(crm, name, first, last);
                assert_eq!((&*found_first, &*found_last), expected, "{crm:?} {name}");
            };
            is("Ana María Ruiz", "", "", ("Ana María", "Ruiz"));
            is("Ana Ruiz", "Anne", "", ("Anne", ""));
            is("Mallory Dunn, Jr.", "", "", ("Mallory", "Dunn, Jr."));
            is("Ruiz\u{a0}Ana", "", "", ("Ruiz", "Ana"));
            is("", "", "", ("", ""));
        }
        assert_eq!(names(Crm::HubSpot, " Ana ", "", ""), ("Ana".into(), String::new()));
        assert_eq!(names(Crm::Salesforce, " Ana ", "", ""), (String::new(), "Ana".into()));
    }

    #[test]
    fn long_texts_are_cut_to_what_a_field_takes() {
        assert_eq!(cut("añb", 3), "añb");
        assert_eq!(cut("añbc", 3), "añ…");
        assert_eq!(required(" "), NOT_PROVIDED);
    }
}
