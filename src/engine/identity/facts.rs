//! The facts of a run, in memory or in sorted runs on disk.

use std::io;
use std::sync::Arc;

use super::all_ids::AllIds;
use super::fact::Fact;
use super::timeline::sort;
use crate::engine::exchange::runs::{MergedRuns, Record};
use crate::engine::exchange::sequence::{Sequence, SequenceWriter};
use crate::engine::exchange::spill::Spill;

/// The facts of a run.
#[derive(Clone, Debug)]
pub enum Facts {
    /// In memory, unsorted until [`Facts::sort`].
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
    /// Sorts facts in memory, on all threads of the current pool. Those on disk are always sorted.
    pub fn sort(&mut self, ids: &AllIds) {
        if let Self::Memory(facts) = self {
            sort(facts, ids);
        }
    }

    /// Keeps the facts for which `keep` is true.
    ///
    /// # Errors
    /// Returns an error if facts on disk cannot be read or written.
    pub fn retain(self, keep: impl Fn(&Fact) -> bool) -> io::Result<Self> {
        match self {
            Self::Memory(mut facts) => {
                facts.retain(keep);
                Ok(Self::Memory(facts))
            }
            Self::Runs(runs) => runs.retain(keep).map(Self::Runs),
        }
    }

    /// Returns all facts in memory.
    ///
    /// # Errors
    /// Returns an error if facts on disk cannot be read.
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

    /// Calls `see` with each fact, in their order.
    ///
    /// # Errors
    /// Returns an error if facts on disk cannot be read.
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
    /// Creates the collection of `runs` in `spill`. New runs are written in pieces of about
    /// `piece_bytes`.
    pub fn new(spill: Arc<Spill>, runs: Vec<Sequence>, piece_bytes: usize) -> Self {
        Self { spill, runs: runs.into(), piece_bytes }
    }

    /// Calls `see` with each fact, by source, key and target.
    ///
    /// # Errors
    /// Returns an error if facts cannot be read.
    pub fn each(&self, mut see: impl FnMut(Fact)) -> io::Result<()> {
        self.try_each(|fact| {
            see(fact);
            Ok(())
        })
    }

    /// Calls `see` with each fact, by source, key and target, until the first error.
    ///
    /// # Errors
    /// Returns an error if facts cannot be read, or returns the first error of `see`.
    pub fn try_each(&self, mut see: impl FnMut(Fact) -> io::Result<()>) -> io::Result<()> {
        let mut merged = MergedRuns::new(&self.runs, &self.spill, &[])?;
        while let Some(&fact) = merged.first() {
            see(fact)?;
            merged.advance()?;
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

impl Record for Fact {
    fn write(&self, out: &mut Vec<u8>) {
        Fact::write(self, out);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (fact, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(Fact::read(fact))
    }

    fn is_before(&self, other: &Self) -> bool {
        self.order() < other.order()
    }
}
