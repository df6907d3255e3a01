//! Sequences of records in a spill, written and read in order.

use std::io;

use super::spill::{Piece, Spill};

/// The maximum size of the pieces that are written, and read, at once.
const MAX_PIECE_BYTES: usize = 64 << 10;
/// The minimum size.
const MIN_PIECE_BYTES: usize = 4 << 10;

/// Returns the size of pieces for `sequences` sequences that are open at the same time and share
/// `budget_bytes`.
pub fn piece_bytes(budget_bytes: usize, sequences: usize) -> usize {
    (budget_bytes / sequences.max(1)).clamp(MIN_PIECE_BYTES, MAX_PIECE_BYTES)
}

/// A sequence of records in a spill. No record is split between pieces.
#[derive(Debug, Default)]
pub struct Sequence {
    pieces: Vec<Piece>,
}

impl Sequence {
    /// Returns the pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Creates a sequence of the records in `pieces`.
    pub fn of_pieces(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// Reads the sequence, which is in `spill`, from the beginning.
    pub fn read<'s>(&'s self, spill: &'s Spill) -> SequenceReader<'s> {
        SequenceReader { spill, sequence: self, next: 0, buffer: Vec::new(), at: 0 }
    }
}

/// Writes a sequence.
#[derive(Debug)]
pub struct SequenceWriter<'s> {
    spill: &'s Spill,
    piece_bytes: usize,
    bytes: Vec<u8>,
    sequence: Sequence,
}

impl<'s> SequenceWriter<'s> {
    /// Creates an empty sequence in `spill`, written in pieces of about `piece_bytes`.
    pub fn new(spill: &'s Spill, piece_bytes: usize) -> Self {
        Self { spill, piece_bytes, bytes: Vec::new(), sequence: Sequence::default() }
    }

    /// Appends the record that `write` appends to the given bytes.
    ///
    /// # Errors
    /// Returns an error if a piece cannot be written.
    #[inline]
    pub fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.bytes);
        if self.bytes.len() >= self.piece_bytes { self.flush() } else { Ok(()) }
    }

    /// Returns the position of the next record: the index of its piece, and the offset in bytes in
    /// that piece.
    pub fn position(&self) -> (usize, usize) {
        (self.sequence.pieces.len(), self.bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.bytes.is_empty() {
            self.sequence.pieces.push(self.spill.keep(&[&self.bytes])?);
            self.bytes.clear();
        }
        Ok(())
    }

    /// Returns the sequence.
    ///
    /// # Errors
    /// Returns an error if the last piece cannot be written.
    pub fn finish(mut self) -> io::Result<Sequence> {
        self.flush()?;
        self.sequence.pieces.shrink_to_fit();
        Ok(self.sequence)
    }
}

/// Reads a sequence.
#[derive(Debug)]
pub struct SequenceReader<'s> {
    spill: &'s Spill,
    sequence: &'s Sequence,
    /// The index of the piece after the one in `buffer`.
    next: usize,
    buffer: Vec<u8>,
    at: usize,
}

impl SequenceReader<'_> {
    /// Makes the next record available; returns whether there is one.
    ///
    /// # Errors
    /// Returns an error if the next piece cannot be read.
    #[inline]
    pub fn fill(&mut self) -> io::Result<bool> {
        if self.at < self.buffer.len() {
            return Ok(true);
        }
        let Some(piece) = self.sequence.pieces.get(self.next) else { return Ok(false) };
        match piece {
            Piece::Memory(bytes) => {
                self.buffer.clear();
                self.buffer.extend_from_slice(bytes);
            }
            Piece::Disk { .. } => {
                self.spill.read(piece, &mut self.buffer)?;
            }
        }
        (self.next, self.at) = (self.next + 1, 0);
        Ok(true)
    }

    /// Returns the bytes from the next record to the end of the piece.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Skips `bytes` bytes.
    #[inline]
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

/// Returns the error for a sequence that does not have the expected contents.
pub fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file is not as it was written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_order_from_memory_and_from_disk() {
        let dir = tempfile::tempdir().unwrap();
        for budget in [0, 20, 1000] {
            let spill = Spill::new(dir.path().to_owned(), budget);
            let mut writer = SequenceWriter::new(&spill, 8);
            for number in 0..10_u8 {
                writer.put(|out| out.extend([number; 3])).unwrap();
            }
            let sequence = writer.finish().unwrap();
            assert_eq!(sequence.pieces().len(), 4);
            let (mut reader, mut read) = (sequence.read(&spill), Vec::new());
            while reader.fill().unwrap() {
                read.push(reader.bytes()[0]);
                reader.skip(3);
            }
            assert_eq!(read, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn many_sequences_are_read_in_smaller_pieces() {
        assert_eq!(piece_bytes(1 << 30, 4), 64 << 10);
        assert_eq!(piece_bytes(1 << 20, 64), 16 << 10);
        assert_eq!(piece_bytes(1, 1000), 4 << 10);
    }
}
