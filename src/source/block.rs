//! A piece of an input: whole lines and where they stand.

/// How many readable bytes follow the lines of a [`Block`]: what simd-json wants to see beyond
/// its input.
pub const PADDING: usize = 64;

/// How much of a line that is too long is kept, in bytes.
pub const HEAD_BYTES: usize = 4096;

/// The index of an input in the list that [`discover`](super::discover) gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// How the bytes of a [`Block`] are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockKind {
    /// One record a line.
    #[default]
    Lines,
    /// One JSON value that takes up the whole file, over many lines.
    Whole,
}

/// A line longer than the limit, whose bytes were passed over.
///
/// A blank line stands in its place in the block, so counting the block's lines counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversize {
    /// Byte offset of the line in the decompressed file.
    pub offset: u64,
    /// Length of the line in bytes, without its line end.
    pub length: u64,
    /// How many lines of the same block stand before it.
    pub line_in_block: usize,
    /// The first [`HEAD_BYTES`] of it, or all of it where it is shorter.
    pub head: Vec<u8>,
}

/// A piece of one input. The caller owns it and hands it in again: its buffer is reused.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The input it is from.
    pub file: FileId,
    /// 0, 1, 2 … within the input, without a gap.
    pub number: u32,
    /// Whether the input ends here. Each input has exactly one such block, also an empty one and
    /// one that could not be opened; it may hold no bytes.
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
    /// The lines that were too long, in order; blank lines stand for them in `bytes`.
    pub oversize: Vec<Oversize>,
}

impl Block {
    /// The bytes that count: whole lines with their line ends. Only the last line of an input may
    /// lack its line end.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Makes it one line: `text`, which begins at `offset` of its file. The giants that it tells of
    /// stay.
    pub fn fill(&mut self, text: &[u8], offset: u64) {
        (self.len, self.offset, self.kind) = (0, offset, BlockKind::Lines);
        self.make_room(text.len());
        self.bytes[..text.len()].copy_from_slice(text);
        self.len = text.len();
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
        self.oversize.clear();
    }

    /// Makes room for `len` bytes and the padding. What is there stays.
    pub(super) fn make_room(&mut self, len: usize) {
        let wanted = len.saturating_add(PADDING);
        if self.bytes.len() < wanted {
            self.bytes.reserve_exact(wanted - self.bytes.len());
            self.bytes.resize(wanted, 0);
        }
    }

    /// Takes the lines of more than `max` bytes out of the content, leaving blanks.
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
                self.oversize.push(Oversize {
                    offset: self.offset + start as u64,
                    length: line.len() as u64,
                    line_in_block,
                    head: line[..line.len().min(HEAD_BYTES)].to_vec(),
                });
                self.bytes[start..start + end].fill(b' ');
            }
            start += end + 1;
            line_in_block += 1;
        }
    }
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
        assert_eq!(block.content(), b"ab\n     \nabc\r\n\n      ");
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
