//! An index of the rules by call and event name, so that the cost of an event does not grow with
//! the number of rules.

use ahash::AHashMap;
use smallvec::SmallVec;

use super::{Rule, RuleId};
use crate::event::{CallType, Event, Member};
use crate::fql::Demand;

/// Ranks of rules, in ascending order. Most names have one rule, which needs no allocation.
type Ranks = SmallVec<[u32; 2]>;

/// The rules that can match an event, by the name and the call that they require.
#[derive(Debug, Default)]
pub struct Index {
    /// The rules in the order in which they are tried; the index of a rule is its rank.
    order: Vec<RuleId>,
    /// For each event name, the ranks of the rules that require it.
    named: AHashMap<Box<str>, PerCall>,
    /// The ranks of the rules that do not require a name.
    others: PerCall,
}

type PerCall = [Ranks; CallType::ALL.len()];

impl Index {
    /// Creates an index of `rules`.
    pub fn new(rules: &[Rule]) -> Self {
        #[allow(clippy::cast_possible_truncation)] // a file has far fewer rules
        let ids = 0..rules.len() as u32;
        let mut order: Vec<RuleId> = ids.map(RuleId).collect();
        order.sort_by_key(|id| std::cmp::Reverse(rules[id.index()].priority));
        let mut index = Self::default();
        for (rank, id) in (0..).zip(&order) {
            index.add(rank, rules[id.index()].when.demand());
        }
        Self { order, ..index }
    }

    /// Adds the rule with this rank, which is higher than all ranks before it.
    fn add(&mut self, rank: u32, demand: Demand) {
        let calls = demand.calls.as_deref().unwrap_or(&CallType::ALL);
        let add =
            |ranks: &mut PerCall| calls.iter().for_each(|&call| ranks[call as usize].push(rank));
        match demand.events {
            Some(names) => {
                for name in names {
                    add(self.named.entry(name).or_default());
                }
            }
            None => add(&mut self.others),
        }
    }

    /// Returns the first rule that matches `event`.
    #[inline]
    pub fn first_match(&self, rules: &[Rule], event: &Event<'_>) -> Option<RuleId> {
        self.candidates(event).find(|id| rules[id.index()].when.holds(event))
    }

    /// Returns the rules that can match `event`, in the order in which they are tried.
    #[inline]
    pub fn candidates<'i>(&'i self, event: &Event<'_>) -> Candidates<'i> {
        let Some(call) = event.call_type().map(|call| call as usize) else {
            return Candidates { order: &self.order, named: &[], others: &[] };
        };
        let named = event.text(Member::Event).and_then(|name| self.named.get(name));
        let named = named.map_or(&[][..], |ranks| &ranks[call]);
        Candidates { order: &self.order, named, others: &self.others[call] }
    }
}

/// An iterator over the rules that can match an event, which merges two sorted lists of ranks.
pub struct Candidates<'i> {
    order: &'i [RuleId],
    named: &'i [u32],
    others: &'i [u32],
}

impl Iterator for Candidates<'_> {
    type Item = RuleId;

    #[inline]
    fn next(&mut self) -> Option<RuleId> {
        let Self { order, named, others } = self;
        let first = match (named.first(), others.first()) {
            (Some(rank), Some(other)) if other < rank => others,
            (Some(_), _) => named,
            (None, _) => others,
        };
        let (&rank, rest) = first.split_first()?;
        *first = rest;
        Some(order[rank as usize])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::event::{Event, Members};
    use crate::json::document::with_json;
    use crate::rules::Rules;

    proptest! {
        #[test]
        fn the_first_rule_by_priority_and_place_takes_an_event(
            picks in prop::collection::vec((0..5_usize, 0..3_i64), 0..12),
            name in 0..4_usize,
            call in prop::sample::select(&["track", "page"][..]),
        ) {
            let when = |kind: usize| match kind {
                0 => "all",
                1 => "event = \"E1\"",
                2 => "event in [\"E1\", \"E2\"]",
                3 => "type = \"page\"",
                _ => "type = \"track\" and userId = \"u\"",
            };
            let rule = |(place, &(kind, priority)): (usize, &(usize, i64))| {
                format!("[[rule]]\nid = \"{place}\"\nwhen = '{}'\npriority = {priority}\n", when(kind))
            };
            let text: String = picks.iter().enumerate().map(rule).collect();
            let rules = Rules::parse(&format!("version = 1\n{text}")).unwrap();
            let json = format!(r#"{{"type":"{call}","event":"E{name}","userId":"u"}}"#);
            with_json(&json, |json| {
                let members = Members::of(json);
                let event = Event::new(json, &members);
                let takers = rules.rules.iter().enumerate().filter(|(_, rule)| rule.when.holds(&event));
                let expected = takers.min_by_key(|(place, rule)| (std::cmp::Reverse(rule.priority), *place));
                let found = rules.first_match(&event).map(super::RuleId::index);
                prop_assert_eq!(found, expected.map(|(place, _)| place));
                Ok(())
            })?;
        }
    }

    #[test]
    fn very_many_rules_are_indexed() {
        let rule = |n: usize| {
            let when = if n.is_multiple_of(2) {
                format!("event = \"E{n}\"")
            } else {
                format!("properties.p = {n}")
            };
            format!(
                "[[rule]]\nid = \"{n}\"\nwhen = '{when}'\n[rule.map]\nc{n} = \"properties.c\"\n"
            )
        };
        let text: String = (0..10_000).map(rule).collect();
        assert_eq!(Rules::parse(&format!("version = 1\n{text}")).unwrap().rules.len(), 10_000);
    }
}
