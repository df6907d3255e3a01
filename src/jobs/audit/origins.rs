//! The origins of the rows of a scenario, stored beside the rows.

use std::io;

use super::Side;
use super::survey::RowMark;
use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::map::batch::Place;

/// For each row of a segment, the lines that match it and its line in the block.
#[derive(Debug)]
pub struct StoredOrigins {
    /// The place of the block.
    pub place: Place,
    piece: Piece,
}

/// The size of a row's entry: two numbers of four bytes.
const ORIGIN_BYTES: usize = 8;

impl StoredOrigins {
    /// Stores the origins of the rows that `side` sees.
    ///
    /// # Errors
    /// Returns an error if the origins cannot be spilled.
    pub fn new(place: Place, rows: &[RowMark], side: Side, spill: &Spill) -> io::Result<Self> {
        let seen = rows.iter().filter(|row| row.sides & side.bit() != 0);
        let mut bytes = Vec::with_capacity(rows.len() * ORIGIN_BYTES);
        for row in seen {
            bytes.extend_from_slice(&row.by.to_le_bytes());
            bytes.extend_from_slice(&row.line.to_le_bytes());
        }
        Ok(Self { place, piece: spill.keep(&[&bytes])? })
    }
}

impl StoredOrigins {
    /// Reads the origins back from `spill`; `buffer` holds them if they come from a file.
    ///
    /// # Errors
    /// Returns an error if the origins cannot be read.
    pub fn read<'a>(
        &'a self,
        spill: &'a Spill,
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<RowOrigins<'a>> {
        Ok(RowOrigins { place: self.place, bytes: spill.read(&self.piece, buffer)? })
    }
}

/// [`StoredOrigins`] read back.
#[derive(Clone, Copy, Debug)]
pub struct RowOrigins<'a> {
    /// The place of the block.
    pub place: Place,
    bytes: &'a [u8],
}

impl RowOrigins<'_> {
    /// Returns the set of lines that match `row`, and its line in the block.
    pub fn of(&self, row: u32) -> (u32, u32) {
        let at = row as usize * ORIGIN_BYTES;
        let number = |at: usize| {
            let bytes = self.bytes.get(at..).and_then(|rest| rest.first_chunk());
            bytes.map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
        };
        (number(at), number(at + 4))
    }
}
