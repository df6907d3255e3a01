//! Leads with their scores, in the order of the table.

use std::ops::Range;

use ahash::AHashMap;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::fold::{Shard, Tallies};
use super::{Lead, Leads};
use crate::identity::ids::{Ids, NodeId};

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
pub struct Ranked<'a> {
    /// The e-mail that names it.
    pub email: NodeId,
    /// The lead.
    pub lead: Lead,
    /// The scores of its signals, within the rules' limits.
    pub score: i64,
    /// The name of the signals that score highest; of several the most frequent, then the first
    /// by name.
    pub top_signal: &'a str,
}

/// All leads, where they lie and in their order: leads are large, and there may be many.
#[derive(Debug)]
pub struct Ranking<'a> {
    shards: Vec<Vec<Ranked<'a>>>,
    order: Vec<Place>,
}

/// Where a lead lies, and what decides its place in the order.
#[derive(Clone, Copy, Debug)]
struct Place {
    score: i64,
    email: NodeId,
    shard: u32,
    index: u32,
}

impl<'a> Ranking<'a> {
    /// How many leads there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The leads from one rank to before another, by score, the highest first, then by e-mail.
    pub fn range(&self, ranks: Range<usize>) -> impl Iterator<Item = &Ranked<'a>> {
        let places = self.order.get(ranks).unwrap_or_default();
        places.iter().map(|place| &self.shards[place.shard as usize][place.index as usize])
    }

    /// All leads, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Ranked<'a>> {
        self.shards.iter().flatten()
    }

    /// Gives the memory back: so many small pieces take a while, which the threads of the current
    /// pool share.
    pub fn free(self) {
        self.shards.into_par_iter().for_each(drop);
    }
}

/// A lead's signals of one rule and event name, and how many they are.
type Tally = ((NodeId, Option<u32>, u32), u64);

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
        for of_rule in tallies.chunk_by(|a, b| a.0.1 == b.0.1) {
            let Some(rule) = self.rule(of_rule[0].0.1) else { continue };
            let count: u64 = of_rule.iter().map(|(_, count)| count).sum();
            let counted = rule.limit.map_or(count, |limit| count.min(u64::from(limit)));
            let counted = i64::try_from(counted).unwrap_or(i64::MAX);
            score = score.saturating_add(rule.score.saturating_mul(counted));
        }
        let mut names: AHashMap<&str, (i64, u64)> = AHashMap::new();
        for &((_, rule, event), count) in tallies {
            let score = self.rule(rule).map_or(0, |rule| rule.score);
            let best = names.entry(self.signal_name(rule, event)).or_insert((score, 0));
            *best = (best.0.max(score), best.1 + count);
        }
        let top = names
            .into_iter()
            .max_by(|(a_name, a), (b_name, b)| a.cmp(b).then_with(|| b_name.cmp(a_name)));
        (score, top.map_or("", |(name, _)| name))
    }
}

impl Leads {
    /// Scores and ranks all leads. `events` are the event names by their numbers.
    #[allow(clippy::cast_possible_truncation)] // e-mails are numbered in 32 bits
    pub fn rank<'a>(self, rules: &[RuleTerms<'a>], events: &[&'a str], ids: &Ids) -> Ranking<'a> {
        let terms = Terms { rules, events };
        let shards: Vec<Vec<Ranked<'a>>> =
            self.into_shards().into_par_iter().map(|shard| weigh(shard, terms)).collect();
        let places = (0..).zip(&shards).flat_map(|(shard, leads)| {
            let place = move |(index, lead): (u32, &Ranked<'_>)| Place {
                score: lead.score,
                email: lead.email,
                shard,
                index,
            };
            (0..).zip(leads).map(place)
        });
        let mut order: Vec<Place> = places.collect();
        order.par_sort_unstable_by(|a, b| {
            b.score.cmp(&a.score).then_with(|| ids.bytes(a.email).cmp(ids.bytes(b.email)))
        });
        Ranking { shards, order }
    }
}

fn weigh<'a>(Shard { leads, tallies }: Shard, terms: Terms<'a, '_>) -> Vec<Ranked<'a>> {
    let tallies = sorted(tallies);
    let mut weighed: AHashMap<NodeId, (i64, &'a str)> = tallies
        .chunk_by(|a, b| a.0.0 == b.0.0)
        .map(|of_lead| (of_lead[0].0.0, terms.weigh(of_lead)))
        .collect();
    let ranked = leads.into_iter().map(|(email, mut lead)| {
        lead.settle();
        let (score, top_signal) = weighed.remove(&email).unwrap_or_default();
        Ranked { email, lead, score, top_signal }
    });
    ranked.collect()
}

fn sorted(tallies: Tallies) -> Vec<Tally> {
    let mut tallies: Vec<_> = tallies.into_iter().collect();
    tallies.sort_unstable_by_key(|&(key, _)| key);
    tallies
}
