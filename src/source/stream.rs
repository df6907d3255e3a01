//! An open input, cut into blocks.

use super::block::{Block, BlockKind, FileId, HEAD_BYTES, Oversize};
use super::decompress::DecodeError;
use super::input::OpenInput;
use super::probe::Probe;
use super::reader::Options;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An input and how far its blocks have come.
pub(super) struct Stream {
    pub file: FileId,
    input: OpenInput,
    /// Number and decompressed offset of the next block.
    number: u32,
    offset: u64,
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
        Self { file, input, number: 0, offset }
    }

    /// The fault that cut the input short, once the last block is out.
    pub fn fault(&self) -> Option<&DecodeError> {
        self.input.fault()
    }

    /// How many bytes were decompressed; `None` of plain inputs.
    pub fn decoded(&self) -> Option<u64> {
        self.input.decoded()
    }

    /// Fills `block` with the next block. After one that is the last there is none.
    pub fn next(&mut self, block: &mut Block, options: &Options) {
        block.clear(options.block_bytes);
        block.file = self.file;
        block.number = self.number;
        block.offset = self.offset;
        self.read_lines(block, options);
        if self.number == 0 && block.oversize.is_empty() {
            self.read_whole(block, options);
        }
        if block.kind == BlockKind::Lines {
            block.blank_long_lines(options.max_record_bytes);
        }
        self.number += 1;
    }

    /// Reads whole lines, at least one.
    fn read_lines(&mut self, block: &mut Block, options: &Options) {
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
            if let Some(at) = memchr::memrchr(b'\n', &block.bytes[seen..filled]) {
                block.len = seen + at + 1;
                self.input.put_back(&block.bytes[block.len..filled]);
                break;
            }
            if filled >= longest {
                self.skip_line(block, filled, options.block_bytes.max(1));
                return;
            }
            target = target.saturating_mul(2).min(longest);
        }
        self.offset += block.len as u64;
        block.last = self.input.at_end();
    }

    /// Passes over a line of which `block` holds the first `length` bytes, without a line end. It
    /// becomes the one, blank line of the block.
    fn skip_line(&mut self, block: &mut Block, length: usize, step: usize) {
        let mut head = block.bytes[..length.min(HEAD_BYTES)].to_vec();
        let mut before_end = block.bytes[length - 1];
        let mut length = length as u64;
        let line_end = loop {
            let count = self.input.fill(&mut block.bytes[..step]);
            let read = &block.bytes[..count];
            let end = memchr::memchr(b'\n', read);
            let rest_of_line = &read[..end.unwrap_or(count)];
            length += rest_of_line.len() as u64;
            head.extend(rest_of_line.iter().take(HEAD_BYTES - head.len()));
            before_end = rest_of_line.last().copied().unwrap_or(before_end);
            if let Some(end) = end {
                self.input.put_back(&read[end + 1..]);
                break 1;
            }
            if count < step {
                break 0;
            }
        };
        self.offset += length + line_end;
        if before_end == b'\r' {
            length -= 1;
            head.truncate(usize::try_from(length).unwrap_or(HEAD_BYTES));
        }
        block.oversize.push(Oversize { offset: block.offset, length, line_in_block: 0, head });
        block.bytes[0] = b'\n';
        block.len = 1;
        block.last = self.input.at_end();
    }

    /// Makes `block`, the first of its file, the whole file if that is one JSON value over many
    /// lines. What was read in vain to find out is put back.
    fn read_whole(&mut self, block: &mut Block, options: &Options) {
        let Some(mut probe) = Probe::begin(block.content(), block.last, options.is_json) else {
            return;
        };
        let mut text = block.content().to_vec();
        let step = options.block_bytes.max(1);
        let mut may_be = true;
        while may_be && !self.input.at_end() {
            let start = text.len();
            text.resize(start + step, 0);
            let count = self.input.fill(&mut text[start..]);
            text.truncate(start + count);
            may_be = text.len() <= options.max_value_bytes && probe.goes_on(&text[start..]);
        }
        if may_be && text.len() <= options.max_value_bytes && (options.is_json)(&text) {
            block.len = text.len();
            block.bytes = text;
            block.make_room(block.len);
            block.kind = BlockKind::Whole;
            block.last = true;
        } else {
            text.drain(..block.len);
            self.input.put_back_owned(text);
        }
    }
}
