//! What one side sees: its own duplicates, identities, leads and plan.

use std::io;
use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;
use rayon::ThreadPool;
use rayon::slice::ParallelSliceMut;

use super::Side;
use super::fit::Dropped;
use super::glean::{Gleaned, Gleaner};
use super::survey::RowMark;
use crate::error::Error;
use crate::identity::fact::Fact;
use crate::identity::merge::Merged;
use crate::identity::resolve::Resolver;
use crate::identity::timeline::Timelines;
use crate::pipeline::batch::{Batch, Place};
use crate::pipeline::commit::{Buffers, Committer, Kept};
use crate::pipeline::event_names::EventNames;
use crate::pipeline::finish::{Finisher, Worker};
use crate::pipeline::ordered::in_order;
use crate::pipeline::produce::{LeadSums, rule_terms, settle_partial, sum_leads};
use crate::pipeline::spill::{Piece, Spill};
use crate::pipeline::tally::Tally;
use crate::pipeline::watch::Watch;
use crate::pipeline::{Engine, EventRef};
use crate::plan::Ledger;
use crate::rules::Merge;

/// For each row of a segment, what takes it and on which line of its block it stands.
#[derive(Debug)]
pub struct Annexed {
    place: Place,
    piece: Piece,
}

/// What a row has in an [`Annexed`]: two numbers of four bytes.
const ANNEX_BYTES: usize = 8;

impl Annexed {
    /// That of the rows that `side` sees.
    ///
    /// # Errors
    /// When it cannot be spilled.
    pub fn new(place: Place, rows: &[RowMark], side: Side, spill: &Spill) -> io::Result<Self> {
        let seen = rows.iter().filter(|row| row.sides & side.bit() != 0);
        let mut bytes = Vec::with_capacity(rows.len() * ANNEX_BYTES);
        for row in seen {
            bytes.extend_from_slice(&row.by.to_le_bytes());
            bytes.extend_from_slice(&row.line.to_le_bytes());
        }
        Ok(Self { place, piece: spill.keep(&[&bytes])? })
    }
}

/// An [`Annexed`] read back.
#[derive(Clone, Copy, Debug)]
pub struct Annex<'a> {
    /// The block that it is of.
    pub place: Place,
    bytes: &'a [u8],
}

impl Annex<'_> {
    /// The line or filter that takes `row`, and its line in the block.
    pub fn of(&self, row: u32) -> (u32, u32) {
        let at = row as usize * ANNEX_BYTES;
        let number = |at: usize| {
            let bytes = self.bytes.get(at..).and_then(|rest| rest.first_chunk());
            bytes.map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
        };
        (number(at), number(at + 4))
    }
}

/// All that one side has been given.
#[derive(Debug)]
pub struct World {
    /// Ids, facts and rows.
    pub committed: Committer,
    /// One for each segment, in order of commit.
    annexes: Vec<Annexed>,
    /// For each segment of the settled committer, its annex.
    annex_of: Vec<usize>,
    /// Its identity facts, once it is settled.
    facts: Mutex<Vec<Fact>>,
}

/// What a world comes to.
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
    pub gleaned: Gleaned,
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

/// What resolves a world.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The rules and all that stands beside them.
    pub engine: &'a Engine,
    /// The names of all events.
    pub names: &'a EventNames<'a>,
    /// The threads.
    pub pool: &'a ThreadPool,
    /// Who may end it.
    pub watch: &'a dyn Watch,
}

impl World {
    /// A world without events, that `committed` will take.
    pub fn new(committed: Committer) -> Self {
        Self { committed, annexes: Vec::new(), annex_of: Vec::new(), facts: Mutex::default() }
    }

    /// Takes over a batch.
    ///
    /// # Errors
    /// When something of it cannot be spilled.
    pub fn commit(&mut self, batch: &Batch, kept: Kept, annexed: Annexed) -> io::Result<()> {
        self.annexes.push(annexed);
        self.committed.commit(batch, kept)
    }

    /// After the last batch.
    ///
    /// # Errors
    /// Those of [`Committer::settle`].
    pub fn settle(&mut self, pool: &ThreadPool, watch: &dyn Watch) -> Result<(), Error> {
        self.committed.settle(pool, watch)?;
        self.facts = Mutex::new(std::mem::take(&mut self.committed.facts));
        let annexes = self.annexes.iter().enumerate();
        let by_place: AHashMap<_, _> =
            annexes.map(|(at, annex)| ((annex.place.file, annex.place.block), at)).collect();
        let place_of = |place: Place| by_place.get(&(place.file, place.block)).copied();
        let segments = self.committed.segments.iter();
        self.annex_of = segments.map(|segment| place_of(segment.place).unwrap_or(0)).collect();
        Ok(())
    }

    /// The annex of the segment `number`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn annex<'a>(&'a self, number: usize, buffer: &'a mut Vec<u8>) -> Result<Annex<'a>, Error> {
        let annexed = &self.annexes[self.annex_of[number]];
        let bytes = self.committed.keeping().read(&annexed.piece, buffer).map_err(Error::Spill)?;
        Ok(Annex { place: annexed.place, bytes })
    }

    /// The facts; `again` where they will be asked for once more.
    pub fn facts(&self, again: bool) -> Vec<Fact> {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if again { facts.clone() } else { std::mem::take(&mut *facts) }
    }

    /// The facts, without those of events that `dropped` takes away.
    pub fn facts_without(&self, dropped: &Dropped) -> Vec<Fact> {
        // Facts count segments in order of commit, as annexes do.
        let mut settled = vec![0; self.annexes.len()];
        for (number, &annex) in self.annex_of.iter().enumerate() {
            settled[annex] = number;
        }
        let stays = |fact: &Fact| {
            let event = EventRef::from_raw(fact.event);
            !dropped.has(settled[event.segment()], event.row())
        };
        let mut facts = self.facts(false);
        facts.retain(stays);
        facts
    }

    /// Resolves the world with its `facts`, whose raw signals `ledger` has settled, without what
    /// `dropped` takes away.
    ///
    /// # Errors
    /// When the audit was interrupted or what was spilled cannot be read.
    pub fn resolve(
        &self,
        means: Means<'_>,
        ledger: Ledger,
        mut facts: Vec<Fact>,
        dropped: Option<&Dropped>,
        gleaner: Gleaner,
    ) -> Result<Outcome, Error> {
        let Means { engine, names, pool, .. } = means;
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
        let (mut tally, found) = self.finish(&finisher, means, dropped, gleaner)?;
        let (leads, _) = finisher.into_leads();
        settle_partial(&mut tally, &ledger, &leads);
        let terms = rule_terms(engine);
        let ranked = pool.install(|| leads.rank(&terms, names.as_slice(), ids));
        let (sums, active_leads) = sum_leads(&ranked, ledger.periods.len());
        let line = |lead: crate::lead::Ranked<'_>| LeadLine {
            email: ids.text(lead.email).into(),
            score: lead.score,
            signals: lead.lead.signals,
        };
        let mut leads: Vec<LeadLine> = ranked.iter().map(line).collect();
        ranked.free(pool);
        pool.install(|| leads.par_sort_unstable());
        Ok(Outcome { tally, ledger, leads, sums, active_leads, gleaned: found })
    }

    fn finish(
        &self,
        finisher: &Finisher<'_>,
        means: Means<'_>,
        dropped: Option<&Dropped>,
        gleaner: Gleaner,
    ) -> Result<(Tally, Gleaned), Error> {
        let start = || {
            let worker = Worker { notes: Some(Vec::new()), ..finisher.worker(Vec::new()) };
            (worker, Gleaned::default(), Buffers::default(), Vec::new())
        };
        let workers = in_order(
            means.pool,
            self.committed.segments.len(),
            start,
            |(worker, own, buffers, buffer), number| {
                if means.watch.stopped() {
                    return Err(Error::Interrupted);
                }
                let segment = &self.committed.segments[number];
                let parts = self.committed.read(segment, buffers).map_err(Error::Spill)?;
                let all = dropped.map(|dropped| dropped.with(number, &segment.dead));
                finisher.segment(worker, all.as_deref().unwrap_or(&segment.dead), &parts);
                let annex = self.annex(number, buffer)?;
                let notes = worker.notes.get_or_insert_default();
                gleaner.glean(notes, annex, own);
                notes.clear();
                Ok(())
            },
            |()| Ok(()),
        )?;
        let mut tally = Tally::new(0, 0);
        let mut sum = Gleaned::default();
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
