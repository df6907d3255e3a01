//! Counts for the events of one name.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::bounded::Weight;
use super::distinct::Distinct;
use crate::time::Time;

/// Sums over the events of one name.
#[derive(Debug)]
pub struct Tally {
    /// The number of events, including duplicates.
    pub events: u64,
    /// The number of duplicates.
    pub duplicates: u64,
    /// The visitors that resolve to an e-mail.
    pub known: Distinct,
    /// The other visitors.
    pub unknown: Distinct,
    /// The time of the first event.
    pub first: Time,
    /// The time of the last event.
    pub last: Time,
    /// Events by the first minute of the day on which they happened.
    pub days: BTreeMap<i64, u64>,
    /// Events by period of the plan in which they were received.
    pub periods: BTreeMap<usize, u64>,
    /// Events that are not duplicates, by the rule that maps them.
    pub rules: BTreeMap<u32, u64>,
    /// Events that are not duplicates and happened shortly before their visitor was identified.
    pub before_identify: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            events: 0,
            duplicates: 0,
            known: Distinct::default(),
            unknown: Distinct::default(),
            first: Time::MISSING,
            last: Time::MISSING,
            days: BTreeMap::new(),
            periods: BTreeMap::new(),
            rules: BTreeMap::new(),
            before_identify: 0,
        }
    }
}

impl Tally {
    /// Extends the span from the first to the last event by `time`.
    #[inline]
    pub fn span(&mut self, time: Time) {
        if !time.is_missing() {
            self.first = if self.first.is_missing() { time } else { self.first.min(time) };
            self.last = self.last.max(time);
        }
    }

    /// Returns the number of events that are not duplicates.
    pub fn kept(&self) -> u64 {
        self.events - self.duplicates
    }

    /// Returns the number of events that a rule maps.
    pub fn mapped(&self) -> u64 {
        self.rules.values().sum()
    }
}

fn add_all<K: Ord>(sums: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
    for (key, count) in others {
        *sums.entry(key).or_default() += count;
    }
}

impl Weight for Tally {
    fn weight(&self) -> u64 {
        self.events
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.before_identify += other.before_identify;
        self.known.absorb(other.known);
        self.unknown.absorb(other.unknown);
        self.span(other.first);
        self.span(other.last);
        add_all(&mut self.days, other.days);
        add_all(&mut self.periods, other.periods);
        add_all(&mut self.rules, other.rules);
    }
}
