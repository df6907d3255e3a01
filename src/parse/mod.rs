//! Blocks of lines to events: JSON, what kind of record each is, and why one is refused.

pub mod auth;
pub mod capture;
pub mod document;
pub mod json;
pub mod outline;
pub(crate) mod raw;
pub mod record;
pub mod reject;
pub mod shape;
#[cfg(test)]
mod tests;

use std::iter::Peekable;

use memchr::{memchr, memchr_iter, memrchr};
use simdutf8::basic::from_utf8;

use crate::event::{Event, Member};
use crate::source::{Block, BlockKind, Oversize};
use crate::time::Time;
use auth::Auth;
use document::Document;
use json::Values;
use outline::Outlines;
use record::{Delivery, Nested, Walk};
use reject::{Reason, Refusal, Reject};
use shape::Shape;

/// How deep a JSON value may be nested.
pub const MAX_DEPTH: usize = 128;

/// Takes what a block holds, in order; the refusals of a line come after its events.
pub trait Sink {
    /// What follows stands in this line of the block, counted from 0.
    #[inline]
    fn line(&mut self, _line_in_block: u64) {}
    /// An event that was detected as Segment's.
    fn event(&mut self, event: &Event<'_>, arrival: Arrival);
    /// A record that yields no event.
    fn reject(&mut self, reject: Reject<'_>);
}

/// How an event came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When its capture says that it was delivered.
    pub captured_at: Time,
    /// No string of it has a character that JSON escapes.
    pub plain: bool,
    /// What it came in.
    pub shape: Shape,
}

/// Which events count as Segment's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detection {
    /// Either an `anonymousId` or a `userId` will do.
    EitherId,
    /// There must be an `anonymousId`, as TrailSpark itself asks.
    AnonymousId,
}

impl Detection {
    /// Whether `event` counts.
    pub fn takes(self, event: &Event<'_>) -> bool {
        let has = |member| event.id(member).is_some();
        let identified =
            has(Member::AnonymousId) || (self == Self::EitherId && has(Member::UserId));
        identified && has(Member::MessageId) && event.call_type().is_some()
    }
}

/// How a [`Parser`] reads.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which events count as Segment's.
    pub detection: Detection,
    /// Longer lines are refused.
    pub max_record_bytes: u64,
    /// Members that the content hash leaves out.
    pub ignored: Vec<Member>,
    /// What captured deliveries must show.
    pub auth: Auth,
}

/// Reads blocks; keeps its buffers between them, and what it learned of their lines.
pub struct Parser {
    options: Options,
    outlines: Outlines,
    values: Values,
    document: Document,
    nested: Vec<Nested>,
    unknown: Option<String>,
    refusals: Vec<Refusal>,
}

impl Parser {
    /// A parser that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            outlines: Outlines::new(&options.ignored),
            options,
            values: Values::default(),
            document: Document::default(),
            nested: Vec::new(),
            unknown: None,
            refusals: Vec::new(),
        }
    }

    /// Hands all that `block` holds to `sink` and returns the number of its lines.
    pub fn read_block(&mut self, block: &Block, sink: &mut impl Sink) -> u64 {
        let content = block.content();
        if block.kind == BlockKind::Whole {
            let place = Place { line_in_block: 0, offset: block.offset };
            self.read_record(content, place, sink);
            return memchr_iter(b'\n', content).count() as u64;
        }
        let mut cursor = Cursor { at: 0, lines: 0, oversize: block.oversize.iter().peekable() };
        let (mut base, mut valid) = (0, "");
        // Outlines count in 31 bits.
        let outlined = i32::try_from(content.len()).is_ok();
        if outlined {
            valid = valid_lines(content);
        }
        loop {
            self.too_large(&mut cursor, sink);
            if cursor.at >= content.len() {
                return cursor.lines;
            }
            let in_valid = cursor.at - base;
            if in_valid < valid.len() {
                let padded = &block.bytes[base..];
                let offset = block.offset + cursor.at as u64;
                let place = Place { line_in_block: cursor.lines, offset };
                if let Some(end) = self.read_outlined(padded, valid, in_valid, place, sink) {
                    cursor.next_line(base + end);
                    continue;
                }
            }
            let rest = &content[cursor.at..];
            let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
            if !line.trim_ascii().is_empty() {
                let offset = block.offset + cursor.at as u64;
                self.read_record(line, Place { line_in_block: cursor.lines, offset }, sink);
            }
            cursor.next_line(cursor.at + line.len());
            if outlined && cursor.at > base + valid.len() {
                // Past a line that is not UTF-8.
                base = cursor.at.min(content.len());
                valid = valid_lines(&content[base..]);
            }
        }
    }

    /// Refuses the giant lines that stood at the cursor.
    fn too_large(&self, cursor: &mut Cursor<'_>, sink: &mut impl Sink) {
        // A blank line stands where a giant one was.
        while let Some(giant) =
            cursor.oversize.next_if(|giant| giant.line_in_block as u64 <= cursor.lines)
        {
            let limit = self.options.max_record_bytes;
            let detail = format!(
                "{} bytes in one line, over the limit of {limit} (--max-record-bytes raises it)",
                giant.length
            );
            let refusal = &Refusal::new(Reason::TooLarge, detail);
            let (line_in_block, offset) = (cursor.lines, giant.offset);
            sink.reject(Reject { refusal, line_in_block, offset, record: &giant.head });
        }
    }

    /// Reads the line of `text` that begins at `start` if its outline is known, and returns where
    /// it ends; `padded` is `text` and at least [`PADDING`](crate::source::PADDING) bytes more.
    #[inline]
    fn read_outlined(
        &mut self,
        padded: &[u8],
        text: &str,
        start: usize,
        place: Place,
        sink: &mut impl Sink,
    ) -> Option<usize> {
        let Self { options, outlines, values, nested, unknown, refusals, .. } = self;
        let (outline, end) = outlines.read(padded, text.len(), start, values)?;
        let line_end = match &text.as_bytes()[end..] {
            [] | [b'\n', ..] => end,
            [b'\r', b'\n', ..] => end + 1,
            _ => return None,
        };
        let doc = outline.doc(text, values, start);
        sink.line(place.line_in_block);
        let Options { detection, auth, .. } = &*options;
        let mut walk =
            Walk { detection: *detection, auth, sink, outlines, unknown, nested, refusals };
        walk.record(doc.root()?, &Delivery::outlined(outline, doc.unescaped.is_empty()));
        if !refusals.is_empty() {
            refuse(refusals, &text.as_bytes()[start..line_end], place, sink);
        }
        if let Some(body) = unknown.take() {
            outlines.learn(&body);
        }
        Some(line_end)
    }

    fn read_record(&mut self, text: &[u8], place: Place, sink: &mut impl Sink) {
        let plain = memchr(b'\\', text).is_none();
        sink.line(place.line_in_block);
        let Self { options, outlines, document, nested, unknown, refusals, .. } = self;
        let Options { detection, auth, .. } = &*options;
        let mut walk =
            Walk { detection: *detection, auth, sink, outlines, unknown, nested, refusals };
        let failed = document.read(text, |value| match value {
            Ok(value) => {
                walk.record(value, &Delivery::new(plain));
                None
            }
            Err(error) => Some(error),
        });
        if let Some(error) = failed {
            self.refusals.push(Refusal::from_parser(&error, text));
        } else if self.refusals.is_empty()
            && let Ok(line) = from_utf8(text.trim_ascii_end())
        {
            self.outlines.learn(line);
        }
        if let Some(body) = self.unknown.take() {
            self.outlines.learn(&body);
        }
        if !self.refusals.is_empty() {
            refuse(&mut self.refusals, text, place, sink);
        }
    }
}

/// Hands `refusals` to the sink. A capture of a list is shown at its own place and with its own
/// text, so that a file of many captures does not stand there once for each of them.
#[cold]
fn refuse(refusals: &mut Vec<Refusal>, original: &[u8], place: Place, sink: &mut impl Sink) {
    // The captures of a list are refused in order; those behind are never looked for again.
    let mut list: Option<Entries<'_>> = None;
    for refusal in refusals.drain(..) {
        let mut reject = Reject {
            refusal: &refusal,
            line_in_block: place.line_in_block,
            offset: place.offset,
            record: original,
        };
        if let Some(entry) = refusal.entry {
            let list = list.get_or_insert_with(|| Entries::new(original, entry.path));
            if let Some((range, lines)) = list.find(entry.index) {
                reject.line_in_block += lines;
                reject.offset += range.start as u64;
                reject.record = &original[range];
            }
        }
        sink.reject(reject);
    }
}

/// The captures of a list in the text of a record, looked up in order.
struct Entries<'a> {
    text: &'a [u8],
    items: Option<std::iter::Enumerate<raw::Items<'a>>>,
    current: Option<(usize, std::ops::Range<usize>)>,
    /// Lines before the current one.
    lines: u64,
}

impl<'a> Entries<'a> {
    fn new(text: &'a [u8], path: &[&str]) -> Self {
        let items = raw::Items::at_path(text, path).map(Iterator::enumerate);
        Self { text, items, current: None, lines: 0 }
    }

    /// Where the one at `index` stands, and how many lines are before it.
    fn find(&mut self, index: usize) -> Option<(std::ops::Range<usize>, u64)> {
        while self.current.as_ref().is_none_or(|(current, _)| *current < index) {
            let from = self.current.as_ref().map_or(0, |(_, range)| range.start);
            let next = self.items.as_mut()?.next()?;
            self.lines += memchr_iter(b'\n', &self.text[from..next.1.start]).count() as u64;
            self.current = Some(next);
        }
        let (current, range) = self.current.as_ref()?;
        (*current == index).then(|| (range.clone(), self.lines))
    }
}

/// How far a block has been read.
struct Cursor<'a> {
    at: usize,
    lines: u64,
    oversize: Peekable<std::slice::Iter<'a, Oversize>>,
}

impl Cursor<'_> {
    /// Goes to the line after the one that ends at `end`.
    #[inline]
    fn next_line(&mut self, end: usize) {
        self.at = end + 1;
        self.lines += 1;
    }
}

/// The lines at the beginning of `bytes` that are UTF-8.
fn valid_lines(bytes: &[u8]) -> &str {
    if let Ok(text) = from_utf8(bytes) {
        return text;
    }
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let whole_lines = memrchr(b'\n', &bytes[..valid]).map_or(0, |end| end + 1);
    std::str::from_utf8(&bytes[..whole_lines]).unwrap_or_default()
}

/// Where a record begins.
#[derive(Clone, Copy)]
struct Place {
    line_in_block: u64,
    offset: u64,
}
