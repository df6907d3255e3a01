//! Leads that do not fit into memory: their parts are written to disk in partitions by lead, and
//! each partition is folded by itself.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::fold::{Signal, Touch};
use super::rank::{Ranking, Terms};
use super::run::{Run, RunWriter, SortedRuns};
use super::{LEAD_BYTES, Lead};
use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;

/// The maximum number of partitions; with more, the buffers take more memory than is saved.
const MOST_DIVISIONS: usize = 256;

/// The number of bytes from which on parts of a partition are written.
const PIECE_BYTES: usize = 32 << 10;

/// Parts of leads on disk.
#[derive(Debug)]
pub struct SpilledLeads {
    spill: Spill,
    divisions: Vec<Mutex<Vec<Piece>>>,
    /// The number of leads that a thread collects in memory before it writes them.
    gathered: usize,
}

impl SpilledLeads {
    /// Creates the store for about `leads` leads, in anonymous files in `dir`. `threads` threads,
    /// which first collect leads and later fold partitions, use `budget_bytes` together.
    pub fn new(dir: PathBuf, leads: usize, budget_bytes: usize, threads: usize) -> Self {
        let fitting = (budget_bytes / LEAD_BYTES / threads.max(1)).max(1);
        let divisions = leads.div_ceil(fitting).clamp(1, MOST_DIVISIONS);
        Self {
            spill: Spill::new(dir, 0),
            divisions: (0..divisions).map(|_| Mutex::default()).collect(),
            gathered: fitting,
        }
    }

    /// Writes parts of leads.
    fn keep(&self, parts: impl IntoIterator<Item = (NodeId, Lead)>) -> io::Result<()> {
        let mut written = vec![Vec::new(); self.divisions.len()];
        for (email, lead) in parts {
            // E-mails are numbered in order of appearance, so that consecutive ones spread evenly.
            let division = email.index() % self.divisions.len();
            lead.write(email, &mut written[division]);
            // Pieces are written at once: all collected leads as bytes would take the same memory
            // again.
            if written[division].len() >= PIECE_BYTES {
                self.keep_piece(division, &mut written[division])?;
            }
        }
        for (division, bytes) in written.iter_mut().enumerate() {
            self.keep_piece(division, bytes)?;
        }
        Ok(())
    }

    /// Writes `bytes`, unless empty, as parts of leads of the partition `division`.
    fn keep_piece(&self, division: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
        if !bytes.is_empty() {
            let piece = self.spill.keep(&[bytes])?;
            let pieces = &self.divisions[division];
            pieces.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
            bytes.clear();
        }
        Ok(())
    }

    /// Marks `leads` as accepted: the service would have accepted an event that brings their
    /// e-mail.
    ///
    /// # Errors
    /// Returns an error if the marks cannot be written.
    pub fn accept(&self, leads: impl Iterator<Item = NodeId>) -> io::Result<()> {
        self.keep(leads.map(|email| (email, Lead { accepted: true, ..Lead::default() })))
    }

    /// Folds, scores and ranks all leads, one partition per thread of `pool` at a time.
    ///
    /// # Errors
    /// Returns an error if the parts cannot be read, or the leads cannot be written.
    pub fn rank<'a>(
        self,
        terms: Terms<'a>,
        ids: &'a AllIds,
        pool: &ThreadPool,
    ) -> io::Result<Ranking<'a>> {
        let Self { spill, divisions, .. } = self;
        let fold = |division: Mutex<Vec<Piece>>| {
            let pieces = division.into_inner().unwrap_or_else(PoisonError::into_inner);
            sorted_run(&spill, pieces, &terms, ids)
        };
        let runs: io::Result<Vec<Run>> =
            pool.install(|| divisions.into_par_iter().map(fold).collect());
        Ok(Ranking::of_runs(SortedRuns::new(spill, runs?, terms, ids)))
    }
}

/// Folds the parts in `pieces`, and writes the leads as a run.
fn sorted_run(
    spill: &Spill,
    pieces: Vec<Piece>,
    terms: &Terms<'_>,
    ids: &AllIds,
) -> io::Result<Run> {
    let (mut leads, mut buffer) = (AHashMap::<NodeId, Lead>::new(), Vec::new());
    for piece in pieces {
        let mut bytes = spill.read(&piece, &mut buffer)?;
        while let Some((email, part)) = Lead::read(&mut bytes) {
            leads.entry(email).or_default().merge(part);
        }
    }
    let mut ranked: Vec<(i64, NodeId, Lead)> = leads
        .into_iter()
        .filter(|(_, lead)| lead.exists)
        .map(|(email, mut lead)| {
            lead.settle();
            (terms.weigh(&lead).0, email, lead)
        })
        .collect();
    ranked.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| ids.order(a.1).cmp(&ids.order(b.1))));
    let mut run = RunWriter::new(spill);
    for (score, email, lead) in &ranked {
        run.put(*score, *email, lead)?;
    }
    run.finish()
}

/// The leads that one thread collects before it writes them.
#[derive(Debug)]
pub struct Gatherer<'a> {
    spilled: &'a SpilledLeads,
    leads: AHashMap<NodeId, Lead>,
}

impl<'a> Gatherer<'a> {
    /// Creates an empty collection for `spilled`.
    pub fn new(spilled: &'a SpilledLeads) -> Self {
        Self { spilled, leads: AHashMap::new() }
    }

    /// Adds an identify call.
    pub fn identify(&mut self, touch: &Touch<'_>) {
        self.existing(touch.lead).touch(touch);
    }

    /// Adds an event outside of the window, which enriches a lead but does not create one.
    pub fn enrich(&mut self, touch: &Touch<'_>) {
        self.leads.entry(touch.lead).or_default().touch(touch);
    }

    /// Adds a signal.
    pub fn signal(&mut self, touch: &Touch<'_>, signal: &Signal<'_>) {
        let lead = self.existing(touch.lead);
        lead.touch(touch);
        lead.signal(touch.key, signal);
    }

    /// Adds a group call, which does not create a lead.
    pub fn group(&mut self, lead: NodeId, key: OrderKey, group: NodeId) {
        self.leads.entry(lead).or_default().join(group, key);
    }

    fn existing(&mut self, lead: NodeId) -> &mut Lead {
        let lead = self.leads.entry(lead).or_default();
        lead.exists = true;
        lead
    }

    /// Writes the collected leads if there are many or `when` demands it.
    ///
    /// # Errors
    /// Returns an error if the leads cannot be written.
    pub fn flush(&mut self, when: Flush) -> io::Result<()> {
        if when == Flush::Always || self.leads.len() >= self.spilled.gathered {
            self.spilled.keep(self.leads.drain())?;
        }
        Ok(())
    }
}

/// When collected leads are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// If there are many.
    WhenMany,
    /// Always.
    Always,
}
