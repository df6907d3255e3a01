//! Random access to records on disk: records are grouped into blocks of a fixed number of records,
//! and a block is read at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::sequence::{Sequence, SequenceWriter, broken};
use super::spill::Spill;

/// Blocks of records in a spill.
#[derive(Debug)]
pub struct Blocks {
    sequence: Sequence,
    /// For each block, the index of its piece, and the offset in bytes in that piece.
    index: Vec<(u32, u32)>,
}

impl Blocks {
    /// Reads the bytes of `block` from `spill`; `buffer` holds them if they are read from a file.
    ///
    /// # Errors
    /// Returns an error if the block cannot be read or does not exist.
    pub fn read<'a>(
        &'a self,
        block: usize,
        spill: &'a Spill,
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        let &(piece, start) = self.index.get(block).ok_or_else(broken)?;
        let next = self.index.get(block + 1).filter(|(other, _)| *other == piece);
        let piece = self.sequence.pieces().get(piece as usize).ok_or_else(broken)?;
        let end = next.map_or(piece.len(), |&(_, end)| end as usize);
        spill.read_range(piece, start as usize..end, buffer)
    }

    /// Returns the memory of the index in bytes.
    pub fn bytes(&self) -> usize {
        self.index.len() * size_of::<(u32, u32)>()
    }
}

/// Writes records in blocks.
#[derive(Debug)]
pub struct BlockWriter<'s> {
    writer: SequenceWriter<'s>,
    records_a_block: usize,
    records: usize,
    block: Vec<u8>,
    index: Vec<(u32, u32)>,
}

impl<'s> BlockWriter<'s> {
    /// Creates a writer to `spill` of blocks of `records_a_block` records, in pieces of about
    /// `piece_bytes`.
    pub fn new(spill: &'s Spill, piece_bytes: usize, records_a_block: usize) -> Self {
        let writer = SequenceWriter::new(spill, piece_bytes);
        Self { writer, records_a_block, records: 0, block: Vec::new(), index: Vec::new() }
    }

    /// Appends the record that `write` appends to the given bytes.
    ///
    /// # Errors
    /// Returns an error if a block cannot be written.
    pub fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.block);
        self.records += 1;
        if self.records.is_multiple_of(self.records_a_block) { self.end_block() } else { Ok(()) }
    }

    #[allow(clippy::cast_possible_truncation)] // pieces are small, and fewer than records
    fn end_block(&mut self) -> io::Result<()> {
        let (piece, start) = self.writer.position();
        self.index.push((piece as u32, start as u32));
        let block = &self.block;
        self.writer.put(|out| out.extend_from_slice(block))?;
        self.block.clear();
        Ok(())
    }

    /// Returns the blocks.
    ///
    /// # Errors
    /// Returns an error if the last block cannot be written.
    pub fn finish(mut self) -> io::Result<Blocks> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.index.shrink_to_fit();
        Ok(Blocks { sequence: self.writer.finish()?, index: self.index })
    }
}

/// Stores the error of a read whose caller cannot return it. It must be checked before results of
/// such reads are used.
#[derive(Debug, Default)]
pub struct Failure {
    has_failed: AtomicBool,
    error: Mutex<Option<io::Error>>,
}

impl Failure {
    /// Stores the error of a failed read.
    pub fn set(&self, error: io::Error) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.has_failed.store(true, Ordering::Release);
    }

    /// Checks that no read has failed.
    ///
    /// # Errors
    /// The stored error.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        if !self.has_failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        Err(error.take().unwrap_or_else(broken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_by_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let spill = Spill::new(dir.path().to_owned(), 0);
        let mut writer = BlockWriter::new(&spill, 20, 3);
        for record in 0..10_u8 {
            writer.put(|out| out.extend([record; 3])).unwrap();
        }
        let blocks = writer.finish().unwrap();
        let mut buffer = Vec::new();
        let firsts = (0..4).map(|block| blocks.read(block, &spill, &mut buffer).unwrap()[0]);
        assert_eq!(firsts.collect::<Vec<_>>(), [0, 3, 6, 9]);
        assert_eq!(blocks.read(3, &spill, &mut buffer).unwrap(), [9; 3]);
        assert!(blocks.read(4, &spill, &mut buffer).is_err());
    }

    #[test]
    fn a_failure_is_reported_by_every_check() {
        let failure = Failure::default();
        failure.check().unwrap();
        failure.set(io::Error::other("gone"));
        assert_eq!(failure.check().unwrap_err().to_string(), "gone");
        assert!(failure.check().is_err());
    }
}
