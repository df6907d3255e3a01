//! Blocks of lines to events: JSON, what kind of record each is, and why one is refused.

pub mod auth;
mod body_format;
pub mod capture;
pub mod deletion;
mod envelope;
pub mod excerpt;
mod export;
mod foreign;
mod item;
mod lines;
mod log_line;
mod mend;
mod rebuild;
pub mod record;
mod refusals;
pub mod reject;
pub mod shape;
#[cfg(test)]
mod tests;

use memchr::{memchr, memchr_iter};
use simdutf8::basic::from_utf8;

pub use mend::Repairs;

use crate::event::outline::Outlines;
use crate::event::{Event, Member};
use crate::json::Values;
use crate::json::document::Document;
use crate::time::Time;
use auth::Auth;
use deletion::Deletion;
use item::Text;
use log_line::LogLine;
use record::{Delivery, Nested, Walk};
use refusals::Refusals;
use reject::{Refusal, Reject, Surplus};
use shape::Shape;

/// Takes what a block holds, in order.
pub trait Sink {
    /// What follows stands in this line of the block, counted from 0.
    #[inline]
    fn line(&mut self, _line_in_block: u64) {}
    /// An event that was detected as Segment's.
    fn event(&mut self, event: &Event<'_>, arrival: Arrival);
    /// A record that yields no event, or an item of one.
    fn reject(&mut self, reject: Reject<'_>);
    /// What one record has more of refused items than are handed on one by one.
    fn surplus(&mut self, surplus: Surplus<'_>);
    /// A captured request that has nothing to do with Segment; it is no record.
    #[inline]
    fn foreign(&mut self) {}
    /// A request that a user be forgotten; it is refused besides, since it is no event.
    #[inline]
    fn deletion(&mut self, _deletion: Deletion<'_>) {}
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
    /// The call will do, for events that people write: Segment gives ids to what comes without.
    Call,
}

impl Detection {
    /// Whether `event` counts.
    pub fn takes(self, event: &Event<'_>) -> bool {
        let has = |member| event.id(member).is_some();
        let has_ids = match self {
            Self::AnonymousId => has(Member::AnonymousId) && has(Member::MessageId),
            Self::EitherId => {
                (has(Member::AnonymousId) || has(Member::UserId)) && has(Member::MessageId)
            }
            Self::Call => true,
        };
        has_ids && event.call_type().is_some()
    }
}

/// What becomes of events without a message id, which Segment's servers give to whatever comes
/// without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageIds {
    /// They are refused.
    #[default]
    Required,
    /// The hash of their other content becomes one.
    Assigned,
}

/// How a [`Parser`] reads.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which events count as Segment's.
    pub detection: Detection,
    /// Longer lines are refused.
    pub max_record_bytes: u64,
    /// What becomes of events without a message id.
    pub message_ids: MessageIds,
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
        let Self { options, outlines, values, nested, unknown, .. } = self;
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
        let Options { detection, message_ids, auth, .. } = &*options;
        let (detection, message_ids) = (*detection, *message_ids);
        let record = &Text::of_record(&text.as_bytes()[start..line_end]);
        let refusals = place.refusals(record);
        let mut walk =
            Walk { detection, message_ids, auth, sink, outlines, unknown, nested, refusals };
        let delivery = Delivery::outlined(record, outline, doc.unescaped.is_empty());
        walk.record(doc.root()?, &delivery);
        walk.finish();
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
        let Self { options, outlines, document, nested, unknown, .. } = self;
        let Options { detection, message_ids, auth, .. } = &*options;
        let (detection, message_ids) = (*detection, *message_ids);
        let record = &Text::of_record(text);
        let refusals = place.refusals(record);
        let mut walk =
            Walk { detection, message_ids, auth, sink, outlines, unknown, nested, refusals };
        document.read(text, |value| {
            value.map(|value| walk.record(value, &Delivery::new(record, plain)))
        })?;
        if walk.finish() == 0
            && let Ok(line) = from_utf8(text.trim_ascii_end())
        {
            self.outlines.learn(line);
        }
        if let Some(body) = self.unknown.take() {
            self.outlines.learn(&body);
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
        let Self { options, outlines, document, nested, unknown, .. } = self;
        let Options { detection, message_ids, auth, .. } = &*options;
        let (detection, message_ids) = (*detection, *message_ids);
        if let Some(LogLine { start, object, time }) = LogLine::of(text) {
            let place = Place { offset: place.offset + start as u64, ..place };
            let record = &Text::of_record(object.as_bytes());
            let refusals = place.refusals(record);
            let mut walk =
                Walk { detection, message_ids, auth, sink, outlines, unknown, nested, refusals };
            walk.log_line(object, time, &Delivery::new(record, false));
            walk.finish();
            return;
        }
        let mended = mend::read(document, text, |value, mended| {
            sink.mended(mended.repairs);
            let record = &Text::of_record(&mended.text);
            let refusals = place.refusals(record);
            let mut walk =
                Walk { detection, message_ids, auth, sink, outlines, unknown, nested, refusals };
            walk.record(value, &Delivery::new(record, false));
            walk.finish();
            if let Some((refusal, range)) = &mended.lost {
                let lines = memchr_iter(b'\n', &text[..range.start]).count() as u64;
                sink.reject(Reject {
                    refusal,
                    line_in_block: place.line_in_block + lines,
                    offset: place.offset + range.start as u64,
                    record: &text[range.clone()],
                    is_item: true,
                });
            }
        });
        if let Some(body) = self.unknown.take() {
            self.outlines.learn(&body);
        }
        if mended.is_none() {
            let record = &Text::of_record(text);
            place.refusals(record).add(Refusal::from_parser(error, text), None, sink);
        }
    }
}

/// Where a record begins.
#[derive(Clone, Copy)]
struct Place {
    line_in_block: u64,
    offset: u64,
}

impl Place {
    /// Those of the record that begins here.
    fn refusals<'t>(self, record: &'t Text<'t>) -> Refusals<'t> {
        Refusals::new(record, self.line_in_block, self.offset)
    }
}
