//! Reading of blocks line by line and value by value.

use std::iter::Peekable;

use memchr::{memchr, memchr_iter, memrchr};

use super::reject::{Reason, Refusal, Reject};
use super::{Parser, Place, Sink, from_utf8, mend};
use crate::grammar::{RECORD_SEPARATOR, divides, is_blank, next_piece};
use crate::source::{Block, BlockKind, Oversize, Piece};

impl Parser {
    /// Reads all records of `block` into `sink` and returns the number of lines that end in the
    /// block.
    pub fn read_block(&mut self, block: &Block, sink: &mut impl Sink) -> u64 {
        if block.kind == BlockKind::Values {
            return self.read_values(block, sink);
        }
        let content = block.content();
        let mut cursor = Cursor::new(block);
        let (mut base, mut valid) = (0, "");
        // Offsets in outlines have 31 bits.
        let outlined = i32::try_from(content.len()).is_ok();
        if outlined {
            valid = valid_lines(content);
        }
        loop {
            let offset = cursor.place().offset;
            self.too_large(offset, &mut cursor.oversize, sink);
            if cursor.at >= content.len() {
                return cursor.lines + block.skipped_lines;
            }
            let in_valid = cursor.at - base;
            let place = cursor.place();
            if in_valid < valid.len() {
                let padded = &block.bytes[base..];
                if let Some(end) = self.read_outlined(padded, valid, in_valid, place, sink) {
                    cursor.go_to(base + end);
                    continue;
                }
            }
            if !cursor.in_line && matches!(content[cursor.at], b',' | RECORD_SEPARATOR) {
                // The text after it may have an outline.
                cursor.go_to(cursor.at);
                continue;
            }
            let line = cursor.line();
            let read = self.read_line(line, &mut cursor, sink);
            cursor.go_to(cursor.at + read);
            if outlined && !cursor.in_line && cursor.at > base + valid.len() {
                // The line that was read is not UTF-8: the next valid part begins after it.
                base = cursor.at.min(content.len());
                valid = valid_lines(&content[base..]);
            }
        }
    }

    /// Reads the values of `block` into `sink` and returns the number of lines that end in the
    /// block.
    fn read_values(&mut self, block: &Block, sink: &mut impl Sink) -> u64 {
        let content = block.content();
        // Offsets in outlines have 31 bits.
        let valid = i32::try_from(content.len()).map_or("", |_| valid_lines(content));
        let mut oversize = block.oversize.iter().peekable();
        let (mut line_in_block, mut counted) = (0, 0);
        for Piece { range, whole } in &block.values {
            let before = &content[counted..range.start];
            line_in_block += memchr_iter(b'\n', before).count() as u64;
            counted = range.start;
            let place = Place { line_in_block, offset: block.offset + range.start as u64 };
            self.too_large(place.offset, &mut oversize, sink);
            let outlined = *whole && range.end <= valid.len();
            if !outlined
                || self.read_outlined(&block.bytes, valid, range.start, place, sink).is_none()
            {
                self.read_record(&content[range.clone()], place, sink);
            }
        }
        self.too_large(u64::MAX, &mut oversize, sink);
        line_in_block += memchr_iter(b'\n', &content[counted..]).count() as u64;
        line_in_block + block.skipped_lines
    }

    /// Reads `line`, or only its first value if it has several, and returns the number of bytes
    /// read.
    fn read_line(&mut self, line: &[u8], cursor: &mut Cursor<'_>, sink: &mut impl Sink) -> usize {
        let place = cursor.place();
        let mut whole_line = Ok(());
        if !cursor.in_line {
            if line.trim_ascii().is_empty() {
                return line.len();
            }
            whole_line = self.read_value(line, place, sink);
            if whole_line.is_ok() {
                return line.len();
            }
        }
        let Some(piece) = next_piece(line, 0) else { return line.len() };
        if let Err(error) = whole_line
            && !divides(line, &piece)
        {
            self.mend_or_refuse(line, &error, place, sink);
            return line.len();
        }
        let start = piece.range.start;
        let mut end = piece.range.end;
        if !piece.whole {
            end = mend::batch_end(&line[start..]).map_or(end, |length| start + length);
        }
        let place = Place { offset: place.offset + start as u64, ..place };
        self.read_record(&line[start..end], place, sink);
        end
    }

    /// Reads `text`, or refuses it if it is not valid and cannot be mended.
    fn read_record(&mut self, text: &[u8], place: Place, sink: &mut impl Sink) {
        if let Err(error) = self.read_value(text, place, sink) {
            self.mend_or_refuse(text, &error, place, sink);
        }
    }

    /// Refuses the oversize records up to `offset`.
    fn too_large(&self, offset: u64, oversize: &mut OversizeRecords<'_>, sink: &mut impl Sink) {
        while let Some(record) = oversize.next_if(|record| record.offset <= offset) {
            let limit = self.options.max_record_bytes;
            let detail = format!(
                "{} bytes in one record, over the limit of {limit} (--max-record-bytes raises it)",
                record.length
            );
            let refusal = &Refusal::new(Reason::TooLarge, detail);
            let (line_in_block, offset) = (record.line_in_block as u64, record.offset);
            let (record, is_item) = (&record.head[..], false);
            sink.reject(Reject { refusal, line_in_block, offset, record, is_item });
        }
    }
}

/// The oversize records of a block, in order.
type OversizeRecords<'a> = Peekable<std::slice::Iter<'a, Oversize>>;

/// A position in a block while it is read.
struct Cursor<'a> {
    content: &'a [u8],
    /// The offset of the content in its file, in bytes.
    offset: u64,
    at: usize,
    /// The end of the line that was found last.
    line_end: usize,
    lines: u64,
    /// Whether the position is at a further value of the same line.
    in_line: bool,
    oversize: OversizeRecords<'a>,
}

impl<'a> Cursor<'a> {
    fn new(block: &'a Block) -> Self {
        let content = block.content();
        let mut cursor = Self {
            content,
            offset: block.offset,
            at: 0,
            line_end: 0,
            lines: 0,
            in_line: false,
            oversize: block.oversize.iter().peekable(),
        };
        if block.in_line {
            cursor.go_to(0);
        }
        cursor
    }

    #[inline]
    fn place(&self) -> Place {
        Place { line_in_block: self.lines, offset: self.offset + self.at as u64 }
    }

    /// Returns the rest of the line. Its end is searched for once, since a line can have very many
    /// values.
    fn line(&mut self) -> &'a [u8] {
        if self.at >= self.line_end {
            let rest = &self.content[self.at..];
            self.line_end = self.at + memchr(b'\n', rest).unwrap_or(rest.len());
        }
        &self.content[self.at..self.line_end]
    }

    /// Advances to the first value after `end`, on the same line or the next.
    #[inline]
    fn go_to(&mut self, end: usize) {
        match self.content.get(end) {
            Some(b'\n') => self.next_line(end),
            _ => self.stay_in_line(end),
        }
    }

    #[inline]
    fn next_line(&mut self, end: usize) {
        self.at = end + 1;
        self.lines += 1;
        self.in_line = false;
    }

    #[cold]
    fn stay_in_line(&mut self, end: usize) {
        let rest = self.content[end..].iter();
        let is_between =
            |byte: u8| byte != b'\n' && (is_blank(byte) || matches!(byte, b',' | RECORD_SEPARATOR));
        self.at = end + rest.take_while(|&&byte| is_between(byte)).count();
        match self.content.get(self.at) {
            Some(b'\n') => self.next_line(self.at),
            _ => self.in_line = true,
        }
    }
}

/// Returns the leading lines of `bytes` that are valid UTF-8.
fn valid_lines(bytes: &[u8]) -> &str {
    if let Ok(text) = from_utf8(bytes) {
        return text;
    }
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let whole_lines = memrchr(b'\n', &bytes[..valid]).map_or(0, |end| end + 1);
    std::str::from_utf8(&bytes[..whole_lines]).unwrap_or_default()
}
