//! What a record is (an event, a batch, a capture), followed down to its events.

use super::capture::{Body, Capture, decode_base64};
use super::document::Document;
use super::json::{Json, Kind, Span};
use super::outline::{Outline, Outlines};
use super::reject::{Reason, Refusal};
use super::{Arrival, Detection, Sink, from_utf8};
use crate::event::{CallType, Event, Member};
use crate::source::PADDING;
use crate::time::Time;

/// How many batches and captures may stand in one another.
const MAX_NESTING: u32 = 8;

/// What a record takes from those around it.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'t> {
    captured_at: Time,
    batch: Option<&'t Event<'t>>,
    in_batch: bool,
    nesting: u32,
    plain: bool,
    /// That of the record itself, where it is known.
    outline: Option<&'t Outline>,
}

impl<'t> Delivery<'t> {
    /// That of a record that stands by itself and has this outline.
    pub(super) fn outlined(outline: &'t Outline) -> Self {
        Self { outline: Some(outline), ..Self::new(true) }
    }

    /// That of a record which stands by itself.
    pub(super) fn new(plain: bool) -> Self {
        let (captured_at, batch, in_batch, nesting) = (Time::MISSING, None, false, 0);
        Self { captured_at, batch, in_batch, nesting, plain, outline: None }
    }

    fn deeper(self) -> Self {
        Self { nesting: self.nesting + 1, outline: None, ..self }
    }
}

/// A parser for the text of a capture's body.
#[derive(Default)]
pub(super) struct Nested {
    document: Document,
    text: Vec<u8>,
    values: Vec<Span>,
}

/// One record on its way to its events.
pub(super) struct Walk<'a, S> {
    pub(super) detection: Detection,
    pub(super) sink: &'a mut S,
    pub(super) outlines: &'a Outlines,
    /// A body whose outline is to be learned.
    pub(super) unknown: &'a mut Option<String>,
    pub(super) nested: &'a mut Vec<Nested>,
    pub(super) refusals: &'a mut Vec<Refusal>,
}

impl<S: Sink> Walk<'_, S> {
    /// Hands the events of `value` to the sink, or notes why it yields none.
    pub(super) fn record(&mut self, value: Json<'_>, delivery: &Delivery<'_>) {
        if delivery.nesting > MAX_NESTING {
            let detail = format!("batches and captures nested deeper than {MAX_NESTING}");
            return self.refuse(Reason::BadCaptureBody, detail);
        }
        match value.kind() {
            Kind::Array(_) => self.batch(value, &Delivery { batch: None, ..*delivery }),
            Kind::Object(_) => self.object(value, delivery),
            _ => self.refuse(
                Reason::NotSegment,
                "expected an object or a list, found a JSON value of another type",
            ),
        }
    }

    fn object(&mut self, object: Json<'_>, delivery: &Delivery<'_>) {
        let event = match delivery.outline {
            Some(outline) => Event::outlined(object, outline),
            None => Event::new(object),
        };
        let has_id = [Member::MessageId, Member::AnonymousId, Member::UserId]
            .into_iter()
            .any(|member| event.id(member).is_some());
        if has_id && let Some(call) = event.call_type() {
            return self.event(event, call, delivery);
        }
        if let Some(batch) = object.get("batch").filter(|batch| batch.is_array()) {
            let batch_of = Delivery { batch: Some(&event), outline: None, ..*delivery };
            return self.batch(batch, &batch_of);
        }
        if delivery.in_batch
            && let Some(inner) = object.get("json").filter(|v| v.is_object())
        {
            return self.record(inner, &delivery.deeper());
        }
        if let Some(capture) = Capture::from_object(object) {
            return self.capture(capture, delivery);
        }
        if has_id && event.get(Member::Type).is_some() {
            let calls = CallType::ALL.map(CallType::name).join(", ");
            self.refuse(Reason::UnknownType, format!("expected `type` to be one of {calls}"));
        } else {
            self.refuse(
                Reason::NotSegment,
                "expected a Segment event (`type` with `messageId`, `anonymousId` or `userId`), \
                 a `batch` or a capture with a `body`",
            );
        }
    }

    fn batch(&mut self, list: Json<'_>, delivery: &Delivery<'_>) {
        let delivery = Delivery { in_batch: true, ..delivery.deeper() };
        let mut items = list.items().peekable();
        if items.peek().is_none() {
            return self.refuse(Reason::NotSegment, "expected events, found an empty batch");
        }
        for item in items {
            self.record(item, &delivery);
        }
    }

    fn event<'t>(&mut self, mut event: Event<'t>, call: CallType, delivery: &Delivery<'t>) {
        let anonymous = event.id(Member::AnonymousId).is_some();
        if event.id(Member::MessageId).is_none() {
            let detail = format!("expected a `messageId` on this {} event", call.name());
            return self.refuse(Reason::MissingMessageId, detail);
        }
        if !anonymous && event.id(Member::UserId).is_none() {
            let detail =
                format!("expected an `anonymousId` or `userId` on this {} event", call.name());
            return self.refuse(Reason::MissingIdentity, detail);
        }
        if !anonymous && self.detection == Detection::AnonymousId {
            let detail = "expected an `anonymousId`, which --strict-detect asks for";
            return self.refuse(Reason::MissingIdentity, detail);
        }
        if let Some(batch) = delivery.batch {
            event.fill_from(batch);
        }
        let Delivery { captured_at, plain, .. } = *delivery;
        self.sink.event(&event, Arrival { captured_at, plain });
    }

    fn capture(&mut self, capture: Capture<'_>, delivery: &Delivery<'_>) {
        let captured_at = capture.time.or(delivery.captured_at);
        let delivery = Delivery { captured_at, ..delivery.deeper() };
        match capture.body {
            Body::Value(value) if value.is_object() || value.is_array() => {
                self.record(value, &delivery);
            }
            Body::Value(_) => self.refuse(
                Reason::BadCaptureBody,
                "expected the body to be an object, a list or a text of JSON",
            ),
            Body::Text(text) => self.text(&delivery, |out| {
                out.extend_from_slice(text.as_bytes());
                true
            }),
            Body::Base64(text) => self.text(&delivery, |out| decode_base64(text, out)),
        }
    }

    /// Parses a body's text, which `write` puts into a buffer, and follows it.
    fn text(&mut self, delivery: &Delivery<'_>, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        let mut nested = self.nested.pop().unwrap_or_default();
        let Nested { document, text, values } = &mut nested;
        text.clear();
        if write(text) {
            self.body(document, text, values, delivery);
        } else {
            self.refuse(Reason::BadCaptureBody, "expected the body to be base64");
        }
        text.clear();
        text.shrink_to(1 << 20);
        self.nested.push(nested);
    }

    fn body(
        &mut self,
        document: &mut Document,
        text: &mut Vec<u8>,
        values: &mut Vec<Span>,
        delivery: &Delivery<'_>,
    ) {
        let len = text.len();
        text.resize(len + PADDING, 0);
        if let Ok(body) = from_utf8(&text[..len])
            && let Some((outline, end)) = self.outlines.read(text, len, 0, values)
            && end == len
        {
            let doc = outline.doc(body, values, 0);
            // What the batch lends to the event stands in another text.
            let plain = delivery.batch.is_none() || delivery.plain;
            let delivery = Delivery { plain, outline: Some(outline), ..*delivery };
            if let Some(root) = doc.root() {
                self.record(root, &delivery);
            }
            return;
        }
        let text = &text[..len];
        let plain = memchr::memchr(b'\\', text).is_none();
        let refused = self.refusals.len();
        document.read(text, |value| match value {
            Ok(value) => {
                let plain = plain && (delivery.batch.is_none() || delivery.plain);
                self.record(value, &Delivery { plain, outline: None, ..*delivery });
            }
            Err(_) => {
                self.refuse(Reason::BadCaptureBody, "expected the body to be one JSON value");
            }
        });
        if plain && self.refusals.len() == refused && self.unknown.is_none() {
            *self.unknown = self.outlines.wanted(text);
        }
    }

    fn refuse(&mut self, reason: Reason, detail: impl Into<std::borrow::Cow<'static, str>>) {
        self.refusals.push(Refusal::new(reason, detail));
    }
}
