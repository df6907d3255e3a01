//! Scores leads and puts them in the order of the table.

use std::io;
use std::ops::{Deref, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use prefetch_index::prefetch_index;
use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use smallvec::SmallVec;

use super::run::{Merge, RunLead, SortedRuns};
use super::{Lead, Leads};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::NodeId;

/// The number of leads that are processed together, so that the cache misses of all of them
/// overlap.
const AHEAD: usize = 16;

/// The properties of a rule that scores and signal names depend on.
#[derive(Clone, Copy, Debug)]
pub struct RuleTerms<'a> {
    /// The score of each signal.
    pub score: i64,
    /// The maximum number of signals per lead that score; `None` is unlimited.
    pub limit: Option<u32>,
    /// The signal name; `None` uses the event name.
    pub signal: Option<&'a str>,
}

/// A reference to a lead in memory or one read from disk.
#[derive(Debug)]
pub enum LeadRef<'r> {
    /// A lead in memory, locked.
    Shared(MutexGuard<'r, Lead>),
    /// A lead read from disk.
    Read(&'r Lead),
}

impl Deref for LeadRef<'_> {
    type Target = Lead;

    fn deref(&self) -> &Lead {
        match self {
            Self::Shared(lead) => lead,
            Self::Read(lead) => lead,
        }
    }
}

/// A lead with its score.
#[derive(Debug)]
pub struct Ranked<'r> {
    /// The e-mail that names the lead.
    pub email: NodeId,
    /// The lead.
    pub lead: LeadRef<'r>,
    /// The sum of the scores of its signals, within the limits of the rules.
    pub score: i64,
    /// The name of the signals with the highest score; of several, the most frequent one, then the
    /// first in byte order.
    pub top_signal: &'r str,
}

/// All leads in the order of the table: by descending score, then by e-mail.
#[derive(Debug)]
pub struct Ranking<'a>(Kept<'a>);

#[derive(Debug)]
enum Kept<'a> {
    Memory(InMemory<'a>),
    Runs(SortedRuns<'a>),
}

/// Leads in memory, which are large, are not moved: only their indexes are sorted.
#[derive(Debug)]
struct InMemory<'a> {
    leads: Leads,
    /// In the order of `leads`.
    places: Vec<Place<'a>>,
    /// Indexes of `places`, by rank.
    order: Vec<u32>,
}

/// The index of a lead, with what it is ranked by.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    score: i64,
    /// The first bytes of the e-mail, which are enough to compare most of them.
    prefix: u64,
    top_signal: &'a str,
    email: NodeId,
    index: u32,
}

impl<'a> Ranking<'a> {
    /// Creates a ranking of leads in sorted runs on disk.
    pub(super) fn of_runs(runs: SortedRuns<'a>) -> Self {
        Self(Kept::Runs(runs))
    }

    /// Returns the number of leads.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Memory(leads) => leads.order.len(),
            Kept::Runs(runs) => runs.len(),
        }
    }

    /// Returns whether there are no leads.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all leads in order, in chunks of up to `most`.
    ///
    /// # Errors
    /// Returns an error if leads on disk cannot be read.
    pub fn chunks(&self, most: usize) -> io::Result<Chunks<'_>> {
        let source = match &self.0 {
            Kept::Memory(leads) => Source::Memory { leads, next: 0 },
            Kept::Runs(runs) => Source::Runs { merge: runs.merge()?, terms: runs.terms() },
        };
        Ok(Chunks { most, source })
    }

    /// Calls `then` with each lead, in order.
    ///
    /// # Errors
    /// Returns an error if leads on disk cannot be read.
    pub fn each(&self, mut then: impl FnMut(&Ranked<'_>)) -> io::Result<()> {
        let mut chunks = self.chunks(AHEAD)?;
        while let Some(chunk) = chunks.next()? {
            chunk.each(&mut then);
        }
        Ok(())
    }

    /// Frees the memory on a thread of `pool`: dropping so many small allocations takes a while,
    /// and nothing has to wait for it.
    pub fn free(self, pool: &ThreadPool) {
        if let Kept::Memory(InMemory { leads, .. }) = self.0 {
            pool.spawn(move || drop(leads));
        }
    }
}

impl InMemory<'_> {
    fn ranked(&self, rank: usize) -> Ranked<'_> {
        let &Place { score, top_signal, email, index, .. } = self.place(rank);
        let lead = &self.leads.all[index as usize];
        let lead = lead.lock().unwrap_or_else(PoisonError::into_inner);
        Ranked { email, lead: LeadRef::Shared(lead), score, top_signal }
    }

    fn place(&self, rank: usize) -> &Place<'_> {
        &self.places[self.order[rank] as usize]
    }

    /// Prefetches the leads of `ranks`.
    fn prefetch(&self, ranks: Range<usize>) {
        for rank in ranks.clone() {
            prefetch_index(&self.leads.all, self.place(rank).index as usize);
        }
        for rank in ranks {
            self.ranked(rank).lead.prefetch_texts();
        }
    }
}

/// An iterator over chunks of leads in order.
pub struct Chunks<'r> {
    most: usize,
    source: Source<'r>,
}

enum Source<'r> {
    Memory { leads: &'r InMemory<'r>, next: usize },
    Runs { merge: Merge<'r>, terms: &'r Terms<'r> },
}

impl<'r> Chunks<'r> {
    /// Returns the next chunk, or `None` after the last.
    ///
    /// # Errors
    /// Returns an error if leads on disk cannot be read.
    pub fn next(&mut self) -> io::Result<Option<Chunk<'r>>> {
        match &mut self.source {
            Source::Memory { leads, next } => {
                let ranks = *next..leads.order.len().min(*next + self.most);
                *next = ranks.end;
                Ok((!ranks.is_empty()).then_some(Chunk(Part::Ranks(leads, ranks))))
            }
            Source::Runs { merge, terms } => {
                let mut some = Vec::with_capacity(self.most);
                while some.len() < self.most
                    && let Some(lead) = merge.next()?
                {
                    some.push(lead);
                }
                Ok((!some.is_empty()).then_some(Chunk(Part::Read(some, terms))))
            }
        }
    }
}

/// Consecutive leads in order.
pub struct Chunk<'r>(Part<'r>);

enum Part<'r> {
    Ranks(&'r InMemory<'r>, Range<usize>),
    Read(Vec<RunLead>, &'r Terms<'r>),
}

impl Chunk<'_> {
    /// Calls `then` with each lead, in order.
    pub fn each(&self, mut then: impl FnMut(&Ranked<'_>)) {
        match &self.0 {
            Part::Ranks(leads, ranks) => {
                for first in ranks.clone().step_by(AHEAD) {
                    let some = first..ranks.end.min(first + AHEAD);
                    leads.prefetch(some.clone());
                    some.for_each(|rank| then(&leads.ranked(rank)));
                }
            }
            Part::Read(leads, terms) => {
                for RunLead { score, email, lead } in leads {
                    let (_, top_signal) = terms.weigh(lead);
                    let lead = LeadRef::Read(lead);
                    then(&Ranked { email: *email, lead, score: *score, top_signal });
                }
            }
        }
    }
}

/// A rule and the number of an event name, with the number of signals.
type Tally = ((Option<u32>, u32), u64);

/// The rules and event names by which leads are scored.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// The properties of each rule.
    pub rules: Vec<RuleTerms<'a>>,
    /// The event names, by number.
    pub events: &'a [&'a str],
}

impl<'a> Terms<'a> {
    fn rule(&self, rule: Option<u32>) -> Option<&RuleTerms<'a>> {
        self.rules.get(rule? as usize)
    }

    fn signal_name(&self, rule: Option<u32>, event: u32) -> &'a str {
        self.rule(rule)
            .and_then(|rule| rule.signal)
            .or_else(|| self.events.get(event as usize).copied())
            .unwrap_or_default()
    }

    /// Returns the score and the top signal of a lead whose sets are sorted.
    pub(in crate::engine) fn weigh(&self, lead: &Lead) -> (i64, &'a str) {
        let tallies = lead.tallies.as_slice();
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
    /// Scores and ranks all leads, on all threads of the current pool.
    #[allow(clippy::cast_possible_truncation)] // e-mails are numbered in 32 bits
    pub(super) fn rank<'a>(mut self, terms: &Terms<'a>, ids: &AllIds) -> Ranking<'a> {
        let Self { all, emails, .. } = &mut self;
        let weigh = |(index, (lead, &mut email)): (usize, (&mut Mutex<Lead>, &mut NodeId))| {
            let lead = lead.get_mut().unwrap_or_else(PoisonError::into_inner);
            if !lead.exists {
                return None;
            }
            lead.finish();
            let (score, top_signal) = terms.weigh(lead);
            let prefix = ids.order(email).prefix();
            Some(Place { score, prefix, top_signal, email, index: index as u32 })
        };
        let leads = all.par_iter_mut().zip(emails).enumerate();
        let places: Vec<Place<'a>> = leads.filter_map(weigh).collect();
        let mut order: Vec<u32> = (0..places.len() as u32).collect();
        order.par_sort_unstable_by(|&a, &b| {
            let (a, b) = (&places[a as usize], &places[b as usize]);
            let by_email = || ids.order(a.email).cmp(&ids.order(b.email));
            (b.score, a.prefix).cmp(&(a.score, b.prefix)).then_with(by_email)
        });
        Ranking(Kept::Memory(InMemory { leads: self, places, order }))
    }
}
