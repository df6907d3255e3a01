//! Records one behind another in a spill, written and read in order.

use std::io;

use super::spill::{Piece, Spill};

/// The most bytes that are written, and read, at once.
const MOST_PIECE_BYTES: usize = 64 << 10;
/// The fewest.
const LEAST_PIECE_BYTES: usize = 4 << 10;

/// How many bytes of a sequence are to be written and read at once, where so many sequences are open
/// together in `budget_bytes`.
pub fn piece_bytes(budget_bytes: usize, sequences: usize) -> usize {
    (budget_bytes / sequences.max(1)).clamp(LEAST_PIECE_BYTES, MOST_PIECE_BYTES)
}

/// Records in a spill. None lies in two pieces.
#[derive(Debug, Default)]
pub struct Sequence {
    pieces: Vec<Piece>,
}

impl Sequence {
    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The records in `pieces`.
    pub fn of_pieces(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// Reads it from the beginning; it waits in `spill`.
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
    /// An empty sequence in `spill`, of which about `piece_bytes` are written at once.
    pub fn new(spill: &'s Spill, piece_bytes: usize) -> Self {
        Self { spill, piece_bytes, bytes: Vec::new(), sequence: Sequence::default() }
    }

    /// Appends the record that `write` appends to the bytes it is given.
    ///
    /// # Errors
    /// When it cannot be written.
    #[inline]
    pub fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.bytes);
        if self.bytes.len() >= self.piece_bytes { self.flush() } else { Ok(()) }
    }

    /// Where the next record begins: in which piece, at which byte.
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

    /// The sequence.
    ///
    /// # Errors
    /// When its end cannot be written.
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
    /// The piece after the one that `buffer` holds.
    next: usize,
    buffer: Vec<u8>,
    at: usize,
}

impl SequenceReader<'_> {
    /// Goes to the next record, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
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

    /// The bytes from the next record on, as far as they were read.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Passes over so many of them.
    #[inline]
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

/// What is told of a sequence that does not hold what was written.
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
