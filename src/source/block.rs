//! A piece of an input: whole lines or values, and where they stand.

use std::mem::take;
use std::ops::Range;

use crate::grammar::{Piece, pieces_of_line};

/// How many readable bytes follow the lines of a [`Block`]: what simd-json wants to see beyond
/// its input.
pub const PADDING: usize = 64;

/// How much of a line that is too long is kept, in bytes.
pub const HEAD_BYTES: usize = 4096;

/// A file that is read: an input, or a member of one that is an archive. In the order in which they
/// are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The index of the input in the list that [`discover`](super::discover) gave.
    pub input: u32,
    /// How many members of the input stand before it; 0 of an input that is no archive.
    pub member: u32,
}

/// How the bytes of a [`Block`] are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockKind {
    /// One record a line.
    #[default]
    Lines,
    /// One record for each of [`Block::values`], whatever lines they take.
    Values,
}

/// A value, or a line of anything else, longer than the limit, whose bytes were passed over.
///
/// Blanks stand in its place in the block, or nothing where it is all that the block was to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversize {
    /// Its byte offset in the decompressed file.
    pub offset: u64,
    /// Its length in bytes, without a line end.
    pub length: u64,
    /// How many lines of the same block stand before it.
    pub line_in_block: usize,
    /// The first [`HEAD_BYTES`] of it, or all of it where it is shorter.
    pub head: Vec<u8>,
}

/// A piece of one input. The caller owns it and hands it in again: its buffer is reused.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The file it is from.
    pub file: FileId,
    /// 0, 1, 2 … within the file, without a gap.
    pub number: u32,
    /// Whether the file ends here. Each file that could be opened has exactly one such block, also
    /// an empty one; it may hold no bytes.
    pub last: bool,
    /// Byte offset of its first byte in the decompressed file, counting from 0; a byte order mark
    /// counts although it is left out.
    pub offset: u64,
    /// The lines, then whatever: at least [`PADDING`] bytes of it.
    pub bytes: Vec<u8>,
    /// How many of `bytes` count.
    pub len: usize,
    /// How the bytes are to be read.
    pub kind: BlockKind,
    /// Where the records of a block of [`BlockKind::Values`] stand in it, in order.
    pub values: Vec<Piece>,
    /// The first byte stands behind other values of the same line.
    pub in_line: bool,
    /// What was too long, in order.
    pub oversize: Vec<Oversize>,
    /// How many lines end in what was passed over and has no blanks in its place.
    pub lines_passed: u64,
}

impl Block {
    /// The bytes that count: whole lines with their line ends, or whole values. The last line of a
    /// file may lack its line end, and so may one that goes on in the next block.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// How many lines end in it.
    pub fn lines(&self) -> u64 {
        memchr::memchr_iter(b'\n', self.content()).count() as u64 + self.lines_passed
    }

    /// Makes it one line: `text`, which begins at `offset` of its file. The giants that it tells of
    /// stay.
    pub fn fill(&mut self, text: &[u8], offset: u64) {
        (self.len, self.offset, self.kind) = (0, offset, BlockKind::Lines);
        self.make_room(text.len());
        self.bytes[..text.len()].copy_from_slice(text);
        self.len = text.len();
        self.values.clear();
    }

    /// Makes it one record, a value over any number of lines.
    pub fn fill_value(&mut self, text: &[u8], offset: u64, whole: bool) {
        self.fill(text, offset);
        self.kind = BlockKind::Values;
        self.values.push(Piece { range: 0..text.len(), whole });
    }

    /// Empties it for reuse, giving memory back if it had grown well past `usual` bytes.
    pub(super) fn clear(&mut self, usual: usize) {
        let most = usual.saturating_mul(4) + PADDING;
        if self.bytes.len() > most {
            self.bytes.truncate(usual + PADDING);
            self.bytes.shrink_to_fit();
        }
        self.len = 0;
        self.last = false;
        self.kind = BlockKind::Lines;
        self.values.clear();
        self.in_line = false;
        self.oversize.clear();
        self.lines_passed = 0;
    }

    /// Makes room for `len` bytes and the padding. What is there stays.
    pub(super) fn make_room(&mut self, len: usize) {
        let wanted = len.saturating_add(PADDING);
        if self.bytes.len() < wanted {
            self.bytes.reserve_exact(wanted - self.bytes.len());
            self.bytes.resize(wanted, 0);
        }
    }

    /// Takes the lines of more than `max` bytes, or the values of more in a line of several, out of
    /// the content, leaving blanks.
    pub(super) fn blank_long_lines(&mut self, max: usize) {
        if self.len <= max {
            return;
        }
        let (mut start, mut line_in_block) = (0, 0);
        while start < self.len {
            let rest = &self.bytes[start..self.len];
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            if line.len() > max {
                for long in long_parts(line, max, self.in_line && start == 0) {
                    self.blank(start + long.start..start + long.end, line_in_block);
                }
            }
            start += end + 1;
            line_in_block += 1;
        }
    }

    /// Takes the values of more than `max` bytes out of the content, leaving blanks.
    pub(super) fn blank_long_values(&mut self, max: usize) {
        if self.len <= max {
            return;
        }
        let (mut values, mut line_in_block, mut counted) = (take(&mut self.values), 0, 0);
        values.retain(|value| {
            let is_long = value.range.len() > max;
            if is_long {
                let before = &self.bytes[counted..value.range.start];
                line_in_block += memchr::memchr_iter(b'\n', before).count();
                counted = value.range.start;
                self.blank(value.range.clone(), line_in_block);
            }
            !is_long
        });
        self.values = values;
    }

    /// Puts blanks in the place of what is too long; line ends stay.
    fn blank(&mut self, range: Range<usize>, line_in_block: usize) {
        let long = &mut self.bytes[range.clone()];
        self.oversize.push(Oversize {
            offset: self.offset + range.start as u64,
            length: long.len() as u64,
            line_in_block,
            head: long[..long.len().min(HEAD_BYTES)].to_vec(),
        });
        for byte in long.iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
}

/// What of `line` is longer than `max`: values, if it is more than one, else all of it.
fn long_parts(line: &[u8], max: usize, in_line: bool) -> Vec<Range<usize>> {
    let pieces = pieces_of_line(line, in_line).filter(|pieces| in_line || pieces.len() > 1);
    let all = || vec![Piece { range: 0..line.len(), whole: false }];
    let ranges = pieces.unwrap_or_else(all).into_iter().map(|piece| piece.range);
    ranges.filter(|range| range.len() > max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &[u8]) -> Block {
        let mut block = Block { offset: 10, len: text.len(), ..Block::default() };
        block.bytes.extend_from_slice(text);
        block.make_room(text.len());
        block
    }

    #[test]
    fn lines_over_the_limit_become_blanks_and_keep_their_place() {
        let mut block = block(b"ab\nabcd\r\nabc\r\n\nabcdef");
        block.blank_long_lines(3);
        assert_eq!(block.content(), b"ab\n    \r\nabc\r\n\n      ");
        let found: Vec<_> =
            block.oversize.iter().map(|o| (o.offset, o.length, o.line_in_block)).collect();
        assert_eq!(found, [(13, 4, 1), (25, 6, 4)]);
        assert_eq!(block.oversize[1].head, b"abcdef");
    }

    #[test]
    fn a_buffer_that_grew_for_a_giant_is_given_back() {
        let mut block = Block::default();
        block.make_room(1000);
        block.clear(1000);
        assert_eq!(block.bytes.len(), 1000 + PADDING);
        block.make_room(10_000);
        block.clear(1000);
        assert_eq!(block.bytes.len(), 1000 + PADDING);
        assert!(block.bytes.capacity() < 4000);
    }
}
