//! Coverage of a plan and of rules by fixtures, and which rule precedes which.

use std::collections::BTreeMap;

use ahash::AHashMap;

use crate::event::{Event, Member};
use crate::rules::{RuleId, Rules};
use crate::schema::Plan;

/// What was seen in fixtures; several sum up.
#[derive(Debug, Default)]
pub struct Seen {
    /// For each rule of the plan, whether an event was checked against it.
    pub plan: Vec<bool>,
    /// For each rule of the plan, whether an event could not be checked against it at a bounded cost.
    pub costly: Vec<bool>,
    /// For each mapping rule, how many signals it took.
    pub rules: Vec<u64>,
    /// For each mapping rule, how many signals that it would have taken went to which earlier one.
    /// Not counted once the rule has taken one itself.
    pub taken: Vec<BTreeMap<RuleId, u64>>,
}

impl Seen {
    /// Nothing yet.
    pub fn new(plan: Option<&Plan>, rules: &Rules) -> Self {
        Self {
            plan: vec![false; plan.map_or(0, |plan| plan.rules.len())],
            costly: vec![false; plan.map_or(0, |plan| plan.rules.len())],
            rules: vec![0; rules.rules.len()],
            taken: vec![BTreeMap::new(); rules.rules.len()],
        }
    }

    /// Adds what another has seen of the same plan and rules.
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
        for (taken, more) in self.taken.iter_mut().zip(other.taken) {
            for (by, count) in more {
                *taken.entry(by).or_default() += count;
            }
        }
    }

    /// Notes a signal that the rule `matched` has taken.
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
                *self.taken[rule].entry(matched).or_default() += 1;
            }
        }
    }
}

/// The rules that can take an event, by its name.
#[derive(Debug, Default)]
pub struct Candidates {
    named: AHashMap<Box<str>, Vec<usize>>,
    others: Vec<usize>,
}

impl Candidates {
    /// Those of `rules`.
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

/// For each mapping rule that no fixture covers, but for those in `unreachable`, its place and what
/// is to be said.
pub fn uncovered_rules(rules: &Rules, seen: &Seen, unreachable: &[usize]) -> Vec<(usize, String)> {
    let open = |place: &usize| seen.rules[*place] == 0 && !unreachable.contains(place);
    let places = (0..rules.rules.len().min(seen.rules.len())).filter(open);
    let say = |place: usize| {
        let id = &rules.rules[place].id;
        let taken = &seen.taken[place];
        if taken.is_empty() {
            return (place, format!("no fixture has a signal for the rule `{id}`"));
        }
        let by = taken.keys().map(|by| format!("`{}`", rules.rules[by.index()].id));
        let by = by.collect::<Vec<_>>().join(", ");
        let count: u64 = taken.values().sum();
        let signals = if count == 1 { "the one signal" } else { "all signals" };
        (place, format!("{signals} of the fixtures that the rule `{id}` would take went to {by}"))
    };
    places.map(say).collect()
}
