//! Sorted runs of records, in memory or in a spill, merged into one sorted sequence.

use std::{io, slice};

use super::merge::{Cursor, Merge};
use super::sequence::{Sequence, SequenceReader, SequenceWriter, broken};
use super::spill::Spill;

/// A record of a sorted run.
pub trait Record: Clone {
    /// Appends the record to `out`.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads a record from the beginning of `bytes`, and advances it.
    fn read(bytes: &mut &[u8]) -> Option<Self>;

    /// Returns whether the record comes before `other`.
    fn is_before(&self, other: &Self) -> bool;
}

/// Writes sorted `records` to `spill` in pieces of about `piece_bytes`.
///
/// # Errors
/// Returns an error if a piece cannot be written.
pub fn write_run<R: Record>(
    records: &[R],
    spill: &Spill,
    piece_bytes: usize,
) -> io::Result<Sequence> {
    let mut run = SequenceWriter::new(spill, piece_bytes);
    records.iter().try_for_each(|record| run.put(|out| record.write(out)))?;
    run.finish()
}

/// The records of several runs, in order.
pub struct MergedRuns<'r, R>(Merge<Run<'r, R>>);

impl<'r, R: Record> MergedRuns<'r, R> {
    /// Merges `runs`, which are in `spill`, and the sorted records in `memory`.
    ///
    /// # Errors
    /// Returns an error if the first record of a run cannot be read.
    pub fn new(runs: &'r [Sequence], spill: &'r Spill, memory: &'r [R]) -> io::Result<Self> {
        let disk = runs.iter().map(|run| Source::Disk(run.read(spill)));
        let sources = disk.chain([Source::Memory(memory.iter())]);
        Merge::new(sources.map(|source| Run { source, record: None })).map(Self)
    }

    /// Returns the next record, or `None` after the last.
    #[inline]
    pub fn first(&mut self) -> Option<&R> {
        self.0.first()?.record.as_ref()
    }

    /// Advances past the next record.
    ///
    /// # Errors
    /// Returns an error if the record after it cannot be read.
    #[inline]
    pub fn advance(&mut self) -> io::Result<()> {
        self.0.advance()
    }
}

/// A position in one run.
struct Run<'r, R> {
    source: Source<'r, R>,
    record: Option<R>,
}

enum Source<'r, R> {
    Memory(slice::Iter<'r, R>),
    Disk(SequenceReader<'r>),
}

impl<R: Record> Cursor for Run<'_, R> {
    fn advance(&mut self) -> io::Result<bool> {
        self.record = match &mut self.source {
            Source::Memory(records) => records.next().cloned(),
            Source::Disk(reader) => read_next(reader)?,
        };
        Ok(self.record.is_some())
    }

    fn is_before(&self, other: &Self) -> bool {
        match (&self.record, &other.record) {
            (Some(record), Some(other)) => record.is_before(other),
            _ => false,
        }
    }
}

/// Reads the next record of a run, if there is one.
fn read_next<R: Record>(reader: &mut SequenceReader<'_>) -> io::Result<Option<R>> {
    if !reader.fill()? {
        return Ok(None);
    }
    let mut rest = reader.bytes();
    let before = rest.len();
    let record = R::read(&mut rest).ok_or_else(broken)?;
    let bytes = before - rest.len();
    reader.skip(bytes);
    Ok(Some(record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::exchange::bytes::take_u32;
    use proptest::prelude::*;

    impl Record for u32 {
        fn write(&self, out: &mut Vec<u8>) {
            out.extend_from_slice(&self.to_le_bytes());
        }

        fn read(bytes: &mut &[u8]) -> Option<Self> {
            take_u32(bytes)
        }

        fn is_before(&self, other: &Self) -> bool {
            self < other
        }
    }

    proptest! {
        #[test]
        fn records_of_all_runs_come_in_order(
            mut lists in prop::collection::vec(prop::collection::vec(0_u32..50, 0..20), 1..5),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let spill = Spill::new(dir.path().to_owned(), 40);
            for list in &mut lists {
                list.sort_unstable();
            }
            let mut expected = lists.concat();
            expected.sort_unstable();
            let memory = lists.pop().unwrap();
            let runs: Vec<_> =
                lists.iter().map(|list| write_run(list, &spill, 8).unwrap()).collect();
            let mut merged = MergedRuns::new(&runs, &spill, &memory).unwrap();
            let mut found = Vec::new();
            while let Some(&record) = merged.first() {
                found.push(record);
                merged.advance().unwrap();
            }
            prop_assert_eq!(found, expected);
        }
    }
}
