//! Blocks of lines to events: JSON, what kind of record each is, and why one is refused.

pub mod auth;
pub mod capture;
pub mod document;
pub mod json;
mod raw;
pub mod record;
pub mod reject;
pub mod shape;

use memchr::{memchr, memchr_iter};
use simd_json::INPUT_PADDING;

use crate::event::Event;
use crate::source::{Block, BlockKind};
use crate::time::Time;
use auth::Auth;
use document::Document;
use record::{Delivery, Nested, Walk};
use reject::{Reason, Refusal, Reject};
use shape::Shape;

/// How deep a JSON value may be nested.
pub const MAX_DEPTH: usize = 128;

/// Takes what a block holds, in order; the refusals of a line come after its events.
pub trait Sink {
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

/// Reads blocks; keeps its buffers between them.
pub struct Parser {
    detection: Detection,
    max_record_bytes: u64,
    auth: Auth,
    document: Document,
    nested: Vec<Nested>,
    refusals: Vec<Refusal>,
    original: Vec<u8>,
}

impl Parser {
    /// A parser that refuses lines of more than `max_record_bytes`.
    pub fn new(detection: Detection, max_record_bytes: u64) -> Self {
        Self {
            detection,
            max_record_bytes,
            auth: Auth::default(),
            document: Document::default(),
            nested: Vec::new(),
            refusals: Vec::new(),
            original: Vec::new(),
        }
    }

    /// Refuses captured deliveries that do not show what `auth` asks for.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// Hands all that `block` holds to `sink` and returns the number of its lines.
    pub fn read_block(&mut self, block: &mut Block, sink: &mut impl Sink) -> u64 {
        let Block { bytes, len, kind, offset, oversize, .. } = block;
        if *kind == BlockKind::Whole {
            self.read_record(bytes, 0..*len, Place { line_in_block: 0, offset: *offset }, sink);
            return memchr_iter(b'\n', &bytes[..*len]).count() as u64;
        }
        let mut oversize = oversize.iter().peekable();
        let (mut lines, mut start) = (0_u64, 0);
        loop {
            // A blank line stands where a giant one was.
            while let Some(giant) = oversize.next_if(|giant| giant.line_in_block as u64 <= lines) {
                let place = Place { line_in_block: lines, offset: giant.offset };
                self.too_large(giant.length, place, &giant.head, sink);
            }
            if start >= *len {
                return lines;
            }
            let end = memchr(b'\n', &bytes[start..*len]).map_or(*len, |length| start + length);
            let place = Place { line_in_block: lines, offset: *offset + start as u64 };
            if !bytes[start..end].trim_ascii().is_empty() {
                self.read_record(bytes, start..end, place, sink);
            }
            lines += 1;
            start = end + 1;
        }
    }

    fn too_large(&self, length: u64, place: Place, record: &[u8], sink: &mut impl Sink) {
        let limit = self.max_record_bytes;
        let detail = format!(
            "{length} bytes in one line, over the limit of {limit} (--max-record-bytes raises it)"
        );
        let refusal = &Refusal::new(Reason::TooLarge, detail);
        let Place { line_in_block, offset } = place;
        sink.reject(Reject { refusal, line_in_block, offset, record });
    }

    fn read_record(
        &mut self,
        bytes: &mut [u8],
        range: std::ops::Range<usize>,
        place: Place,
        sink: &mut impl Sink,
    ) {
        let len = range.len();
        let text = &mut bytes[range.start..];
        let plain = memchr(b'\\', &text[..len]).is_none();
        // The parser unescapes in place; a refusal shows the text as it stood.
        self.original.clear();
        if !plain {
            self.original.extend_from_slice(&text[..len]);
        }
        let refusals = &mut self.refusals;
        let nested = &mut self.nested;
        let auth = &self.auth;
        let mut walk = Walk { detection: self.detection, auth, sink, nested, refusals };
        let delivery = Delivery::new(plain);
        let failed = self.document.read(text, len, |value| match value {
            Ok(value) => {
                walk.record(value, &delivery);
                None
            }
            Err(error) => Some(error),
        });
        let original = if plain { &text[..len] } else { &self.original[..] };
        if let Some(error) = failed {
            self.refusals.push(Refusal::from_parser(&error, original));
        }
        if !self.refusals.is_empty() {
            refuse(&mut self.refusals, original, place, sink);
        }
        if len > INPUT_PADDING << 14 {
            self.original.shrink_to(INPUT_PADDING << 14);
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

/// Where a record begins.
#[derive(Clone, Copy)]
struct Place {
    line_in_block: u64,
    offset: u64,
}
