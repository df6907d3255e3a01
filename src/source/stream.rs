//! Splitting of a file into blocks.

use super::block::{Block, BlockKind, FileId, HEAD_BYTES, Oversize};
use super::bytes::DecodeError;
use super::layout::Layout;
use super::pushback::Pushback;
use super::reader::Options;
use super::reserved::Reserved;
use super::skip::Skip;
use super::split::{Splitter, line_split};
use crate::grammar::skip_separators;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The state of splitting a file into blocks.
pub(super) struct Stream {
    pub file: FileId,
    input: Pushback,
    /// The number of the next block, and its offset in the decompressed file.
    number: u32,
    offset: u64,
    /// The layout; unknown before the first block that is not blank.
    kind: Option<BlockKind>,
    /// Whether the next block begins within a line.
    in_line: bool,
}

impl Stream {
    /// Starts to split `input`. Skips a byte order mark.
    pub fn new(file: FileId, mut input: Pushback) -> Self {
        let mut head = [0; BYTE_ORDER_MARK.len()];
        let count = input.fill(&mut head);
        let offset = if head == BYTE_ORDER_MARK { count as u64 } else { 0 };
        if offset == 0 {
            input.put_back(&head[..count]);
        }
        Self { file, input, number: 0, offset, kind: None, in_line: false }
    }

    /// Returns the error that ended the input, once the last block was returned.
    pub fn fault(&self) -> Option<&DecodeError> {
        self.input.fault()
    }

    /// Returns the number of bytes that were decompressed; `None` for plain inputs.
    pub fn decoded(&self) -> Option<u64> {
        self.input.decoded()
    }

    /// Fills `block` with the next block, or returns the lines to be read into it. Must not be called
    /// after the last block.
    pub fn next(&mut self, block: &mut Block, options: &Options) -> Option<Reserved> {
        block.clear(options.block_bytes);
        block.file = self.file;
        block.number = self.number;
        block.offset = self.offset;
        block.in_line = self.in_line;
        let reserved = self.reserve(options);
        if reserved.is_none() {
            match self.kind.or_else(|| self.detect_layout(block, options)) {
                Some(BlockKind::Lines) => self.read_lines(block, options),
                Some(BlockKind::Values) => self.read_values(block, options),
                None => {}
            }
            block.last = self.input.at_end();
        }
        self.number += 1;
        reserved
    }

    /// Reserves the lines of the next block, if other threads may read them in the meantime.
    fn reserve(&mut self, options: &Options) -> Option<Reserved> {
        if self.kind != Some(BlockKind::Lines) || self.in_line {
            return None;
        }
        let reserved = self.input.reserve_lines(self.offset, options.block_bytes)?;
        self.offset = reserved.range.end;
        Some(reserved)
    }

    /// Detects the layout. Returns `None` if this filled `block`, with blank lines or the whole
    /// file.
    fn detect_layout(&mut self, block: &mut Block, options: &Options) -> Option<BlockKind> {
        let head = options.block_bytes.max(1);
        block.make_room(head);
        match Layout::detect(&mut self.input, &mut block.bytes[..head], options) {
            Layout::Lines => self.kind = Some(BlockKind::Lines),
            Layout::Values => self.kind = Some(BlockKind::Values),
            Layout::Blank(length) => {
                block.len = length;
                self.offset += length as u64;
            }
            Layout::Whole(text) => {
                block.len = text.len();
                block.bytes = text;
                block.make_room(block.len);
                block.kind = BlockKind::Values;
                // Comments may precede it.
                Splitter::default().split(&block.bytes[..block.len], true, &mut block.values);
            }
        }
        self.kind
    }

    /// Reads whole lines, at least one. A line that does not fit into a block is split between
    /// values.
    fn read_lines(&mut self, block: &mut Block, options: &Options) {
        block.kind = BlockKind::Lines;
        // The maximum length of a line with its line end.
        let max_line_bytes = options.max_record_bytes.saturating_add(2);
        let mut target = options.block_bytes.max(1);
        let mut filled = 0;
        loop {
            block.make_room(target);
            let seen = filled;
            filled += self.input.fill(&mut block.bytes[seen..target]);
            if filled < target {
                block.len = filled;
                break;
            }
            let line_end = memchr::memrchr(b'\n', &block.bytes[seen..filled]);
            self.in_line &= line_end.is_none();
            let end = line_end.map(|at| seen + at + 1).or_else(|| {
                let cut = line_split(&block.bytes[..filled], self.in_line)?;
                self.in_line = true;
                Some(cut)
            });
            if let Some(end) = end {
                block.len = end;
                self.input.put_back(&block.bytes[end..filled]);
                break;
            }
            if filled >= max_line_bytes {
                let skip = Skip::line(&block.bytes[..filled]);
                return self.skip(skip, block, filled, options);
            }
            target = target.saturating_mul(2).min(max_line_bytes);
        }
        self.offset += block.len as u64;
        block.blank_long_lines(options.max_record_bytes);
    }

    /// Reads whole values, at least one.
    fn read_values(&mut self, block: &mut Block, options: &Options) {
        block.kind = BlockKind::Values;
        let max_line_bytes = options.max_record_bytes.saturating_add(2);
        let mut target = options.block_bytes.max(1);
        let (mut filled, mut splitter) = (0, Splitter::default());
        loop {
            block.make_room(target);
            filled += self.input.fill(&mut block.bytes[filled..target]);
            let ended = filled < target;
            splitter.split(&block.bytes[..filled], ended, &mut block.values);
            let end = if ended { filled } else { splitter.incomplete_start() };
            if ended || end > 0 {
                block.len = end;
                if end < filled {
                    self.input.put_back(&block.bytes[end..filled]);
                }
                break;
            }
            if filled >= max_line_bytes {
                let skip = Skip::value(splitter.into_scanner(), block.bytes[filled - 1]);
                return self.skip(skip, block, filled, options);
            }
            target = target.saturating_mul(2).min(max_line_bytes);
        }
        self.offset += block.len as u64;
        block.blank_long_values(options.max_record_bytes);
    }

    /// Skips a line or a value whose first `length` bytes `block` contains. The block contains a
    /// blank line for a line, and nothing for a value.
    fn skip(&mut self, mut skip: Skip, block: &mut Block, length: usize, options: &Options) {
        let step = options.block_bytes.max(1);
        let beginning = &block.bytes[..length];
        let start = if block.kind == BlockKind::Lines && !self.in_line {
            0
        } else {
            skip_separators(beginning, 0)
        };
        let mut head = beginning[start..length.min(start + HEAD_BYTES)].to_vec();
        let mut last_byte = beginning[length - 1];
        let mut lines = memchr::memchr_iter(b'\n', beginning).count() as u64;
        let mut length = length as u64;
        let continues = loop {
            let count = self.input.fill(&mut block.bytes[..step]);
            let read = &block.bytes[..count];
            let end = skip.end(read);
            let skipped = &read[..end.unwrap_or(count)];
            length += skipped.len() as u64;
            lines += memchr::memchr_iter(b'\n', skipped).count() as u64;
            head.extend(skipped.iter().take(HEAD_BYTES - head.len()));
            last_byte = skipped.last().copied().unwrap_or(last_byte);
            if let Some(end) = end {
                let continues = block.kind == BlockKind::Values || read.get(end) != Some(&b'\n');
                let line_end = usize::from(!continues);
                self.input.put_back(&read[end + line_end..]);
                self.offset += line_end as u64;
                break continues;
            }
            if count < step {
                break block.kind == BlockKind::Values;
            }
        };
        let offset = block.offset + start as u64;
        self.offset += length;
        length -= start as u64;
        if last_byte == b'\r' && !continues {
            length -= 1;
            head.truncate(usize::try_from(length).unwrap_or(HEAD_BYTES));
        }
        block.oversize.push(Oversize { offset, length, line_in_block: 0, head });
        self.in_line = block.kind == BlockKind::Lines && continues;
        (block.bytes[0], block.len) = (b'\n', usize::from(!continues));
        block.skipped_lines = lines;
    }
}
