//! The epochs of a run whose ids and facts do not fit into memory: writes them, and merges them
//! once all batches are committed.

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

/// The inverse of the share of memory up to which e-mails are kept in memory.
const EMAIL_SHARE: usize = 8;
/// The inverse of the share of memory for reading all epochs at the same time, and for writing them.
const PIECES_SHARE: usize = 8;

/// The epochs, on disk.
#[derive(Debug)]
pub(super) struct Epochs {
    dir: PathBuf,
    budget_bytes: usize,
    spill: Spill,
    ended: Vec<Epoch>,
}

impl Epochs {
    /// Creates a collection without epochs, in anonymous files in `dir`. Merging them takes up to
    /// `budget_bytes`.
    pub(super) fn new(dir: PathBuf, budget_bytes: usize) -> Self {
        Self { spill: Spill::new(dir.clone(), 0), dir, budget_bytes, ended: Vec::new() }
    }

    /// Returns the number of epochs that have ended, which is the number of the current one.
    pub(super) fn len(&self) -> usize {
        self.ended.len()
    }

    /// Returns whether no epoch has ended.
    pub(super) fn is_empty(&self) -> bool {
        self.ended.is_empty()
    }

    /// Ends the current epoch, which has `ids` and `facts`. The ids of `facts` are overwritten.
    ///
    /// # Errors
    /// Returns an error if something cannot be written.
    pub(super) fn end(&mut self, ids: &Ids, facts: &mut [Fact]) -> io::Result<()> {
        let piece_bytes = piece_bytes(self.budget_bytes, 256);
        self.ended.push(Epoch::write(ids, facts, &self.spill, piece_bytes)?);
        Ok(())
    }

    /// Numbers all ids, and replaces the ids of `segments`, which are in `rows`, and of facts by
    /// these numbers. The facts of `dead` events are left out.
    ///
    /// # Errors
    /// Returns an error if the job was cancelled, or something cannot be read or written.
    pub(super) fn merge(
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

/// Replaces the ids of the `segments` of `epoch` by their `numbers` in the run.
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

/// Replaces the ids of `facts`, which are in the first spill, by their `numbers` in the run, and
/// writes facts of events that are kept to the second spill.
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
