//! Which rules can take an event, without asking each.

use ahash::AHashMap;

use super::{Rule, RuleId};
use crate::event::{CallType, Event, Member};
use crate::fql::Demand;

/// Candidates in the order in which they are tried.
type Candidates = Box<[RuleId]>;

/// For each call and event name the rules that can take it.
///
/// A rule that demands an event name is a candidate for events of that name alone, so that a
/// thousand rules on names cost what ten do.
#[derive(Debug, Default)]
pub struct Index {
    named: AHashMap<Box<str>, PerCall>,
    others: PerCall,
}

type PerCall = [Candidates; CallType::ALL.len()];

impl Index {
    /// An index of `rules`.
    pub fn new(rules: &[Rule]) -> Self {
        let demands: Vec<Demand> = rules.iter().map(|rule| rule.when.demand()).collect();
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by_key(|&rule| std::cmp::Reverse(rules[rule].priority));
        let collect = |name: Option<&str>| -> PerCall {
            CallType::ALL.map(|call| {
                let can_take = |&&rule: &&usize| {
                    let Demand { events, calls } = &demands[rule];
                    let named = events.as_ref().is_none_or(|events| {
                        name.is_some_and(|name| events.iter().any(|event| **event == *name))
                    });
                    named && calls.as_ref().is_none_or(|calls| calls.contains(&call))
                };
                #[allow(clippy::cast_possible_truncation)] // a file holds far fewer rules
                let id = |&rule: &usize| RuleId(rule as u32);
                order.iter().filter(can_take).map(id).collect()
            })
        };
        let events = demands.iter().filter_map(|demand| demand.events.as_ref()).flatten();
        let mut named = AHashMap::new();
        for name in events {
            if !named.contains_key(name) {
                named.insert(name.clone(), collect(Some(name)));
            }
        }
        Self { named, others: collect(None) }
    }

    /// The first rule that takes `event`.
    #[inline]
    pub fn first_match(&self, rules: &[Rule], event: &Event<'_>) -> Option<RuleId> {
        let call = event.call_type()?;
        let name = event.text(Member::Event);
        let per_call = name.and_then(|name| self.named.get(name)).unwrap_or(&self.others);
        let mut candidates = per_call[call as usize].iter();
        candidates.find(|id| rules[id.index()].when.holds(event)).copied()
    }
}
