//! What is counted of the events of one name.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::bounded::Weight;
use super::distinct::Distinct;
use crate::time::Time;

/// Sums over the events of one name.
#[derive(Debug)]
pub struct Tally {
    /// All of them, duplicates too.
    pub events: u64,
    /// Duplicates among them.
    pub duplicates: u64,
    /// Their visitors that lead to an e-mail.
    pub known: Distinct,
    /// Their other visitors.
    pub unknown: Distinct,
    /// When the first one happened.
    pub first: Time,
    /// When the last one did.
    pub last: Time,
    /// By the first minute of the day on which they happened.
    pub days: BTreeMap<i64, u64>,
    /// By period of the plan in which they were received.
    pub periods: BTreeMap<usize, u64>,
    /// Those that are no duplicates, by the rule that maps them.
    pub rules: BTreeMap<u32, u64>,
    /// Those that are no duplicates and came shortly before their visitor was tied to someone.
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
    /// Takes `time` into the span from the first event to the last.
    #[inline]
    pub fn span(&mut self, time: Time) {
        if !time.is_missing() {
            self.first = if self.first.is_missing() { time } else { self.first.min(time) };
            self.last = self.last.max(time);
        }
    }

    /// Those that are no duplicates.
    pub fn kept(&self) -> u64 {
        self.events - self.duplicates
    }

    /// Those that a rule maps.
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
