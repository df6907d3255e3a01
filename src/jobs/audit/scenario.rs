//! A scenario: the duplicates, identities, leads and plan of one side.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashMap;
use rayon::ThreadPool;

use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::exchange::store::{Dropped, SegmentView, Store, StoredBatch};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::facts::Facts;
use crate::engine::ingest::commit::{Committed, Committer};
use crate::engine::lead::Ranked;
use crate::engine::map::batch::Batch;
use crate::engine::map::deletions::Deletions;
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::Ledger;
use crate::engine::resolve::sums::{LeadCounter, LeadSums};
use crate::engine::resolve::tally::Tally;
use crate::engine::resolve::{Input, Stage, resolve};
use crate::engine::watch::Watch;
use crate::engine::{Engine, EventRef};
use crate::error::Error;
use crate::jobs::audit::contributions::Contributions;
use crate::jobs::audit::lead_lines::{LeadLine, LeadLines};
use crate::jobs::audit::origins::{RowOrigins, StoredOrigins};
use crate::jobs::audit::signal_sums::{Notes, SignalCounter, SignalSums};

/// The leads that are compared get this part of the memory for leads.
const LINES_SHARE: usize = 16;
/// The counts of what units contribute get this part, on all threads together.
const CONTRIBUTIONS_SHARE: usize = 4;

/// A scenario to which batches are still committed.
#[derive(Debug)]
pub struct OpenScenario {
    committer: Committer,
    /// The origins of each segment, and its number in the order of commit.
    origins: Mutex<Vec<(usize, StoredOrigins)>>,
}

impl OpenScenario {
    /// Creates a scenario without batches.
    pub fn new(committer: Committer) -> Self {
        Self { committer, origins: Mutex::default() }
    }

    /// Commits a batch.
    ///
    /// # Errors
    /// Returns an error if data cannot be spilled.
    pub fn commit(
        &self,
        batch: &Batch,
        stored: StoredBatch,
        origins: StoredOrigins,
    ) -> io::Result<()> {
        let segment = self.committer.commit(batch, stored)?;
        self.origins.lock().unwrap_or_else(PoisonError::into_inner).push((segment, origins));
        Ok(())
    }

    /// Finishes the scenario after the last batch.
    ///
    /// # Errors
    /// Returns the errors of [`Committer::finish`].
    pub fn finish(
        self,
        deletions: &Deletions,
        pool: &ThreadPool,
        watch: &dyn Watch,
    ) -> Result<Scenario, Error> {
        let Self { committer, origins } = self;
        let mut origins = origins.into_inner().unwrap_or_else(PoisonError::into_inner);
        origins.sort_unstable_by_key(|&(segment, _)| segment);
        let origins: Vec<_> = origins.into_iter().map(|(_, origins)| origins).collect();
        let Committed { ids, facts, store, duplicates, scratch, .. } =
            committer.finish(deletions, pool, watch)?;
        let by_place: AHashMap<_, _> =
            origins.iter().enumerate().map(|(at, origins)| (origins.place, at)).collect();
        let place_of = |place| by_place.get(&place).copied().unwrap_or(0);
        let origins_of = store.segments().iter().map(|segment| place_of(segment.place)).collect();
        let facts = Mutex::new(facts);
        Ok(Scenario { ids, store, scratch, duplicates, origins, origins_of, facts })
    }
}

/// The committed data of one side.
#[derive(Debug)]
pub struct Scenario {
    /// All ids.
    pub ids: AllIds,
    /// The rows.
    pub store: Store,
    /// Where leads that do not fit into memory are spilled.
    scratch: Scratch,
    /// The number of duplicates.
    pub duplicates: u64,
    /// The origins of each segment, in order of commit.
    origins: Vec<StoredOrigins>,
    /// For each segment of the store, the index of its origins.
    origins_of: Vec<usize>,
    /// The identity facts, until they are taken.
    facts: Mutex<Facts>,
}

/// The result of resolving a scenario.
#[derive(Debug)]
pub struct Outcome {
    /// Counts of all kept events.
    pub tally: Tally,
    /// The ledger of the plan.
    pub ledger: Ledger,
    /// The leads.
    pub leads: LeadLines,
    /// Sums over all leads.
    pub sums: LeadSums,
    /// The number of leads with a signal, by period of the plan.
    pub active_leads: Vec<u64>,
    /// Sums by event name, and the sums that a change of the filter needs.
    pub signal_sums: SignalSums,
}

/// What is needed to resolve a scenario.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    /// The rules and settings.
    pub engine: &'a Engine,
    /// The names of all events.
    pub names: &'a EventNames<'a>,
    /// The thread pool.
    pub pool: &'a ThreadPool,
    /// Receives progress and can interrupt the audit.
    pub watch: &'a dyn Watch,
}

impl Scenario {
    /// Reads the origins of the segment `number`.
    ///
    /// # Errors
    /// Returns an error if the origins cannot be read.
    pub fn origins<'a>(
        &'a self,
        number: usize,
        buffer: &'a mut Vec<u8>,
    ) -> Result<RowOrigins<'a>, Error> {
        let origins = &self.origins[self.origins_of[number]];
        origins.read(self.store.spill(), buffer).map_err(Error::Spill)
    }

    /// Returns the facts; keeps a copy if `again` is `true`, and otherwise takes them.
    pub fn facts(&self, again: bool) -> Facts {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if again {
            return facts.clone();
        }
        std::mem::take(&mut *facts)
    }

    /// Returns the facts without those of events in `dropped`.
    ///
    /// # Errors
    /// Returns an error if facts on disk cannot be read or written.
    pub fn facts_without(&self, dropped: &Dropped) -> Result<Facts, Error> {
        // Facts number segments in order of commit, as origins do.
        let mut settled = vec![0; self.origins.len()];
        for (number, &origins) in self.origins_of.iter().enumerate() {
            settled[origins] = number;
        }
        let stays = |fact: &Fact| {
            let event = EventRef::from_raw(fact.event);
            !dropped.has(settled[event.segment()], event.row())
        };
        self.facts(false).retain(stays).map_err(Error::Spill)
    }

    /// Resolves the scenario with `facts` and `ledger`, which has settled the raw signals, without
    /// the events in `dropped`.
    ///
    /// # Errors
    /// Returns an error if the audit was interrupted or if spilled data cannot be read.
    pub fn resolve(
        &self,
        resources: Resources<'_>,
        ledger: Ledger,
        facts: Facts,
        dropped: Option<&Dropped>,
        signal_counter: SignalCounter,
    ) -> Result<Outcome, Error> {
        let Resources { engine, names, pool, watch } = resources;
        let ids = &self.ids;
        let stage = Stage { engine, ids, ledger: &ledger, names, pool, watch };
        let input = Input { facts, store: &self.store, scratch: &self.scratch, dropped };
        let spill = Arc::new(Spill::new(self.scratch.dir.clone(), 0));
        let share = self.scratch.lead_bytes / CONTRIBUTIONS_SHARE / pool.current_num_threads();
        let contributions =
            || signal_counter.contributions.then(|| Contributions::new(&spill, share));
        let start = || Notes::new(names, signal_counter, contributions());
        let end = |notes: &mut Notes<'_>, number: usize, _: &SegmentView<'_>| {
            notes.count(|buffer| self.origins(number, buffer))
        };
        let resolved = resolve(stage, input, start, end, |()| Ok(()))?;
        let mut signal_sums = SignalSums::default();
        for notes in resolved.visitors {
            signal_sums.absorb(notes.into_sums()).map_err(Error::Spill)?;
        }
        let mut counter = LeadCounter::new(ledger.periods.len());
        let share = self.scratch.lead_bytes / LINES_SHARE;
        let (mut leads, mut put) = (LeadLines::new(self.scratch.dir.clone(), share), Ok(()));
        let see = |ranked: &Ranked<'_>| {
            counter.see(ranked);
            let email = ids.text(ranked.email).into();
            let line = LeadLine { email, score: ranked.score, signals: ranked.lead.signals };
            if put.is_ok() {
                put = leads.put(line);
            }
        };
        let seen = resolved.leads.each(see);
        seen.and(put).and_then(|()| ids.check()).map_err(Error::Spill)?;
        leads.finish();
        let (sums, active_leads) = counter.finish();
        resolved.leads.free(pool);
        Ok(Outcome { tally: resolved.tally, ledger, leads, sums, active_leads, signal_sums })
    }
}
