//! The epochs of a run whose ids and facts do not fit into memory: how they end, and how they come
//! together once all is committed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::ThreadPool;
use rayon::iter::{IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};

use crate::engine::EventRef;
use crate::engine::exchange::sequence::{Sequence, piece_bytes};
use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::exchange::store::Segment;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::epoch::{Epoch, Numbering, Numbers};
use crate::engine::identity::fact::Fact;
use crate::engine::identity::facts::{FactRuns, Facts};
use crate::engine::identity::ids::Ids;
use crate::engine::watch::Watch;
use crate::error::Error;

/// E-mails are kept in memory if they take no more than such a part of it.
const EMAIL_SHARE: usize = 8;
/// All epochs are read at once in such a part of the memory, and written in as much.
const PIECES_SHARE: usize = 8;

/// The ids and facts of a run, part for part on disk.
#[derive(Debug)]
pub(super) struct Epochs {
    dir: PathBuf,
    budget_bytes: usize,
    spill: Spill,
    ended: Vec<Epoch>,
}

impl Epochs {
    /// None yet. What they come to is to take no more than `budget_bytes`; they wait in files in
    /// `dir` that go away by themselves.
    pub(super) fn new(dir: PathBuf, budget_bytes: usize) -> Self {
        Self { spill: Spill::new(dir.clone(), 0), dir, budget_bytes, ended: Vec::new() }
    }

    /// How many have ended; the current one has that number.
    pub(super) fn len(&self) -> usize {
        self.ended.len()
    }

    /// Whether none has ended.
    pub(super) fn is_empty(&self) -> bool {
        self.ended.is_empty()
    }

    /// Ends the current one, of which `ids` and `facts` are; the facts are of no use afterwards.
    ///
    /// # Errors
    /// When something cannot be written.
    pub(super) fn end(&mut self, ids: &Ids, facts: &mut [Fact]) -> io::Result<()> {
        let piece_bytes = piece_bytes(self.budget_bytes, 256);
        self.ended.push(Epoch::write(ids, facts, &self.spill, piece_bytes)?);
        Ok(())
    }

    /// Numbers all ids, and puts their numbers into `segments`, whose ids wait in `rows`, and into the
    /// facts; leaves out those of events that are `dead`.
    ///
    /// # Errors
    /// When the run was interrupted, or something cannot be read or written.
    pub(super) fn settle(
        self,
        segments: &mut [Segment],
        rows: &Spill,
        pool: &ThreadPool,
        watch: &dyn Watch,
    ) -> Result<(AllIds, Facts), Error> {
        let Self { dir, budget_bytes, spill, ended } = self;
        let piece_bytes = piece_bytes(budget_bytes / PIECES_SHARE, ended.len());
        let email_bytes = budget_bytes / EMAIL_SHARE;
        let numbering = Numbering { spill: &spill, piece_bytes, email_bytes };
        let (dictionary, numbers) =
            numbering.number(&ended, Spill::new(dir.clone(), 0)).map_err(Error::Spill)?;
        let fact_spill = Arc::new(Spill::new(dir, 0));
        let mut runs = Vec::with_capacity(ended.len());
        for (number, (epoch, numbers)) in ended.into_iter().zip(numbers).enumerate() {
            if watch.stopped() {
                return Err(Error::Interrupted);
            }
            let numbers = epoch.numbers(&numbers, &spill).map_err(Error::Spill)?;
            let run = pool.install(|| {
                renumber_segments(segments, number, rows, &numbers)?;
                renumber_facts(epoch.facts(), (&spill, &fact_spill), segments, &numbers)
            });
            runs.push(run.map_err(Error::Spill)?);
        }
        let facts = FactRuns::new(fact_spill, runs, piece_bytes);
        Ok((AllIds::Disk(Box::new(dictionary)), Facts::Runs(facts)))
    }
}

/// Puts the `numbers` of the run into those of `segments` that came in `epoch`.
fn renumber_segments(
    segments: &mut [Segment],
    epoch: usize,
    rows: &Spill,
    numbers: &Numbers,
) -> io::Result<()> {
    let of_epoch = segments.par_iter_mut().filter(|segment| segment.epoch == epoch);
    of_epoch.try_for_each_init(Vec::new, |buffer: &mut Vec<u8>, segment| {
        let mut ids = rows.read(&segment.ids, buffer)?.to_vec();
        numbers.translate(&mut ids)?;
        rows.replace(&mut segment.ids, &ids)
    })
}

/// Puts the `numbers` of the run into `facts`, which wait in the first spill, and keeps those that
/// count in the second.
fn renumber_facts(
    facts: &Sequence,
    (from, to): (&Spill, &Spill),
    segments: &[Segment],
    numbers: &Numbers,
) -> io::Result<Sequence> {
    let counts = |fact: &Fact| {
        let event = EventRef::from_raw(fact.event);
        segments[event.segment()].dead.binary_search(&event.row()).is_err()
    };
    let renumber = |piece: &Piece| {
        let (mut buffer, mut kept) = (Vec::new(), Vec::new());
        numbers.translate_facts(from.read(piece, &mut buffer)?, counts, &mut kept)?;
        to.keep(&[&kept])
    };
    let pieces: io::Result<Vec<Piece>> = facts.pieces().par_iter().map(renumber).collect();
    let mut pieces = pieces?;
    pieces.retain(|piece| !piece.is_empty());
    Ok(Sequence::of_pieces(pieces))
}
