//! Blocks: consecutive whole lines or values of a file.

use std::mem::take;
use std::ops::Range;

use crate::grammar::{Piece, pieces_of_line};

/// The number of readable bytes after the content of a [`Block`], which simd-json requires.
pub const PADDING: usize = 64;

/// The number of bytes that are kept of an oversized line or value.
pub const HEAD_BYTES: usize = 4096;

/// The id of a file: an input, or a member of one that is an archive. Ids are ordered like the
/// inputs and their members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The index of the input in the list that [`discover`](super::discover) returned.
    pub input: u32,
    /// The number of files before it in the archive; 0 for an input that is not an archive.
    pub member: u32,
}

/// The structure of the content of a [`Block`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockKind {
    /// One record per line.
    #[default]
    Lines,
    /// One record for each of [`Block::values`], which may span lines.
    Values,
}

/// A value that is longer than the limit, or a line that is and contains no values.
///
/// Its bytes are replaced by blanks, or missing if the block contains nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversize {
    /// The offset in the decompressed file, in bytes.
    pub offset: u64,
    /// The length in bytes, without a line end.
    pub length: u64,
    /// The number of lines before it in the block.
    pub line_in_block: usize,
    /// The first [`HEAD_BYTES`] of it, or all of it if it is shorter.
    pub head: Vec<u8>,
}

/// A block of one file. The caller passes it again for the next block, which reuses its buffer.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The file of the block.
    pub file: FileId,
    /// The number of the block in its file, from 0 without gaps.
    pub number: u32,
    /// Whether this is the last block of the file. Each file that could be opened has exactly one
    /// last block, which may be empty.
    pub last: bool,
    /// The offset of the first byte in the decompressed file, in bytes from 0. A byte order mark is
    /// counted, although it is not part of the content.
    pub offset: u64,
    /// The content, followed by at least [`PADDING`] bytes of any value.
    pub bytes: Vec<u8>,
    /// The length of the content, in bytes.
    pub len: usize,
    /// The structure of the content.
    pub kind: BlockKind,
    /// The ranges of the records of a block of [`BlockKind::Values`], in order.
    pub values: Vec<Piece>,
    /// Whether other values precede the first byte in the same line.
    pub in_line: bool,
    /// The lines and values over the limit, in order.
    pub oversize: Vec<Oversize>,
    /// The number of line ends in skipped bytes that no blanks replace.
    pub skipped_lines: u64,
}

impl Block {
    /// Returns the content: whole lines with their line ends, or whole values. The last line has no
    /// line end if the file ends or the line continues in the next block.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Returns the number of line ends in the block and in what was skipped.
    pub fn lines(&self) -> u64 {
        memchr::memchr_iter(b'\n', self.content()).count() as u64 + self.skipped_lines
    }

    /// Replaces the content by one line, `text`, which starts at `offset` of the file. Keeps
    /// [`oversize`](Self::oversize).
    pub fn fill(&mut self, text: &[u8], offset: u64) {
        (self.len, self.offset, self.kind) = (0, offset, BlockKind::Lines);
        self.make_room(text.len());
        self.bytes[..text.len()].copy_from_slice(text);
        self.len = text.len();
        self.values.clear();
    }

    /// Replaces the content by one record, a value that may span lines.
    pub fn fill_value(&mut self, text: &[u8], offset: u64, whole: bool) {
        self.fill(text, offset);
        self.kind = BlockKind::Values;
        self.values.push(Piece { range: 0..text.len(), whole });
    }

    /// Empties the block for reuse. Shrinks the buffer if it is much larger than `usual` bytes.
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
        self.skipped_lines = 0;
    }

    /// Enlarges the buffer to `len` bytes and the padding. Keeps its bytes.
    pub(super) fn make_room(&mut self, len: usize) {
        let wanted = len.saturating_add(PADDING);
        if self.bytes.len() < wanted {
            self.bytes.reserve_exact(wanted - self.bytes.len());
            self.bytes.resize(wanted, 0);
        }
    }

    /// Replaces lines over `max` bytes by blanks, or in lines of several values only those over the
    /// limit.
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

    /// Removes the values over `max` bytes, and replaces their bytes by blanks.
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

    /// Replaces `range`, which exceeds the limit, by blanks. Keeps line ends.
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

/// Returns the parts of `line` over `max` bytes: single values if the line has more than one, else
/// the whole line.
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
    fn lines_over_the_limit_become_blanks_of_the_same_length() {
        let mut block = block(b"ab\nabcd\r\nabc\r\n\nabcdef");
        block.blank_long_lines(3);
        assert_eq!(block.content(), b"ab\n    \r\nabc\r\n\n      ");
        let found: Vec<_> =
            block.oversize.iter().map(|o| (o.offset, o.length, o.line_in_block)).collect();
        assert_eq!(found, [(13, 4, 1), (25, 6, 4)]);
        assert_eq!(block.oversize[1].head, b"abcdef");
    }

    #[test]
    fn buffers_shrink_after_an_oversized_line() {
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
