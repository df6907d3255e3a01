//! What a record is (an event, a batch, a capture), followed down to its events.

use simd_json::INPUT_PADDING;

use super::capture::{Body, Capture, decode_base64};
use super::document::Document;
use super::json::{Json, Kind};
use super::reject::{Reason, Refusal};
use super::{Arrival, Detection, Sink};
use crate::event::{CallType, Event, Member};
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
}

impl Delivery<'_> {
    /// That of a record which stands by itself.
    pub(super) fn new(plain: bool) -> Self {
        Self { captured_at: Time::MISSING, batch: None, in_batch: false, nesting: 0, plain }
    }

    fn deeper(self) -> Self {
        Self { nesting: self.nesting + 1, ..self }
    }
}

/// A parser for the text of a capture's body.
#[derive(Default)]
pub(super) struct Nested {
    document: Document,
    text: Vec<u8>,
}

/// One record on its way to its events.
pub(super) struct Walk<'a, S> {
    pub(super) detection: Detection,
    pub(super) sink: &'a mut S,
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
        let event = Event::new(object);
        let has_id = [Member::MessageId, Member::AnonymousId, Member::UserId]
            .into_iter()
            .any(|member| event.id(member).is_some());
        if has_id && let Some(call) = event.call_type() {
            return self.event(event, call, delivery);
        }
        if let Some(batch) = object.get("batch").filter(|batch| batch.is_array()) {
            return self.batch(batch, &Delivery { batch: Some(&event), ..*delivery });
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
        let Nested { document, text } = &mut nested;
        text.clear();
        if write(text) {
            let len = text.len();
            // What the batch lends to the event stands in another text.
            let lent_plain = delivery.batch.is_none() || delivery.plain;
            let plain = lent_plain && memchr::memchr(b'\\', text).is_none();
            text.resize(len + INPUT_PADDING, b' ');
            document.read(text, len, |value| match value {
                Ok(value) => self.record(value, &Delivery { plain, ..*delivery }),
                Err(_) => {
                    self.refuse(Reason::BadCaptureBody, "expected the body to be one JSON value");
                }
            });
        } else {
            self.refuse(Reason::BadCaptureBody, "expected the body to be base64");
        }
        text.shrink_to(1 << 20);
        self.nested.push(nested);
    }

    fn refuse(&mut self, reason: Reason, detail: impl Into<std::borrow::Cow<'static, str>>) {
        self.refusals.push(Refusal::new(reason, detail));
    }
}
