//! Leads with their scores, in the order of the table.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prefetch_index::prefetch_index;
use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use smallvec::SmallVec;

use super::{Lead, Leads};
use crate::engine::identity::ids::{Ids, NodeId};

/// What a rule says that scores depend on.
#[derive(Clone, Copy, Debug)]
pub struct RuleTerms<'a> {
    /// What each of its signals scores.
    pub score: i64,
    /// At most so many of its signals score for one lead.
    pub limit: Option<u32>,
    /// The name of its signals, unless they bear that of their event.
    pub signal: Option<&'a str>,
}

/// A lead with its score.
#[derive(Debug)]
pub struct Ranked<'r> {
    /// The e-mail that names it.
    pub email: NodeId,
    /// The lead.
    pub lead: MutexGuard<'r, Lead>,
    /// The scores of its signals, within the rules' limits.
    pub score: i64,
    /// The name of the signals that score highest; of several the most frequent, then the first
    /// by name.
    pub top_signal: &'r str,
}

/// All leads, where they lie and in their order: leads are large, and there may be many.
#[derive(Debug)]
pub struct Ranking<'a> {
    leads: Leads,
    /// As they lie.
    places: Vec<Place<'a>>,
    /// The numbers of places, by rank.
    order: Vec<u32>,
}

/// Where a lead lies, and what ranks it.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    score: i64,
    /// The beginning of the e-mail, which mostly decides between two.
    prefix: u64,
    top_signal: &'a str,
    email: NodeId,
    index: u32,
}

impl Ranking<'_> {
    /// How many leads there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The leads from one rank to before another, by score, the highest first, then by e-mail.
    pub fn range(&self, ranks: Range<usize>) -> impl Iterator<Item = Ranked<'_>> {
        let places = self.order.get(ranks).unwrap_or_default();
        places.iter().map(|&place| self.ranked(&self.places[place as usize]))
    }

    /// Fetches the leads of these ranks into the caches, so that the memory of many is waited for
    /// at once.
    pub fn prefetch(&self, ranks: Range<usize>) {
        let places = self.order.get(ranks).unwrap_or_default();
        for &place in places {
            prefetch_index(&self.leads.all, self.places[place as usize].index as usize);
        }
        for &place in places {
            self.ranked(&self.places[place as usize]).lead.prefetch_texts();
        }
    }

    /// All leads, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Ranked<'_>> {
        self.places.iter().map(|place| self.ranked(place))
    }

    fn ranked<'r>(&'r self, place: &Place<'r>) -> Ranked<'r> {
        let &Place { score, top_signal, email, index, .. } = place;
        let lead = &self.leads.all[index as usize];
        let lead = lead.lock().unwrap_or_else(PoisonError::into_inner);
        Ranked { email, lead, score, top_signal }
    }

    /// Gives the memory back on a thread of `pool`, for nobody waits for that: so many small
    /// pieces take a while.
    pub fn free(self, pool: &ThreadPool) {
        let leads = self.leads;
        pool.spawn(move || drop(leads));
    }
}

/// How many signals of one rule and event name there are.
type Tally = ((Option<u32>, u32), u64);

/// The names and scores that tallies are read with.
#[derive(Clone, Copy)]
struct Terms<'a, 'r> {
    rules: &'r [RuleTerms<'a>],
    events: &'r [&'a str],
}

impl<'a> Terms<'a, '_> {
    fn rule(&self, rule: Option<u32>) -> Option<&RuleTerms<'a>> {
        self.rules.get(rule? as usize)
    }

    fn signal_name(&self, rule: Option<u32>, event: u32) -> &'a str {
        self.rule(rule)
            .and_then(|rule| rule.signal)
            .or_else(|| self.events.get(event as usize).copied())
            .unwrap_or_default()
    }

    /// The score and the top signal of a lead that has these tallies, sorted by rule.
    fn weigh(&self, tallies: &[Tally]) -> (i64, &'a str) {
        let mut score = 0_i64;
        for of_rule in tallies.chunk_by(|a, b| a.0.0 == b.0.0) {
            let Some(rule) = self.rule(of_rule[0].0.0) else { continue };
            let count: u64 = of_rule.iter().map(|(_, count)| count).sum();
            let counted = rule.limit.map_or(count, |limit| count.min(u64::from(limit)));
            let counted = i64::try_from(counted).unwrap_or(i64::MAX);
            score = score.saturating_add(rule.score.saturating_mul(counted));
        }
        let of_tally = |&((rule, event), count): &Tally| {
            let score = self.rule(rule).map_or(0, |rule| rule.score);
            (self.signal_name(rule, event), score, count)
        };
        let mut names: SmallVec<[(&str, i64, u64); 16]> = tallies.iter().map(of_tally).collect();
        names.sort_unstable();
        let of_name = |same: &[(&'a str, i64, u64)]| {
            let best = same.iter().map(|&(_, score, _)| score).max();
            (best, same.iter().map(|(.., count)| count).sum::<u64>(), same[0].0)
        };
        let top = names
            .chunk_by(|a, b| a.0 == b.0)
            .map(of_name)
            .max_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| b.2.cmp(a.2)));
        (score, top.map_or("", |(.., name)| name))
    }
}

impl Leads {
    /// Scores and ranks all leads. `events` are the event names by their numbers.
    #[allow(clippy::cast_possible_truncation)] // e-mails are numbered in 32 bits
    pub fn rank<'a>(
        mut self,
        rules: &[RuleTerms<'a>],
        events: &[&'a str],
        ids: &Ids,
    ) -> Ranking<'a> {
        let terms = Terms { rules, events };
        let Self { all, emails, .. } = &mut self;
        let weigh = |(index, (lead, &mut email)): (usize, (&mut Mutex<Lead>, &mut NodeId))| {
            let lead = lead.get_mut().unwrap_or_else(PoisonError::into_inner);
            if !lead.exists {
                return None;
            }
            lead.settle();
            let (score, top_signal) = terms.weigh(lead.tallies.as_slice());
            let prefix = prefix(ids.text(email));
            Some(Place { score, prefix, top_signal, email, index: index as u32 })
        };
        let leads = all.par_iter_mut().zip(emails).enumerate();
        let places: Vec<Place<'a>> = leads.filter_map(weigh).collect();
        let mut order: Vec<u32> = (0..places.len() as u32).collect();
        order.par_sort_unstable_by(|&a, &b| {
            let (a, b) = (&places[a as usize], &places[b as usize]);
            let by_email = || ids.text(a.email).cmp(ids.text(b.email));
            (b.score, a.prefix).cmp(&(a.score, b.prefix)).then_with(by_email)
        });
        Ranking { leads: self, places, order }
    }
}

/// The first bytes of `text`, as a number that is ordered as they are.
fn prefix(text: &str) -> u64 {
    let text = text.as_bytes();
    let mut first = [0; 8];
    let len = text.len().min(first.len());
    first[..len].copy_from_slice(&text[..len]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn beginnings_are_ordered_as_texts(a in "[\0a-c]{0,10}", b in "[\0a-c]{0,10}") {
            let key = |text: &str| (prefix(text), text.to_owned());
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        }
    }
}
