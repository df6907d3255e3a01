//! What one side sees: its own duplicates, identities, leads and plan.

use std::io;
use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;
use rayon::ThreadPool;
use rayon::slice::ParallelSliceMut;

use super::Side;
use super::fit::Dropped;
use super::survey::RowMark;
use crate::engine::exchange::ordered::in_order;
use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::identity::fact::Fact;
use crate::engine::identity::merge::Merged;
use crate::engine::identity::resolve::Resolver;
use crate::engine::identity::timeline::Timelines;
use crate::engine::ingest::commit::{Buffers, Committer, StoredBatch};
use crate::engine::map::batch::{Batch, Place};
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::Ledger;
use crate::engine::resolve::finish::{Finisher, Worker};
use crate::engine::resolve::sums::{LeadSums, rule_terms, sum_leads};
use crate::engine::resolve::tally::{Tally, settle_partial};
use crate::engine::watch::Watch;
use crate::engine::{Engine, EventRef};
use crate::error::Error;
use crate::jobs::audit::signal_sums::{SignalCounter, SignalSums};
use crate::rules::Merge;

/// For each row of a segment, what takes it and on which line of its block it stands.
#[derive(Debug)]
pub struct StoredOrigins {
    place: Place,
    piece: Piece,
}

/// What a row has in an [`StoredOrigins`]: two numbers of four bytes.
const ORIGIN_BYTES: usize = 8;

impl StoredOrigins {
    /// That of the rows that `side` sees.
    ///
    /// # Errors
    /// When it cannot be spilled.
    pub fn new(place: Place, rows: &[RowMark], side: Side, spill: &Spill) -> io::Result<Self> {
        let seen = rows.iter().filter(|row| row.sides & side.bit() != 0);
        let mut bytes = Vec::with_capacity(rows.len() * ORIGIN_BYTES);
        for row in seen {
            bytes.extend_from_slice(&row.by.to_le_bytes());
            bytes.extend_from_slice(&row.line.to_le_bytes());
        }
        Ok(Self { place, piece: spill.keep(&[&bytes])? })
    }
}

/// An [`StoredOrigins`] read back.
#[derive(Clone, Copy, Debug)]
pub struct RowOrigins<'a> {
    /// The block that it is of.
    pub place: Place,
    bytes: &'a [u8],
}

impl RowOrigins<'_> {
    /// The set of lines that take `row`, and its line in the block.
    pub fn of(&self, row: u32) -> (u32, u32) {
        let at = row as usize * ORIGIN_BYTES;
        let number = |at: usize| {
            let bytes = self.bytes.get(at..).and_then(|rest| rest.first_chunk());
            bytes.map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
        };
        (number(at), number(at + 4))
    }
}

/// All that one side has been given.
#[derive(Debug)]
pub struct Scenario {
    /// Ids, facts and rows.
    pub committed: Committer,
    /// One for each segment, in order of commit.
    origins: Vec<StoredOrigins>,
    /// For each segment of the settled committer, its origins.
    origins_of: Vec<usize>,
    /// Its identity facts, once it is settled.
    facts: Mutex<Vec<Fact>>,
}

/// What a scenario comes to.
#[derive(Debug)]
pub struct Outcome {
    /// Sums over all kept events.
    pub tally: Tally,
    /// The plan.
    pub ledger: Ledger,
    /// Leads by e-mail.
    pub leads: Vec<LeadLine>,
    /// Sums over the leads.
    pub sums: LeadSums,
    /// Leads with a signal, by period of the plan.
    pub active_leads: Vec<u64>,
    /// By event name, and what a change of the filter needs to know.
    pub signal_sums: SignalSums,
}

/// A lead, as far as an audit compares it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeadLine {
    /// Its e-mail.
    pub email: Box<str>,
    /// Its score.
    pub score: i64,
    /// How many signals it has.
    pub signals: u64,
}

/// What resolves a scenario.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    /// The rules and all that stands beside them.
    pub engine: &'a Engine,
    /// The names of all events.
    pub names: &'a EventNames<'a>,
    /// The threads.
    pub pool: &'a ThreadPool,
    /// Who may end it.
    pub watch: &'a dyn Watch,
}

impl Scenario {
    /// A scenario without events, that `committed` will take.
    pub fn new(committed: Committer) -> Self {
        Self { committed, origins: Vec::new(), origins_of: Vec::new(), facts: Mutex::default() }
    }

    /// Takes over a batch.
    ///
    /// # Errors
    /// When something of it cannot be spilled.
    pub fn commit(
        &mut self,
        batch: &Batch,
        kept: StoredBatch,
        stored_origins: StoredOrigins,
    ) -> io::Result<()> {
        self.origins.push(stored_origins);
        self.committed.commit(batch, kept)
    }

    /// After the last batch.
    ///
    /// # Errors
    /// Those of [`Committer::settle`].
    pub fn settle(&mut self, pool: &ThreadPool, watch: &dyn Watch) -> Result<(), Error> {
        self.committed.settle(pool, watch)?;
        self.facts = Mutex::new(std::mem::take(&mut self.committed.facts));
        let origins = self.origins.iter().enumerate();
        let by_place: AHashMap<_, _> =
            origins.map(|(at, origins)| ((origins.place.file, origins.place.block), at)).collect();
        let place_of = |place: Place| by_place.get(&(place.file, place.block)).copied();
        let segments = self.committed.segments.iter();
        self.origins_of = segments.map(|segment| place_of(segment.place).unwrap_or(0)).collect();
        Ok(())
    }

    /// The origins of the segment `number`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn origins<'a>(
        &'a self,
        number: usize,
        buffer: &'a mut Vec<u8>,
    ) -> Result<RowOrigins<'a>, Error> {
        let stored_origins = &self.origins[self.origins_of[number]];
        let bytes =
            self.committed.keeping().read(&stored_origins.piece, buffer).map_err(Error::Spill)?;
        Ok(RowOrigins { place: stored_origins.place, bytes })
    }

    /// The facts; `again` where they will be asked for once more.
    pub fn facts(&self, again: bool) -> Vec<Fact> {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if again { facts.clone() } else { std::mem::take(&mut *facts) }
    }

    /// The facts, without those of events that `dropped` takes away.
    pub fn facts_without(&self, dropped: &Dropped) -> Vec<Fact> {
        // Facts count segments in order of commit, as origins do.
        let mut settled = vec![0; self.origins.len()];
        for (number, &origins) in self.origins_of.iter().enumerate() {
            settled[origins] = number;
        }
        let stays = |fact: &Fact| {
            let event = EventRef::from_raw(fact.event);
            !dropped.has(settled[event.segment()], event.row())
        };
        let mut facts = self.facts(false);
        facts.retain(stays);
        facts
    }

    /// Resolves the scenario with its `facts`, whose raw signals `ledger` has settled, without what
    /// `dropped` takes away.
    ///
    /// # Errors
    /// When the audit was interrupted or what was spilled cannot be read.
    pub fn resolve(
        &self,
        resources: Resources<'_>,
        ledger: Ledger,
        mut facts: Vec<Fact>,
        dropped: Option<&Dropped>,
        signal_counter: SignalCounter,
    ) -> Result<Outcome, Error> {
        let Resources { engine, names, pool, .. } = resources;
        let (ids, identity) = (&self.committed.ids, &engine.rules.identity);
        let max_emails = identity.max_emails as usize;
        let timelines = pool.install(|| Timelines::new(&mut facts, ids, max_emails));
        let merged = match identity.merge {
            Merge::None => Merged::default(),
            Merge::UserId => Merged::new(&facts, ids, max_emails),
        };
        drop(facts);
        let resolver = Resolver::new(&timelines, ids, identity);
        let finisher = Finisher::new(engine, ids, resolver, &merged, &ledger, names);
        let (mut tally, found) = self.finish(&finisher, resources, dropped, signal_counter)?;
        let (leads, _) = finisher.into_leads();
        settle_partial(&mut tally, &ledger, &leads);
        let terms = rule_terms(engine);
        let ranked = pool.install(|| leads.rank(&terms, names.as_slice(), ids));
        let (sums, active_leads) = sum_leads(&ranked, ledger.periods.len());
        let line = |lead: crate::engine::lead::Ranked<'_>| LeadLine {
            email: ids.text(lead.email).into(),
            score: lead.score,
            signals: lead.lead.signals,
        };
        let mut leads: Vec<LeadLine> = ranked.iter().map(line).collect();
        ranked.free(pool);
        pool.install(|| leads.par_sort_unstable());
        Ok(Outcome { tally, ledger, leads, sums, active_leads, signal_sums: found })
    }

    fn finish(
        &self,
        finisher: &Finisher<'_>,
        resources: Resources<'_>,
        dropped: Option<&Dropped>,
        signal_counter: SignalCounter,
    ) -> Result<(Tally, SignalSums), Error> {
        let start = || {
            let worker = Worker { notes: Some(Vec::new()), ..finisher.worker(Vec::new()) };
            (worker, SignalSums::default(), Buffers::default(), Vec::new())
        };
        let workers = in_order(
            resources.pool,
            self.committed.segments.len(),
            start,
            |(worker, own, buffers, buffer), number| {
                if resources.watch.stopped() {
                    return Err(Error::Interrupted);
                }
                let segment = &self.committed.segments[number];
                let parts = self.committed.read(segment, buffers).map_err(Error::Spill)?;
                let all = dropped.map(|dropped| dropped.with(number, &segment.dead));
                finisher.segment(worker, all.as_deref().unwrap_or(&segment.dead), &parts);
                let origins = self.origins(number, buffer)?;
                let notes = worker.notes.get_or_insert_default();
                signal_counter.count(notes, origins, own);
                notes.clear();
                Ok(())
            },
            |()| Ok(()),
        )?;
        let mut tally = Tally::new(0, 0);
        let mut sum = SignalSums::default();
        for (at, (worker, own, ..)) in workers.into_iter().enumerate() {
            if at == 0 {
                tally = worker.tally;
            } else {
                tally += worker.tally;
            }
            sum += own;
        }
        Ok((tally, sum))
    }
}
