//! The coverage of a plan and of rules by fixtures, and which rule precedes another.

use std::collections::BTreeMap;

use ahash::AHashMap;

use crate::event::{Event, Member};
use crate::rules::{RuleId, Rules};
use crate::schema::Plan;

/// Counts over fixtures, which can be added up.
#[derive(Debug, Default)]
pub struct Seen {
    /// For each rule of the plan, whether any event was checked against it.
    pub plan: Vec<bool>,
    /// For each rule of the plan, whether an event was too expensive to check against it.
    pub costly: Vec<bool>,
    /// For each mapping rule, the number of signals that it maps.
    pub rules: Vec<u64>,
    /// For each mapping rule, the number of signals that it would map but an earlier rule does, by
    /// that rule. Not counted once the rule has mapped a signal.
    pub preceded_by: Vec<BTreeMap<RuleId, u64>>,
}

impl Seen {
    /// Creates empty counts.
    pub fn new(plan: Option<&Plan>, rules: &Rules) -> Self {
        Self {
            plan: vec![false; plan.map_or(0, |plan| plan.rules.len())],
            costly: vec![false; plan.map_or(0, |plan| plan.rules.len())],
            rules: vec![0; rules.rules.len()],
            preceded_by: vec![BTreeMap::new(); rules.rules.len()],
        }
    }

    /// Adds the counts of `other`, which are for the same plan and rules.
    pub fn add(&mut self, other: Self) {
        if self.plan.len() < other.plan.len() || self.rules.len() < other.rules.len() {
            return *self = other;
        }
        let flags = self.plan.iter_mut().zip(other.plan);
        for (seen, too) in flags.chain(self.costly.iter_mut().zip(other.costly)) {
            *seen |= too;
        }
        for (count, more) in self.rules.iter_mut().zip(other.rules) {
            *count += more;
        }
        for (preceded_by, more) in self.preceded_by.iter_mut().zip(other.preceded_by) {
            for (by, count) in more {
                *preceded_by.entry(by).or_default() += count;
            }
        }
    }

    /// Counts a signal that the rule `matched` maps.
    pub fn signal(
        &mut self,
        rules: &Rules,
        candidates: &Candidates,
        event: &Event<'_>,
        matched: Option<RuleId>,
    ) {
        let Some(matched) = matched else { return };
        self.rules[matched.index()] += 1;
        for rule in candidates.of(event) {
            let waits = rule != matched.index() && self.rules[rule] == 0;
            if waits && rules.rules[rule].when.holds(event) {
                *self.preceded_by[rule].entry(matched).or_default() += 1;
            }
        }
    }
}

/// The rules that can match an event, indexed by its name.
#[derive(Debug, Default)]
pub struct Candidates {
    named: AHashMap<Box<str>, Vec<usize>>,
    others: Vec<usize>,
}

impl Candidates {
    /// Creates the index of `rules`.
    pub fn new(rules: &Rules) -> Self {
        let mut candidates = Self::default();
        for (place, rule) in rules.rules.iter().enumerate() {
            match rule.when.demand().events {
                Some(names) => {
                    for name in names {
                        candidates.named.entry(name).or_default().push(place);
                    }
                }
                None => candidates.others.push(place),
            }
        }
        candidates
    }

    fn of(&self, event: &Event<'_>) -> impl Iterator<Item = usize> {
        let named = event.text(Member::Event).and_then(|name| self.named.get(name));
        named.into_iter().flatten().chain(&self.others).copied()
    }
}

/// Returns the index of each mapping rule that no fixture covers, except for those in
/// `unreachable`, with the message.
pub fn uncovered_rules(rules: &Rules, seen: &Seen, unreachable: &[usize]) -> Vec<(usize, String)> {
    let open = |place: &usize| seen.rules[*place] == 0 && !unreachable.contains(place);
    let places = (0..rules.rules.len().min(seen.rules.len())).filter(open);
    let say = |place: usize| {
        let id = &rules.rules[place].id;
        let preceded_by = &seen.preceded_by[place];
        if preceded_by.is_empty() {
            return (place, format!("no fixture has a signal for the rule `{id}`"));
        }
        let by = preceded_by.keys().map(|by| format!("`{}`", rules.rules[by.index()].id));
        let by = by.collect::<Vec<_>>().join(", ");
        let count: u64 = preceded_by.values().sum();
        let signals = if count == 1 { "the one signal" } else { "all signals" };
        (place, format!("{signals} of the fixtures that the rule `{id}` would take went to {by}"))
    };
    places.map(say).collect()
}
