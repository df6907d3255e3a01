//! An open input, cut into blocks.

use super::block::{Block, BlockKind, FileId, HEAD_BYTES, Oversize};
use super::bytes::DecodeError;
use super::cut::{Cutter, line_cut};
use super::input::OpenInput;
use super::layout::Layout;
use super::reader::Options;
use super::reserved::Reserved;
use super::skip::Skip;
use crate::grammar::skip_separators;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An input and how far its blocks have come.
pub(super) struct Stream {
    pub file: FileId,
    input: OpenInput,
    /// Number and decompressed offset of the next block.
    number: u32,
    offset: u64,
    /// How it is cut; not known before its first block that is not blank.
    kind: Option<BlockKind>,
    /// The next block begins within a line.
    in_line: bool,
}

impl Stream {
    /// The blocks of `input` from its first byte on.
    pub fn new(file: FileId, mut input: OpenInput) -> Self {
        let mut head = [0; BYTE_ORDER_MARK.len()];
        let count = input.fill(&mut head);
        let offset = if head == BYTE_ORDER_MARK { count as u64 } else { 0 };
        if offset == 0 {
            input.put_back(&head[..count]);
        }
        Self { file, input, number: 0, offset, kind: None, in_line: false }
    }

    /// The fault that cut the input short, once the last block is out.
    pub fn fault(&self) -> Option<&DecodeError> {
        self.input.fault()
    }

    /// How many bytes were decompressed; `None` of plain inputs.
    pub fn decoded(&self) -> Option<u64> {
        self.input.decoded()
    }

    /// Fills `block` with the next block, or returns the lines with which it is to be filled. After
    /// one that is the last there is none.
    pub fn next(&mut self, block: &mut Block, options: &Options) -> Option<Reserved> {
        block.clear(options.block_bytes);
        block.file = self.file;
        block.number = self.number;
        block.offset = self.offset;
        block.in_line = self.in_line;
        let reserved = self.reserve(options);
        if reserved.is_none() {
            match self.kind.or_else(|| self.begin(block, options)) {
                Some(BlockKind::Lines) => self.read_lines(block, options),
                Some(BlockKind::Values) => self.read_values(block, options),
                None => {}
            }
            block.last = self.input.at_end();
        }
        self.number += 1;
        reserved
    }

    /// Reserves the lines that [`read_lines`](Self::read_lines) would read, if they can be read out
    /// of turn.
    fn reserve(&mut self, options: &Options) -> Option<Reserved> {
        if self.kind != Some(BlockKind::Lines) || self.in_line {
            return None;
        }
        let reserved = self.input.reserve_lines(self.offset, options.block_bytes)?;
        self.offset = reserved.range.end;
        Some(reserved)
    }

    /// Finds out how the file is cut; `None` where that filled `block`, be it with blanks or with
    /// the whole file.
    fn begin(&mut self, block: &mut Block, options: &Options) -> Option<BlockKind> {
        let head = options.block_bytes.max(1);
        block.make_room(head);
        match Layout::find(&mut self.input, &mut block.bytes[..head], options) {
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
                // Comments may stand before it.
                Cutter::default().cut(&block.bytes[..block.len], true, &mut block.values);
            }
        }
        self.kind
    }

    /// Reads whole lines, at least one; of one that is too long for a block, whole values.
    fn read_lines(&mut self, block: &mut Block, options: &Options) {
        block.kind = BlockKind::Lines;
        // A line with its line end.
        let longest = options.max_record_bytes.saturating_add(2);
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
                let cut = line_cut(&block.bytes[..filled], self.in_line)?;
                self.in_line = true;
                Some(cut)
            });
            if let Some(end) = end {
                block.len = end;
                self.input.put_back(&block.bytes[end..filled]);
                break;
            }
            if filled >= longest {
                let skip = Skip::line(&block.bytes[..filled]);
                return self.skip(skip, block, filled, options);
            }
            target = target.saturating_mul(2).min(longest);
        }
        self.offset += block.len as u64;
        block.blank_long_lines(options.max_record_bytes);
    }

    /// Reads whole values, at least one.
    fn read_values(&mut self, block: &mut Block, options: &Options) {
        block.kind = BlockKind::Values;
        let longest = options.max_record_bytes.saturating_add(2);
        let mut target = options.block_bytes.max(1);
        let (mut filled, mut cutter) = (0, Cutter::default());
        loop {
            block.make_room(target);
            filled += self.input.fill(&mut block.bytes[filled..target]);
            let ended = filled < target;
            cutter.cut(&block.bytes[..filled], ended, &mut block.values);
            let end = if ended { filled } else { cutter.open_at() };
            if ended || end > 0 {
                block.len = end;
                if end < filled {
                    self.input.put_back(&block.bytes[end..filled]);
                }
                break;
            }
            if filled >= longest {
                let skip = Skip::value(cutter.into_scanner(), block.bytes[filled - 1]);
                return self.skip(skip, block, filled, options);
            }
            target = target.saturating_mul(2).min(longest);
        }
        self.offset += block.len as u64;
        block.blank_long_values(options.max_record_bytes);
    }

    /// Passes over a line or a value of which `block` holds the first `length` bytes. A blank line
    /// stands for a line, and nothing for a value.
    fn skip(&mut self, mut skip: Skip, block: &mut Block, length: usize, options: &Options) {
        let step = options.block_bytes.max(1);
        let begun = &block.bytes[..length];
        let start = if block.kind == BlockKind::Lines && !self.in_line {
            0
        } else {
            skip_separators(begun, 0)
        };
        let mut head = begun[start..length.min(start + HEAD_BYTES)].to_vec();
        let mut before_end = begun[length - 1];
        let mut lines = memchr::memchr_iter(b'\n', begun).count() as u64;
        let mut length = length as u64;
        let goes_on = loop {
            let count = self.input.fill(&mut block.bytes[..step]);
            let read = &block.bytes[..count];
            let end = skip.end(read);
            let passed = &read[..end.unwrap_or(count)];
            length += passed.len() as u64;
            lines += memchr::memchr_iter(b'\n', passed).count() as u64;
            head.extend(passed.iter().take(HEAD_BYTES - head.len()));
            before_end = passed.last().copied().unwrap_or(before_end);
            if let Some(end) = end {
                let goes_on = block.kind == BlockKind::Values || read.get(end) != Some(&b'\n');
                let line_end = usize::from(!goes_on);
                self.input.put_back(&read[end + line_end..]);
                self.offset += line_end as u64;
                break goes_on;
            }
            if count < step {
                break block.kind == BlockKind::Values;
            }
        };
        let offset = block.offset + start as u64;
        self.offset += length;
        length -= start as u64;
        if before_end == b'\r' && !goes_on {
            length -= 1;
            head.truncate(usize::try_from(length).unwrap_or(HEAD_BYTES));
        }
        block.oversize.push(Oversize { offset, length, line_in_block: 0, head });
        self.in_line = block.kind == BlockKind::Lines && goes_on;
        (block.bytes[0], block.len) = (b'\n', usize::from(!goes_on));
        block.lines_passed = lines;
    }
}
