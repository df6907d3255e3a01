//! The payload fields of each event name, from which rules are suggested.

use std::ops::AddAssign;

use super::bounded::{Bounded, Rest, Weight};
use super::profile::push_escaped;
use crate::engine::identity::value::{Blocklist, normalise_email};
use crate::event::{CallType, Event, Member};
use crate::json::{Json, Kind};

/// The maximum number of names that are examined, and of fields of each.
const MOST_NAMES: usize = 2_000;
const MOST_FIELDS: usize = 80;

/// Counts for a field of the events of one name.
#[derive(Debug, Default)]
pub struct Field {
    /// The number of events in which the field is a non-empty string, a number or a boolean.
    pub filled: u64,
    /// The number of these whose value is a valid e-mail address.
    pub emails: u64,
    /// The number of the last event that counted.
    pub(super) event: u64,
}

/// Counts for the events of one name.
#[derive(Debug, Default)]
pub struct Payload {
    /// The number of events.
    pub events: u64,
    fields: Bounded<Field, MOST_FIELDS>,
}

impl Weight for Field {
    fn weight(&self) -> u64 {
        self.filled
    }
}

impl AddAssign for Field {
    fn add_assign(&mut self, other: Self) {
        self.filled += other.filled;
        self.emails += other.emails;
    }
}

impl Weight for Payload {
    fn weight(&self) -> u64 {
        self.events
    }
}

impl AddAssign for Payload {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.fields += other.fields;
    }
}

/// Examines payloads; sums over workers are sums over the input.
#[derive(Debug, Default)]
pub struct Fields {
    names: Bounded<Payload, MOST_NAMES>,
    name: String,
    path: String,
    email: Vec<u8>,
}

/// The fields of a payload by path, in order.
pub type FieldList = Vec<(String, Field)>;

impl Fields {
    /// Counts the fields of an event with this call and name.
    pub fn see(&mut self, event: &Event<'_>, call: CallType, name: &str) {
        let Self { names, name: key, path, email, .. } = self;
        key.clear();
        key.extend([call.name(), " ", name]);
        let Some(payload) = names.get(key) else { return };
        payload.events += 1;
        let mut look = Look { payload, email };
        let context = event.get(Member::Context);
        let page = context.and_then(|context| context.get("page"));
        let traits = context.and_then(|context| context.get("traits"));
        for (head, value) in [
            ("properties", event.get(Member::Properties)),
            ("traits", event.get(Member::Traits)),
            ("context.traits", traits),
            ("context.page", page.filter(|_| matches!(call, CallType::Page | CallType::Screen))),
        ] {
            if let Some(value) = value {
                path.clear();
                path.push_str(head);
                look.members(value, path, Depth::Outer);
            }
        }
    }

    /// Returns the names, such as `track Demo Requested`, with their number of events and their
    /// fields.
    pub fn into_names(self) -> Vec<(String, u64, FieldList)> {
        let (names, Rest { .. }) = self.names.into_sorted();
        let told = |(name, payload): (String, Payload)| {
            (name, payload.events, payload.fields.into_sorted().0)
        };
        names.into_iter().map(told).collect()
    }
}

impl AddAssign for Fields {
    fn add_assign(&mut self, other: Self) {
        self.names += other.names;
    }
}

/// The depth of an object in the payload.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Outer,
    Inner,
}

struct Look<'a> {
    payload: &'a mut Payload,
    email: &'a mut Vec<u8>,
}

impl Look<'_> {
    fn members(&mut self, object: Json<'_>, path: &mut String, depth: Depth) {
        for (key, value) in object.entries() {
            let start = path.len();
            path.push('.');
            push_escaped(key, path);
            match value.kind() {
                Kind::Object(_) if depth == Depth::Outer => self.members(value, path, Depth::Inner),
                Kind::String(text) if !text.is_empty() => self.field(path, Some(text)),
                Kind::Number(_) | Kind::Bool(_) => self.field(path, None),
                _ => {}
            }
            path.truncate(start);
        }
    }

    fn field(&mut self, path: &str, text: Option<&str>) {
        let Payload { events, fields } = &mut *self.payload;
        let Some(field) = fields.get(path) else { return };
        if field.event == *events {
            return;
        }
        field.event = *events;
        field.filled += 1;
        let is_email = |text: &str| {
            memchr::memchr(b'@', text.as_bytes()).is_some()
                && normalise_email(text, &Blocklist::default(), self.email).is_ok()
        };
        field.emails += u64::from(text.is_some_and(is_email));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Members;
    use crate::json::document::with_json;

    #[test]
    fn fields_are_told_by_name_with_their_addresses() {
        let mut fields = Fields::default();
        for event in [
            r#"{"properties":{"email":" Ana@acme.example ","company":{"name":"Acme","x":{"y":1}}}}"#,
            r#"{"properties":{"email":"none","list":["a"]},"context":{"traits":{"title":"CTO"}}}"#,
        ] {
            with_json(event, |json| {
                let members = Members::of(json);
                fields.see(&Event::new(json, &members), CallType::Track, "Demo Requested");
            });
        }
        let names = fields.into_names();
        let [(name, 2, fields)] = names.as_slice() else { panic!("{names:?}") };
        assert_eq!(name, "track Demo Requested");
        let told: Vec<_> = fields
            .iter()
            .map(|(path, field)| (path.as_str(), field.filled, field.emails))
            .collect();
        assert_eq!(
            told,
            [
                ("properties.email", 2, 1),
                ("context.traits.title", 1, 0),
                ("properties.company.name", 1, 0),
            ]
        );
    }
}
