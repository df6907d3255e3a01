//! Leads that do not fit into memory: their parts are written to disk in partitions by lead, and
//! each partition is folded by itself.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::fold::{Signal, Touch};
use super::rank::{Ranking, Terms};
use super::run::{Run, RunWriter, SortedRuns};
use super::table::LeadTable;
use super::{LEAD_BYTES, Lead};
use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;

/// The maximum number of partitions; with more, the buffers take more memory than is saved.
const MAX_PARTITIONS: usize = 256;

/// The maximum and the minimum number of bytes from which on parts of a partition are written.
const MAX_PIECE_BYTES: usize = 32 << 10;
const MIN_PIECE_BYTES: usize = 1 << 10;
/// The inverse of the share of a thread's memory for parts that are yet to be written.
const PIECES_SHARE: usize = 8;
/// The minimum memory of a thread: with less, leads would be folded one by one.
const MIN_THREAD_BYTES: usize = 64 << 10;

/// Parts of leads on disk.
#[derive(Debug)]
pub struct SpilledLeads {
    spill: Spill,
    partitions: Vec<Mutex<Vec<Piece>>>,
    /// The memory for the leads that a thread collects before it writes them, and later folds at once.
    thread_bytes: usize,
}

impl SpilledLeads {
    /// Creates the store for about `leads` leads, in anonymous files in `dir`. `threads` threads,
    /// which first collect leads and later fold partitions, use `budget_bytes` together.
    pub fn new(dir: PathBuf, leads: usize, budget_bytes: usize, threads: usize) -> Self {
        let thread_bytes = (budget_bytes / threads.max(1)).max(MIN_THREAD_BYTES);
        let partitions = leads.saturating_mul(LEAD_BYTES).div_ceil(thread_bytes);
        Self {
            spill: Spill::new(dir, 0),
            partitions: (0..partitions.clamp(1, MAX_PARTITIONS))
                .map(|_| Mutex::default())
                .collect(),
            thread_bytes,
        }
    }

    /// Writes parts of leads.
    fn keep(&self, parts: impl IntoIterator<Item = (NodeId, Lead)>) -> io::Result<()> {
        let mut written = vec![Vec::new(); self.partitions.len()];
        let piece_bytes = self.thread_bytes / PIECES_SHARE / self.partitions.len();
        let piece_bytes = piece_bytes.clamp(MIN_PIECE_BYTES, MAX_PIECE_BYTES);
        for (email, lead) in parts {
            // E-mails are numbered in order of appearance, so that consecutive ones spread evenly.
            let partition = email.index() % self.partitions.len();
            lead.write(email, &mut written[partition]);
            // Pieces are written at once: all collected leads as bytes would take the same memory
            // again.
            if written[partition].len() >= piece_bytes {
                self.keep_piece(partition, &mut written[partition])?;
            }
        }
        for (partition, bytes) in written.iter_mut().enumerate() {
            self.keep_piece(partition, bytes)?;
        }
        Ok(())
    }

    /// Writes `bytes`, unless empty, as parts of leads of `partition`.
    fn keep_piece(&self, partition: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
        if !bytes.is_empty() {
            let piece = self.spill.keep(&[bytes])?;
            let pieces = &self.partitions[partition];
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
        let Self { spill, partitions, thread_bytes } = self;
        let count = partitions.len();
        let fold = |partition: Mutex<Vec<Piece>>| {
            let pieces = partition.into_inner().unwrap_or_else(PoisonError::into_inner);
            let partition = Partition { pieces, partitions: count, budget_bytes: thread_bytes };
            partition.sorted_runs(&spill, &terms, ids)
        };
        let runs: io::Result<Vec<Vec<Run>>> =
            pool.install(|| partitions.into_par_iter().map(fold).collect());
        let runs = runs?.into_iter().flatten().collect();
        Ok(Ranking::of_runs(SortedRuns::new(spill, runs, terms, ids)))
    }
}

/// A partition of leads, and how it is folded.
struct Partition {
    pieces: Vec<Piece>,
    /// The number of partitions; each contains the e-mails whose numbers leave one remainder.
    partitions: usize,
    budget_bytes: usize,
}

impl Partition {
    /// Folds the parts and writes the leads as sorted runs: all of them at once, or, if they exceed the
    /// budget together, those of some e-mails at a time.
    fn sorted_runs(&self, spill: &Spill, terms: &Terms<'_>, ids: &AllIds) -> io::Result<Vec<Run>> {
        let mut runs = Vec::new();
        // The remainders of the e-mails' positions in the partition that are yet to be folded.
        let mut open = vec![(0, 1)];
        let mut leads = LeadTable::default();
        while let Some((remainder, mut modulus)) = open.pop() {
            let place = |email: NodeId| email.index() / self.partitions;
            self.each(spill, |email, part| {
                if place(email) % modulus != remainder {
                    return;
                }
                leads.with(email, |lead| lead.merge(part));
                if leads.bytes() > self.budget_bytes && leads.len() > 1 {
                    open.push((remainder + modulus, 2 * modulus));
                    modulus *= 2;
                    leads.retain(|email| place(email) % modulus == remainder);
                }
            })?;
            runs.push(sorted_run(&mut leads, spill, terms, ids)?);
        }
        Ok(runs)
    }

    fn each(&self, spill: &Spill, mut see: impl FnMut(NodeId, Lead)) -> io::Result<()> {
        let mut buffer = Vec::new();
        for piece in &self.pieces {
            let mut bytes = spill.read(piece, &mut buffer)?;
            while let Some((email, part)) = Lead::read(&mut bytes) {
                see(email, part);
            }
        }
        Ok(())
    }
}

/// Writes the leads of `table` as a run, and empties it.
fn sorted_run(
    table: &mut LeadTable,
    spill: &Spill,
    terms: &Terms<'_>,
    ids: &AllIds,
) -> io::Result<Run> {
    let weigh = |(place, (email, lead)): (usize, &mut (NodeId, Lead))| {
        lead.finish();
        lead.exists.then(|| (terms.weigh(lead).0, *email, place))
    };
    let mut order: Vec<(i64, NodeId, usize)> =
        table.iter_mut().enumerate().filter_map(weigh).collect();
    order.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| ids.order(a.1).cmp(&ids.order(b.1))));
    let mut run = RunWriter::new(spill);
    for (score, email, place) in order {
        if let Some((_, lead)) = table.get(place) {
            run.put(score, email, lead)?;
        }
    }
    table.drain().for_each(drop);
    run.finish()
}

/// The leads that one thread collects before it writes them.
#[derive(Debug)]
pub struct LeadCollector<'a> {
    spilled: &'a SpilledLeads,
    leads: LeadTable,
}

impl<'a> LeadCollector<'a> {
    /// Creates an empty collection for `spilled`.
    pub fn new(spilled: &'a SpilledLeads) -> Self {
        Self { spilled, leads: LeadTable::default() }
    }

    /// Adds an identify call.
    pub fn identify(&mut self, touch: &Touch<'_>) {
        self.leads.with(touch.lead, |lead| {
            lead.exists = true;
            lead.touch(touch);
        });
    }

    /// Adds an event outside of the window, which enriches a lead but does not create one.
    pub fn enrich(&mut self, touch: &Touch<'_>) {
        self.leads.with(touch.lead, |lead| lead.touch(touch));
    }

    /// Adds a signal.
    pub fn signal(&mut self, touch: &Touch<'_>, signal: &Signal<'_>) {
        self.leads.with(touch.lead, |lead| {
            lead.exists = true;
            lead.touch(touch);
            lead.signal(touch.key, signal);
        });
    }

    /// Adds a group call, which does not create a lead.
    pub fn group(&mut self, lead: NodeId, key: OrderKey, group: NodeId) {
        self.leads.with(lead, |lead| lead.join(group, key));
    }

    /// Writes the collected leads if there are many or `when` demands it.
    ///
    /// # Errors
    /// Returns an error if the leads cannot be written.
    pub fn flush(&mut self, when: Flush) -> io::Result<()> {
        if when == Flush::Always || self.leads.bytes() >= self.spilled.thread_bytes {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::identity::ids::{Ids, Space};
    use crate::engine::lead::Trait;
    use crate::time::Time;
    use ahash::RandomState;

    #[test]
    fn a_partition_that_exceeds_its_memory_is_folded_in_several_passes() {
        let mut ids = Ids::new(RandomState::new());
        let emails: Vec<NodeId> = (0..1000)
            .map(|number| ids.intern(Space::Email, &format!("{number:04}@acme.example")))
            .collect();
        let ids = AllIds::Memory(ids);
        let dir = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let ranked = |expected_leads, budget_bytes| {
            let spilled = SpilledLeads::new(dir.path().to_owned(), expected_leads, budget_bytes, 1);
            let mut collector = LeadCollector::new(&spilled);
            for step in 0..3000_u32 {
                let key = OrderKey {
                    time: Time::from_raw(step.into()),
                    received: Time::MISSING,
                    signal_id: step.into(),
                };
                let touch = Touch {
                    lead: emails[step as usize * 7 % emails.len()],
                    key,
                    anonymous: Some(NodeId::from_raw(step)),
                    user: None,
                    traits: [""; Trait::ALL.len()],
                    brings_email: None,
                };
                let signal = Signal {
                    rule: None,
                    event: step % 3,
                    high_intent: step % 5 == 0,
                    rehydrated: false,
                    period: None,
                    page: None,
                };
                collector.signal(&touch, &signal);
                collector.flush(Flush::WhenMany).unwrap();
            }
            collector.flush(Flush::Always).unwrap();
            let terms = Terms { rules: Vec::new(), events: &["a", "b", "c"] };
            let ranking = spilled.rank(terms, &ids, &pool).unwrap();
            let mut leads = Vec::new();
            ranking
                .each(|ranked| {
                    leads.push((ranked.email, ranked.top_signal.to_owned(), ranked.lead.signals));
                })
                .unwrap();
            leads
        };
        let plenty = ranked(1000, 1 << 30);
        assert_eq!(plenty.len(), 1000);
        assert!(plenty.iter().all(|(.., signals)| *signals == 3));
        assert_eq!(ranked(1, 0), plenty, "one partition of some 600 KB in 64 KiB");
    }
}
