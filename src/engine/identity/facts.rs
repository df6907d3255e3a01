//! The facts of a run, in memory or in sorted runs on disk.

use std::io;
use std::sync::Arc;

use super::all_ids::AllIds;
use super::fact::{FACT_BYTES, Fact};
use super::timeline::sort;
use crate::engine::exchange::merge::{Cursor, Merge};
use crate::engine::exchange::sequence::{Sequence, SequenceReader, SequenceWriter, broken};
use crate::engine::exchange::spill::Spill;

/// The facts of a run.
#[derive(Clone, Debug)]
pub enum Facts {
    /// In memory, in no order.
    Memory(Vec<Fact>),
    /// On disk.
    Runs(FactRuns),
}

impl Default for Facts {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
}

impl Facts {
    /// Sorts those in memory on all threads of the current pool, as those on disk are.
    pub fn sort(&mut self, ids: &AllIds) {
        if let Self::Memory(facts) = self {
            sort(facts, ids);
        }
    }

    /// Keeps those that `keep` holds for.
    ///
    /// # Errors
    /// When those on disk cannot be read or written.
    pub fn retain(self, keep: impl Fn(&Fact) -> bool) -> io::Result<Self> {
        match self {
            Self::Memory(mut facts) => {
                facts.retain(keep);
                Ok(Self::Memory(facts))
            }
            Self::Runs(runs) => runs.retain(keep).map(Self::Runs),
        }
    }

    /// All of them, in memory.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn into_memory(self) -> io::Result<Vec<Fact>> {
        match self {
            Self::Memory(facts) => Ok(facts),
            Self::Runs(runs) => {
                let mut facts = Vec::new();
                runs.each(|fact| facts.push(fact))?;
                Ok(facts)
            }
        }
    }

    /// Calls `see` with each, in their order if they are sorted.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn each(&self, mut see: impl FnMut(&Fact)) -> io::Result<()> {
        match self {
            Self::Memory(facts) => {
                facts.iter().for_each(see);
                Ok(())
            }
            Self::Runs(runs) => runs.each(|fact| see(&fact)),
        }
    }
}

/// Facts on disk in several runs, each sorted by source, key and target. Their ids are numbered by
/// space and text.
#[derive(Clone, Debug)]
pub struct FactRuns {
    spill: Arc<Spill>,
    runs: Arc<[Sequence]>,
    piece_bytes: usize,
}

impl FactRuns {
    /// The facts in `runs`, which wait in `spill`; about `piece_bytes` are written at once.
    pub fn new(spill: Arc<Spill>, runs: Vec<Sequence>, piece_bytes: usize) -> Self {
        Self { spill, runs: runs.into(), piece_bytes }
    }

    /// Calls `see` with each fact: by source, then by key, then by target.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn each(&self, mut see: impl FnMut(Fact)) -> io::Result<()> {
        self.try_each(|fact| {
            see(fact);
            Ok(())
        })
    }

    /// Calls `see` with each fact until one fails: by source, then by key, then by target.
    ///
    /// # Errors
    /// When they cannot be read, or the first of `see`.
    pub fn try_each(&self, mut see: impl FnMut(Fact) -> io::Result<()>) -> io::Result<()> {
        let cursors = self.runs.iter().map(|run| FactCursor::new(run.read(&self.spill)));
        let mut merge = Merge::new(cursors)?;
        while let Some(first) = merge.first() {
            see(first.fact)?;
            merge.advance()?;
        }
        Ok(())
    }

    fn retain(&self, keep: impl Fn(&Fact) -> bool) -> io::Result<Self> {
        let mut writer = SequenceWriter::new(&self.spill, self.piece_bytes);
        self.try_each(|fact| if keep(&fact) { writer.put(|out| fact.write(out)) } else { Ok(()) })?;
        let run = writer.finish()?;
        Ok(Self::new(Arc::clone(&self.spill), vec![run], self.piece_bytes))
    }
}

/// The facts of one run.
struct FactCursor<'s> {
    reader: SequenceReader<'s>,
    fact: Fact,
}

impl<'s> FactCursor<'s> {
    fn new(reader: SequenceReader<'s>) -> Self {
        Self { reader, fact: Fact::read(&[0; FACT_BYTES]) }
    }
}

impl Cursor for FactCursor<'_> {
    fn advance(&mut self) -> io::Result<bool> {
        if !self.reader.fill()? {
            return Ok(false);
        }
        self.fact = Fact::read(self.reader.bytes().first_chunk().ok_or_else(broken)?);
        self.reader.skip(FACT_BYTES);
        Ok(true)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.fact.order() < other.fact.order()
    }
}
