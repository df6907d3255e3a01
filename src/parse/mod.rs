//! Blocks of lines to events: JSON, what kind of record each is, and why one is refused.

pub mod auth;
pub mod capture;
mod diagnose;
pub mod document;
pub mod json;
mod lines;
mod mend;
pub mod outline;
pub(crate) mod raw;
pub mod record;
pub mod reject;
pub mod shape;
#[cfg(test)]
mod tests;

use memchr::{memchr, memchr_iter};
use simdutf8::basic::from_utf8;

pub use mend::Repairs;

use crate::event::{Event, Member};
use crate::time::Time;
use auth::Auth;
use document::Document;
use json::Values;
use outline::Outlines;
use record::{Delivery, Nested, Walk};
use reject::{Refusal, Reject};
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
    /// So much of a text had to be mended before it was JSON.
    #[inline]
    fn mended(&mut self, _repairs: Repairs) {}
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

    /// Reads the value of `text` that begins at `start` if its outline is known, and returns where
    /// it ends, or where its line does if nothing else is in it; `padded` is `text` and at least [`PADDING`](crate::source::PADDING) bytes more.
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
            // Only what has brackets ends where it ends whatever follows.
            _ if !outline.is_container() => return None,
            _ => end,
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

    /// Reads `text` if it is one JSON value.
    ///
    /// # Errors
    /// What the parser says of a text that is none.
    fn read_value(
        &mut self,
        text: &[u8],
        place: Place,
        sink: &mut impl Sink,
    ) -> Result<(), simd_json::Error> {
        let plain = memchr(b'\\', text).is_none();
        sink.line(place.line_in_block);
        let Self { options, outlines, document, nested, unknown, refusals, .. } = self;
        let Options { detection, auth, .. } = &*options;
        let mut walk =
            Walk { detection: *detection, auth, sink, outlines, unknown, nested, refusals };
        document
            .read(text, |value| value.map(|value| walk.record(value, &Delivery::new(plain))))?;
        if self.refusals.is_empty()
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
        Ok(())
    }

    /// Reads `text`, which the parser refused with `error`, if it can be mended, and refuses it
    /// otherwise.
    #[cold]
    fn mend_or_refuse(
        &mut self,
        text: &[u8],
        error: &simd_json::Error,
        place: Place,
        sink: &mut impl Sink,
    ) {
        let Self { options, outlines, document, nested, unknown, refusals, .. } = self;
        let Options { detection, auth, .. } = &*options;
        let mended = mend::read(document, text, |value, mended| {
            sink.mended(mended.repairs);
            let mut walk =
                Walk { detection: *detection, auth, sink, outlines, unknown, nested, refusals };
            walk.record(value, &Delivery::new(false));
            refuse(refusals, &mended.text, place, sink);
            if let Some((refusal, range)) = &mended.lost {
                let lines = memchr_iter(b'\n', &text[..range.start]).count() as u64;
                sink.reject(Reject {
                    refusal,
                    line_in_block: place.line_in_block + lines,
                    offset: place.offset + range.start as u64,
                    record: &text[range.clone()],
                });
            }
        });
        if let Some(body) = self.unknown.take() {
            self.outlines.learn(&body);
        }
        if mended.is_none() {
            self.refusals.push(Refusal::from_parser(error, text));
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

/// Where a record begins.
#[derive(Clone, Copy)]
struct Place {
    line_in_block: u64,
    offset: u64,
}
