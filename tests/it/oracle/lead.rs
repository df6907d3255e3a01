//! Leads: the sums over the events of one e-mail.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Event, Key};
use super::replay::{Row, time_text};
use super::settings::Rule;

/// What one event adds to a lead.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    pub event: &'a Event,
    /// The ids that are not blocked.
    pub anonymous: Option<String>,
    pub user: Option<String>,
    /// The traits, by column.
    pub traits: BTreeMap<&'static str, String>,
    /// Whether the event brings the e-mail of the lead.
    pub brings_email: bool,
    pub signal: Option<Signal<'a>>,
}

/// What a signal adds to a lead.
#[derive(Clone, Debug)]
pub struct Signal<'a> {
    pub rule: Option<&'a Rule>,
    pub name: String,
    pub rehydrated: bool,
}

/// The updates of a lead, and the groups that it joined.
#[derive(Clone, Debug, Default)]
pub struct Lead<'a> {
    pub parts: Vec<Part<'a>>,
    pub groups: Vec<(Key, String)>,
}

const TRAITS: [&str; 6] = ["name", "first_name", "last_name", "company", "title", "phone"];

/// Returns the traits of an identify call.
pub fn traits_of_identify(event: &Event) -> BTreeMap<&'static str, String> {
    let text = |path: &str| {
        let value = event.present(path).filter(|value| value.is_string() || value.is_number());
        value.map(super::event::cell).unwrap_or_default()
    };
    let either = |first: String, second: String| if first.is_empty() { second } else { first };
    let names = [text("traits.firstName"), text("traits.lastName")];
    let name = names.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    BTreeMap::from([
        ("name", either(text("traits.name"), name)),
        ("first_name", names[0].clone()),
        ("last_name", names[1].clone()),
        ("company", either(text("traits.company"), text("traits.company.name"))),
        ("title", text("traits.title")),
        ("phone", text("traits.phone")),
    ])
}

impl Lead<'_> {
    fn signals(&self) -> impl Iterator<Item = (&Part<'_>, &Signal<'_>)> {
        self.parts.iter().filter_map(|part| Some((part, part.signal.as_ref()?)))
    }

    /// Returns the sum of the scores of its signals, within the limits of the rules.
    pub fn score(&self) -> i64 {
        let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
        let mut score = 0;
        for rule in self.signals().filter_map(|(_, signal)| signal.rule) {
            let count = counted.entry(rule.id).or_default();
            *count += 1;
            if rule.limit.is_none_or(|limit| *count <= limit) {
                score += rule.score;
            }
        }
        score
    }

    pub fn has_signals(&self) -> bool {
        self.signals().next().is_some()
    }

    /// Returns the signal name with the highest score; of several, the most frequent one, then the
    /// first by name.
    fn top_signal(&self) -> String {
        let mut names: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (_, signal) in self.signals() {
            let score = signal.rule.map_or(0, |rule| rule.score);
            let of_name = names.entry(&signal.name).or_insert((score, 0));
            *of_name = (of_name.0.max(score), of_name.1 + 1);
        }
        let top = names.into_iter().min_by_key(|&(name, (score, count))| (-score, -count, name));
        top.map(|(name, _)| name.to_owned()).unwrap_or_default()
    }

    fn trait_text(&self, name: &str) -> String {
        let told =
            self.parts.iter().filter_map(|part| Some((part.event.key(), part.traits.get(name)?)));
        let latest = told.filter(|(_, text)| !text.is_empty()).max();
        latest.map(|(_, text)| text.clone()).unwrap_or_default()
    }

    /// Returns the row of the table; `groups` has the names of groups.
    pub fn row(&self, email: &str, groups: &BTreeMap<String, (Key, String)>) -> Row {
        let mut row: Row = TRAITS.map(|name| (name.to_owned(), self.trait_text(name))).into();
        if row["company"].is_empty() {
            let mut joined = self.groups.clone();
            joined.sort_by(|a, b| b.cmp(a));
            let company = joined.iter().find_map(|(_, group)| groups.get(group));
            row.insert("company".into(), company.map(|(_, name)| name.clone()).unwrap_or_default());
        }
        let identified = self.parts.iter().filter(|part| part.brings_email);
        let identified = identified.filter_map(|part| part.event.time).min();
        let times: BTreeSet<i64> = self.signals().filter_map(|(part, _)| part.event.time).collect();
        let seen = |time: Option<&i64>| if self.has_signals() { time.copied() } else { identified };
        let count = |wanted: fn(&Signal<'_>) -> bool| {
            self.signals().filter(|(_, signal)| wanted(signal)).count().to_string()
        };
        let last = self.signals().max_by_key(|(part, _)| part.event.key());
        let ids = |id: fn(&Part<'_>) -> Option<String>| {
            let ids: BTreeSet<String> = self.parts.iter().filter_map(id).collect();
            ids.into_iter().collect::<Vec<_>>().join(";")
        };
        let is_high = |signal: &Signal<'_>| signal.rule.is_some_and(|rule| rule.high_intent);
        for (name, text) in [
            ("email", email.to_owned()),
            ("score", self.score().to_string()),
            ("signals", count(|_| true)),
            ("high_intent_signals", count(is_high)),
            ("rehydrated_signals", count(|signal| signal.rehydrated)),
            ("first_seen", time_text(seen(times.first()))),
            ("last_seen", time_text(seen(times.last()))),
            ("identified_at", time_text(identified)),
            ("last_signal", last.map(|(_, signal)| signal.name.clone()).unwrap_or_default()),
            ("top_signal", self.top_signal()),
            ("anonymous_ids", ids(|part| part.anonymous.clone())),
            ("user_ids", ids(|part| part.user.clone())),
            ("sources", "segment".to_owned()),
        ] {
            row.insert(name.to_owned(), text);
        }
        row.extend(self.first_touch());
        row
    }

    fn first_touch(&self) -> Row {
        let with_page = self.signals().filter(|(part, _)| !part.event.page_url().is_empty());
        let first = with_page.min_by_key(|(part, _)| part.event.key()).map(|(part, _)| part.event);
        let text = |path: &str| first.map(|event| event.text(path)).unwrap_or_default();
        let either = |first: String, second: String| if first.is_empty() { second } else { first };
        let referrer = either(text("properties.referrer"), text("context.page.referrer"));
        [
            ("first_page_url", first.map(Event::page_url).unwrap_or_default()),
            ("first_referrer", referrer),
            ("utm_source", text("context.campaign.source")),
            ("utm_medium", text("context.campaign.medium")),
            ("utm_campaign", text("context.campaign.name")),
        ]
        .map(|(name, text)| (name.to_owned(), text))
        .into()
    }

    /// Returns the periods with signals; `period_of` returns that of an event.
    pub fn periods(&self, period_of: impl Fn(&Event) -> Option<usize>) -> BTreeSet<usize> {
        self.signals().filter_map(|(part, _)| period_of(part.event)).collect()
    }

    /// Returns the events that bring the e-mail, in no particular order.
    pub fn bringing(&self) -> impl Iterator<Item = &Event> {
        self.parts.iter().filter(|part| part.brings_email).map(|part| part.event)
    }
}
