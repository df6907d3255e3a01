//! Parsing of blocks into events: reads JSON, finds out the kind of each record, and explains
//! refusals.

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

/// Receives the contents of blocks, in order.
pub trait Sink {
    /// Sets the line of the block, starting at 0, that the following calls refer to.
    #[inline]
    fn line(&mut self, _line_in_block: u64) {}
    /// Receives an event that was detected as Segment's.
    fn event(&mut self, event: &Event<'_>, arrival: Arrival);
    /// Receives a record, or an item of one, that yields no event.
    fn reject(&mut self, reject: Reject<'_>);
    /// Receives the counts of refused items of one record beyond those that are passed one by one.
    fn surplus(&mut self, surplus: Surplus<'_>);
    /// Counts a captured request that is unrelated to Segment and is not a record.
    #[inline]
    fn foreign(&mut self) {}
    /// Receives a request to delete a user's data. It is also refused, because it is not an event.
    #[inline]
    fn deletion(&mut self, _deletion: Deletion<'_>) {}
    /// Receives the repairs that one text needed.
    #[inline]
    fn mended(&mut self, _repairs: Repairs) {}
}

/// The circumstances under which an event was delivered.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The delivery time according to the capture.
    pub captured_at: Time,
    /// Whether no string of the event has a character that JSON escapes.
    pub plain: bool,
    /// The shape of the record that contained the event.
    pub shape: Shape,
}

/// The rule that decides which events count as Segment's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detection {
    /// Events with an `anonymousId` or a `userId`.
    EitherId,
    /// Events with an `anonymousId`, as TrailSpark requires.
    AnonymousId,
    /// Events with a call type, for events written by hand: Segment assigns missing ids.
    Call,
}

impl Detection {
    /// Returns `true` if `event` counts as Segment's.
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

/// The treatment of events without a message id. Segment's servers assign one to such events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageIds {
    /// Events without a message id are refused.
    #[default]
    Required,
    /// The hash of the remaining content becomes the message id.
    Assigned,
}

/// The settings of a [`Parser`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Which events count as Segment's.
    pub detection: Detection,
    /// The maximum length of a record, in bytes; longer ones are refused.
    pub max_record_bytes: u64,
    /// The treatment of events without a message id.
    pub message_ids: MessageIds,
    /// The members that the content hash ignores.
    pub ignored: Vec<Member>,
    /// The credentials that captured deliveries must have.
    pub auth: Auth,
}

/// Parses blocks. It reuses its buffers and the outlines of known lines between blocks.
pub struct Parser {
    options: Options,
    outlines: Outlines,
    values: Values,
    document: Document,
    nested: Vec<Nested>,
    unknown: Option<String>,
}

impl Parser {
    /// Creates a parser without any outlines.
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

    /// Reads the value at `start` in `text` if its outline is known. Returns the end of the value,
    /// or the end of its line if nothing else follows on it. `padded` is `text` followed by at
    /// least [`PADDING`](crate::source::PADDING) bytes.
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
            // Only a value in brackets is complete whatever follows it.
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
    /// Returns the parser's error if `text` is not one JSON value.
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

    /// Mends and reads `text`, which the parser refused with `error`, or refuses it if it cannot be
    /// mended.
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

/// The start of a record.
#[derive(Clone, Copy)]
struct Place {
    line_in_block: u64,
    offset: u64,
}

impl Place {
    /// Starts the refusals of the record at this place.
    fn refusals<'t>(self, record: &'t Text<'t>) -> Refusals<'t> {
        Refusals::new(record, self.line_in_block, self.offset)
    }
}
