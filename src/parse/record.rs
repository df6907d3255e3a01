//! Reading of one record: finds out what it is (an event, a batch, a capture) and descends to its
//! events.

use std::borrow::Cow;
use std::ops::Range;

use super::auth::{Auth, Signed};
use super::body_format::foreign_format;
use super::capture::{Body, Capture, Found, Headers, List, decode_base64, message};
use super::deletion::Deletion;
use super::envelope::{Enveloped, Held, find_enveloped, is_json_text};
use super::export::looks_like;
use super::foreign::is_foreign;
use super::item::{Item, Text};
use super::mend::{self, Repairs};
use super::rebuild::{self, Changes, call_of_path, is_pixel, near_miss};
use super::refusals::Refusals;
use super::reject::{Reason, Refusal};
use super::shape::Shape;
use super::{Arrival, Detection, MessageIds, Sink, from_utf8};
use crate::event::outline::{Outline, Outlines};
use crate::event::{CallType, Event, Member, Members};
use crate::grammar::{Piece, pieces_of_line};
use crate::json::document::Document;
use crate::json::{Json, Kind, Values};
use crate::source::PADDING;
use crate::time::Time;

/// The maximum nesting depth of batches and captures.
const MAX_NESTING: u32 = 8;
const NO_RECORD: &str = "expected the body to be an object, a list or a text of one of these";

/// Whether a delivery has been authenticated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Not yet.
    Unchecked,
    /// Authenticated; everything inside the delivery came with it and is not checked again.
    Authenticated,
}

/// The context that a record inherits from the records around it.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'t> {
    captured_at: Time,
    batch: Option<&'t Event<'t>>,
    in_batch: bool,
    nesting: u32,
    plain: bool,
    shape: Shape,
    trust: Trust,
    /// The path that the delivery was sent to.
    path: Option<&'t str>,
    /// Whether the batch's context has been merged into the event's context.
    is_merged: bool,
    /// The text that contains the record.
    text: &'t Text<'t>,
    /// The innermost list item that is or contains the record.
    item: Option<&'t Item<'t>>,
    /// The outline of the record itself, if it is known.
    outline: Option<&'t Outline>,
}

impl<'t> Delivery<'t> {
    /// Creates the context of a top-level record that has this outline.
    pub(super) fn outlined(text: &'t Text<'t>, outline: &'t Outline, plain: bool) -> Self {
        Self { outline: Some(outline), ..Self::new(text, plain) }
    }

    /// Creates the context of a top-level record.
    pub(super) fn new(text: &'t Text<'t>, plain: bool) -> Self {
        Self {
            captured_at: Time::MISSING,
            batch: None,
            in_batch: false,
            nesting: 0,
            plain,
            shape: Shape::Unknown,
            trust: Trust::Unchecked,
            path: None,
            is_merged: false,
            text,
            item: None,
            outline: None,
        }
    }

    fn deeper(self) -> Self {
        Self { nesting: self.nesting + 1, outline: None, ..self }
    }

    fn around(self, shape: Shape) -> Self {
        Self { shape: self.shape.around(shape), ..self }
    }
}

/// A parser for the body of a capture, with its buffers.
#[derive(Default)]
pub(super) struct Nested {
    document: Document,
    text: Vec<u8>,
    values: Values,
}

/// The descent through one record to its events.
pub(super) struct Walk<'a, S> {
    pub(super) detection: Detection,
    pub(super) message_ids: MessageIds,
    pub(super) auth: &'a Auth,
    pub(super) sink: &'a mut S,
    pub(super) outlines: &'a Outlines,
    /// A body whose outline should be learned.
    pub(super) unknown: &'a mut Option<String>,
    pub(super) nested: &'a mut Vec<Nested>,
    pub(super) refusals: Refusals<'a>,
}

impl<S: Sink> Walk<'_, S> {
    /// Passes the events of `value` to the sink, or refuses it if it yields none.
    pub(super) fn record(&mut self, value: Json<'_>, delivery: &Delivery<'_>) {
        if delivery.nesting > MAX_NESTING {
            let detail = format!("batches and captures nested deeper than {MAX_NESTING}");
            return self.refuse(delivery, Reason::BadCaptureBody, detail);
        }
        match value.kind() {
            Kind::Array(_) => self.batch(value, &[], &Delivery { batch: None, ..*delivery }),
            Kind::Object(_) => self.object(value, delivery),
            Kind::String(text) if is_json_text(text) => self.json_text(text, delivery),
            _ => self.refuse(
                delivery,
                Reason::NotSegment,
                "expected an object or a list, found a JSON value of another type",
            ),
        }
    }

    /// Finishes the record and returns the number of its refusals.
    #[inline]
    pub(super) fn finish(self) -> u64 {
        let refused = self.refusals.count();
        if refused > 0 {
            self.refusals.finish(self.sink);
        }
        refused
    }

    fn object(&mut self, object: Json<'_>, delivery: &Delivery<'_>) {
        let members;
        let event = if let Some(outline) = delivery.outline {
            Event::outlined(object, outline, delivery.plain)
        } else {
            members = Members::of(object);
            Event::new(object, &members)
        };
        let has_id = [Member::MessageId, Member::AnonymousId, Member::UserId]
            .into_iter()
            .any(|member| event.id(member).is_some());
        let is_call = || {
            let own = Member::ALL.iter().filter(|member| event.get(**member).is_some());
            self.detection == Detection::Call && own.count() > 1
        };
        if let Some(call) = event.call_type()
            && (has_id || is_call())
        {
            return self.event(event, call, delivery);
        }
        if let Some(changes) = near_miss(object, delivery.path.and_then(call_of_path)) {
            self.sink.mended(Repairs {
                call_types: changes.call.is_some().into(),
                snake_case_names: changes.renames.into(),
                ..Repairs::default()
            });
            return self.rebuilt(object, &changes, delivery);
        }
        if let Some(batch) = object.get("batch").filter(|batch| batch.is_array()) {
            return self.batch(batch, &["batch"], &Delivery { batch: Some(&event), ..*delivery });
        }
        if delivery.in_batch
            && let Some(inner) = object.get("json").filter(|v| v.is_object())
        {
            return self.record(inner, &delivery.deeper());
        }
        match Found::in_object(object) {
            Some(Found::One(capture)) => return self.capture(&capture, object, delivery),
            Some(Found::Many(list)) => return self.list(list, delivery),
            Some(Found::ByName(lists)) => return self.lists(lists, delivery),
            None => {}
        }
        let told = match find_enveloped(object) {
            Held::One(found) => return self.envelope(object, found, delivery),
            Held::Not(told) => told,
        };
        if has_id && event.get(Member::Type).is_some() {
            let calls = CallType::ALL.map(CallType::name).join(", ");
            let mut detail = format!("expected `type` to be one of {calls}");
            if let Some(found) = Deletion::of(&event, delivery.batch, delivery.captured_at) {
                self.sink.deletion(found);
                detail.push_str("; a `delete` call is no event, but a request to forget a user");
            }
            self.refuse(&delivery.around(Shape::Event), Reason::UnknownType, detail);
        } else {
            let expected = "expected a Segment event (`type` with `messageId`, `anonymousId` or \
                            `userId`), a `batch` or a capture with a `body`";
            let detail = match (looks_like(object), told) {
                (Some(kind), _) => format!("looks like {kind}: {expected}").into(),
                (None, Some(told)) => format!("{expected}; {told}").into(),
                (None, None) => Cow::Borrowed(expected),
            };
            self.refuse(delivery, Reason::NotSegment, detail);
        }
    }

    /// Descends into `object` rewritten with `changes`.
    #[cold]
    fn rebuilt(&mut self, object: Json<'_>, changes: &Changes<'_>, delivery: &Delivery<'_>) {
        let mut nested = self.nested.pop().unwrap_or_default();
        nested.text.clear();
        changes.write(object, &mut nested.text);
        let whole = 0..nested.text.len();
        self.text(&mut nested, whole, delivery);
        self.nested.push(nested);
    }

    /// Descends into the one event or batch that `object` holds, treated as a capture of no known
    /// tool.
    fn envelope(&mut self, object: Json<'_>, held: Enveloped<'_>, delivery: &Delivery<'_>) {
        let capture = Capture::of_envelope(object, held.around, held.value);
        self.capture(&capture, object, delivery);
    }

    /// Descends into a string that is a JSON text.
    fn json_text(&mut self, text: &str, delivery: &Delivery<'_>) {
        let mut nested = self.nested.pop().unwrap_or_default();
        nested.text.clear();
        nested.text.extend_from_slice(text.as_bytes());
        let delivery = delivery.deeper().around(Shape::Envelope);
        self.text(&mut nested, 0..text.len(), &delivery);
        self.nested.push(nested);
    }

    /// Descends into the object that a log line ends in.
    pub(super) fn log_line(&mut self, object: &str, captured_at: Time, delivery: &Delivery<'_>) {
        let delivery = Delivery { captured_at, ..delivery.around(Shape::LogLine) };
        self.json_text(object, &delivery);
    }

    fn batch(&mut self, list: Json<'_>, path: &'static [&'static str], delivery: &Delivery<'_>) {
        let delivery = Delivery { in_batch: true, ..delivery.deeper() }.around(Shape::Batch);
        self.items(list, path, &delivery, "expected events, found an empty batch");
    }

    /// Descends into each capture of a list.
    fn list(&mut self, list: List<'_>, delivery: &Delivery<'_>) {
        let delivery =
            Delivery { batch: None, in_batch: false, ..delivery.deeper() }.around(list.shape);
        self.items(list.items, list.path, &delivery, "expected captures, found an empty list");
    }

    /// Descends into each list of captures in an object.
    fn lists(&mut self, lists: List<'_>, delivery: &Delivery<'_>) {
        let mut all = lists.items.entries().map(|(_, items)| items).peekable();
        if all.peek().is_none() {
            let delivery = &delivery.around(lists.shape);
            return self.refuse(delivery, Reason::NotSegment, "expected captures, found none");
        }
        for items in all {
            self.list(List { items, ..lists }, delivery);
        }
    }

    fn items(
        &mut self,
        list: Json<'_>,
        path: &'static [&'static str],
        delivery: &Delivery<'_>,
        empty: &'static str,
    ) {
        let mut items = Item::each(list, delivery.text, path, delivery.item).peekable();
        if items.peek().is_none() {
            return self.refuse(delivery, Reason::NotSegment, empty);
        }
        for (value, item) in items {
            self.record(value, &Delivery { item: Some(&item), ..*delivery });
        }
    }

    fn event<'t>(&mut self, mut event: Event<'t>, call: CallType, delivery: &Delivery<'t>) {
        let needs_ids = self.detection != Detection::Call;
        let anonymous = event.id(Member::AnonymousId).is_some();
        let is_identified = anonymous || event.id(Member::UserId).is_some();
        let is_whole = is_identified && event.id(Member::MessageId).is_some();
        if !is_whole && let Held::One(held) = find_enveloped(event.root()) {
            return self.envelope(event.root(), held, delivery);
        }
        if !delivery.is_merged
            && let Some(context) = delivery.batch.and_then(|batch| batch.own(Member::Context))
            && event.own(Member::Context).is_some()
        {
            let changes = Changes { context: Some(context), ..Changes::default() };
            let delivery = &Delivery { is_merged: true, ..*delivery };
            return self.rebuilt(event.root(), &changes, delivery);
        }
        if needs_ids && event.id(Member::MessageId).is_none() {
            let is_assigned = self.message_ids == MessageIds::Assigned;
            if is_identified && (is_assigned || delivery.path.is_some_and(is_pixel)) {
                if let Some(batch) = delivery.batch {
                    event.fill_from(batch);
                }
                self.sink.mended(Repairs { assigned_message_ids: 1, ..Repairs::default() });
                return self.rebuilt(event.root(), &rebuild::message_id(&event), delivery);
            }
            let detail = format!(
                "expected a `messageId` on this {} event, as Segment's servers give one to \
                 whatever comes without (`--assign-ids` makes one of the content)",
                call.name()
            );
            return self.refuse(&delivery.around(Shape::Event), Reason::MissingMessageId, detail);
        }
        if needs_ids && !is_identified {
            let detail =
                format!("expected an `anonymousId` or `userId` on this {} event", call.name());
            return self.refuse(&delivery.around(Shape::Event), Reason::MissingIdentity, detail);
        }
        if !anonymous && self.detection == Detection::AnonymousId {
            let detail = "expected an `anonymousId`, which --strict-detect asks for";
            return self.refuse(&delivery.around(Shape::Event), Reason::MissingIdentity, detail);
        }
        if let Some(batch) = delivery.batch {
            event.fill_from(batch);
        }
        let Delivery { captured_at, plain, shape, .. } = *delivery;
        self.sink.event(&event, Arrival { captured_at, plain, shape: shape.around(Shape::Event) });
    }

    fn capture(&mut self, capture: &Capture<'_>, object: Json<'_>, delivery: &Delivery<'_>) {
        // In a batch, `{"body": "…"}` is a wrapper around an element, not a capture.
        if is_foreign(capture) {
            return self.sink.foreign();
        }
        let is_wrapper = delivery.in_batch
            && capture.shape == Shape::Capture
            && capture.headers.is_none()
            && capture.time.is_missing();
        let shape = if is_wrapper { delivery.shape } else { delivery.shape.around(capture.shape) };
        let captured_at = capture.time.or(delivery.captured_at);
        let path = capture.path.or(delivery.path);
        let delivery = &Delivery { captured_at, shape, path, ..delivery.deeper() };
        let mut nested = self.nested.pop().unwrap_or_default();
        nested.text.clear();
        match self.open(capture, delivery.trust, &mut nested.text) {
            Ok(body) => {
                let delivery = &Delivery { trust: Trust::Authenticated, ..*delivery };
                match body {
                    Opened::Value(value) => self.record(value, delivery),
                    Opened::Text(range) => self.text(&mut nested, range, delivery),
                }
            }
            Err(refusal) => match other_body(object, capture, &refusal) {
                Some(held) => self.envelope(object, held, delivery),
                None => self.refuse_for(delivery, refusal),
            },
        }
        nested.text.shrink_to(1 << 20);
        self.nested.push(nested);
    }

    /// Authenticates a capture and returns its body. A body that is a text is decoded into `text`.
    fn open<'t>(
        &self,
        capture: &Capture<'t>,
        trust: Trust,
        text: &mut Vec<u8>,
    ) -> Result<Opened<'t>, Refusal> {
        let Capture { body, headers, path, .. } = *capture;
        let must_check = trust == Trust::Unchecked;
        if must_check && !matches!(body, Body::Message(_)) {
            self.auth.admit(&headers, path)?;
        }
        let bad = |detail: &'static str| Err(Refusal::new(Reason::BadCaptureBody, detail));
        let range = match body {
            Body::Absent(place) => {
                let detail = format!("expected a body at {place}, found none");
                return Err(Refusal::new(Reason::BadCaptureBody, detail));
            }
            Body::Value(value) => {
                if !value.is_object() && !value.is_array() {
                    return bad(NO_RECORD);
                }
                if must_check {
                    self.auth.verify(&headers, Signed::Value(value), text)?;
                }
                return Ok(Opened::Value(value));
            }
            Body::Text(body) => {
                text.extend_from_slice(body.as_bytes());
                0..text.len()
            }
            Body::Base64(body) => {
                if !decode_base64(body, text) {
                    return bad("expected the body to be base64");
                }
                0..text.len()
            }
            Body::Message(raw) => {
                if !decode_base64(raw, text) {
                    return bad("expected the message to be base64");
                }
                let range = message::body(text);
                if must_check {
                    self.admit_message(capture, text, range.as_ref().map_or(0, |body| body.start))?;
                }
                range.map_err(|detail| Refusal::new(Reason::BadCaptureBody, detail))?
            }
        };
        let (head, body) = (&text[..range.start], &text[range.clone()]);
        if must_check {
            let headers = if head.is_empty() { headers } else { Headers::Text(head) };
            self.auth.verify(&headers, Signed::Text(body), &mut Vec::new())?;
        }
        if body.trim_ascii().is_empty() {
            return bad("expected a body, found none");
        }
        match foreign_format(body.trim_ascii()) {
            Some(detail) => bad(detail),
            None => Ok(Opened::Text(range)),
        }
    }

    /// Calls [`Auth::admit`] with the headers of a message, which end at `head_end`.
    fn admit_message(
        &self,
        capture: &Capture<'_>,
        message: &[u8],
        head_end: usize,
    ) -> Result<(), Refusal> {
        let head = &message[..head_end];
        let headers = if head.is_empty() { capture.headers } else { Headers::Text(head) };
        self.auth.admit(&headers, capture.path.or_else(|| message::target(head)))
    }

    /// Parses the body at `range` and descends into it.
    fn text(&mut self, nested: &mut Nested, range: Range<usize>, delivery: &Delivery<'_>) {
        let Nested { document, text, values } = nested;
        text.truncate(range.end);
        text.resize(range.end + PADDING, 0);
        let padded = &text[range.start..];
        let body = &padded[..range.len()];
        let place = &Text::of_body(body);
        let delivery = &Delivery { text: place, ..*delivery };
        // Members that the batch supplies are in another text.
        let lent_plain = delivery.batch.is_none() || delivery.plain;
        if let Ok(body) = from_utf8(body)
            && let Some((outline, end)) = self.outlines.read(padded, body.len(), 0, values)
            && end == body.len()
        {
            let doc = outline.doc(body, values, 0);
            let plain = lent_plain && doc.unescaped.is_empty();
            if let Some(root) = doc.root() {
                self.record(root, &Delivery { plain, outline: Some(outline), ..*delivery });
            }
            return;
        }
        let plain = memchr::memchr(b'\\', body).is_none() && lent_plain;
        let refused = self.refusals.count();
        let failed = document.read(body, |value| {
            value.map(|value| self.body(value, &Delivery { plain, outline: None, ..*delivery }))
        });
        if let Err(error) = failed
            && !self.value_sequence(body, delivery)
            && mend::read(document, body, |value, mended| {
                self.sink.mended(mended.repairs);
                self.body(value, &Delivery { plain: false, outline: None, ..*delivery });
                if let Some((lost, _)) = &mended.lost {
                    self.refuse(delivery, Reason::BadCaptureBody, lost.detail.clone());
                }
            })
            .is_none()
        {
            self.refuse_for(delivery, Refusal::from_body(&error, body));
        }
        if self.refusals.count() == refused && self.unknown.is_none() {
            *self.unknown = self.outlines.wanted(body);
        }
    }

    /// Descends into each of the values that `body` is a sequence of, as in records of queues.
    /// Returns `false` if `body` is not a sequence.
    #[cold]
    fn value_sequence(&mut self, body: &[u8], delivery: &Delivery<'_>) -> bool {
        let Some(pieces) = pieces_of_line(body, false) else { return false };
        let is_sequence = |pieces: &[Piece]| match pieces {
            [first, rest @ ..] => first.whole && rest.iter().any(|piece| piece.whole),
            [] => false,
        };
        if !is_sequence(&pieces) {
            return false;
        }
        let delivery = Delivery { batch: None, in_batch: false, ..delivery.deeper() };
        for Piece { range, .. } in pieces {
            let mut nested = self.nested.pop().unwrap_or_default();
            nested.text.clear();
            nested.text.extend_from_slice(&body[range.clone()]);
            self.text(&mut nested, 0..range.len(), &delivery);
            self.nested.push(nested);
        }
        true
    }

    /// Descends into the parsed body of a capture.
    fn body(&mut self, value: Json<'_>, delivery: &Delivery<'_>) {
        let is_text = value.as_str().is_some_and(is_json_text);
        if value.is_object() || value.is_array() || is_text {
            self.record(value, delivery);
        } else {
            self.refuse(delivery, Reason::BadCaptureBody, NO_RECORD);
        }
    }

    fn refuse(
        &mut self,
        delivery: &Delivery<'_>,
        reason: Reason,
        detail: impl Into<Cow<'static, str>>,
    ) {
        self.refuse_for(delivery, Refusal::new(reason, detail));
    }

    #[cold]
    fn refuse_for(&mut self, delivery: &Delivery<'_>, refusal: Refusal) {
        let refusal = Refusal { shape: delivery.shape, ..refusal };
        self.refusals.add(refusal, delivery.item, self.sink);
    }
}

/// Returns the event or batch in another member of a generic capture whose body was refused.
fn other_body<'t>(
    object: Json<'t>,
    capture: &Capture<'_>,
    refusal: &Refusal,
) -> Option<Enveloped<'t>> {
    let is_generic = capture.shape == Shape::Capture;
    if !is_generic || refusal.reason != Reason::BadCaptureBody {
        return None;
    }
    match find_enveloped(object) {
        Held::One(held) => Some(held),
        Held::Not(_) => None,
    }
}

/// A decoded and authenticated body.
enum Opened<'t> {
    /// A value of the capture itself.
    Value(Json<'t>),
    /// A text, at this range of the buffer.
    Text(Range<usize>),
}
