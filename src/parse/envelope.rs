//! Objects of no known format that hold an event in exactly one member, whatever its name: rows of
//! pipelines, logged requests, queue jobs.
//!
//! The search only happens when a record would otherwise be refused.

use std::fmt;

use crate::event::id::Id;
use crate::event::{CallType, Member};
use crate::json::Json;
use crate::json::document::Document;

/// The maximum depth of the search, both for nested members and for texts within texts.
const MAX_DEPTH: u32 = 4;
/// The minimum number of event members that make an object look like an event.
const MIN_LIKENESS: usize = 2;

/// The result of a search.
pub(super) enum Held<'t> {
    /// Exactly one event, batch, or text of one.
    One(Enveloped<'t>),
    /// None or several; the explanation, if there is something to say.
    Not(Option<String>),
}

/// An event, a batch, or the text of one, and the object that has it as a member.
#[derive(Clone, Copy)]
pub(super) struct Enveloped<'t> {
    pub value: Json<'t>,
    pub around: Json<'t>,
}

/// Searches `object`, which is not a record itself, for one event or batch.
#[cold]
pub(super) fn find_enveloped(object: Json<'_>) -> Held<'_> {
    let mut search = Search { found: None, places: Vec::new(), nearest: None };
    // The payload of a call belongs to the event and is not searched.
    let is_call = call(object).is_some();
    let payload = ["properties", "traits", "context", "integrations", "options", "_metadata"];
    for (name, value) in object.entries() {
        if !(is_call && payload.contains(&name)) {
            search.member(object, value, &Path { name, outer: None }, 0);
        }
    }
    match (search.found, &search.places[..]) {
        (Some(found), [_]) => Held::One(found),
        (_, [first, second, ..]) => Held::Not(Some(format!(
            "`{first}` and `{second}` both look like events, expected one: write each on a line \
             of its own"
        ))),
        _ => Held::Not(search.nearest.map(|(_, told)| told)),
    }
}

struct Search<'t> {
    found: Option<Enveloped<'t>>,
    /// The paths of the events and batches found.
    places: Vec<String>,
    /// For the member that looks most like an event: how many members of an event it has, and what
    /// it lacks.
    nearest: Option<(usize, String)>,
}

impl<'t> Search<'t> {
    fn member(&mut self, around: Json<'t>, value: Json<'t>, path: &Path<'_>, depth: u32) {
        if self.places.len() > 1 {
            return;
        }
        if is_record(value, depth) {
            self.found = Some(Enveloped { value, around });
            return self.places.push(path.to_string());
        }
        self.note_nearest(value, path);
        if depth < MAX_DEPTH {
            for (name, inner) in value.entries() {
                self.member(value, inner, &Path { name, outer: Some(path) }, depth + 1);
            }
        }
    }

    fn note_nearest(&mut self, value: Json<'_>, path: &Path<'_>) {
        let likeness = value.entries().filter(|(name, _)| is_telling(name)).count();
        let most = self.nearest.as_ref().map_or(MIN_LIKENESS - 1, |nearest| nearest.0);
        if likeness > most {
            self.nearest =
                Some((likeness, format!("`{path}` looks nearest: it {}", missing_part(value))));
        }
    }
}

/// Returns `true` if `name` is a member of events that few other objects have.
fn is_telling(name: &str) -> bool {
    let telling = ["type", "event", "messageId", "anonymousId", "userId", "properties", "traits"];
    telling.contains(&name) || matches!(name, "originalTimestamp" | "sentAt" | "integrations")
}

/// Returns what an object that looks like an event lacks.
fn missing_part(object: Json<'_>) -> &'static str {
    match object.get("type").map(|_| call(object)) {
        None => "has no `type`",
        Some(None) => "has a `type` that is none of Segment's calls",
        Some(Some(_)) => "has no `messageId`, `anonymousId` or `userId`",
    }
}

/// Returns the call that the object's `type` names.
fn call(object: Json<'_>) -> Option<CallType> {
    CallType::from_name(object.get(Member::Type.key())?.as_str()?)
}

/// Returns `true` if `value` is an event, a batch, or the text of a value that is or holds one.
fn is_record(value: Json<'_>, depth: u32) -> bool {
    if let Some(text) = value.as_str() {
        return depth < MAX_DEPTH && mentions_records(text) && holds_record(text, depth + 1);
    }
    is_event(value)
        || value.get("batch").is_some_and(Json::is_array)
        || value.item(0).is_some_and(|first| !first.is_array() && is_record(first, depth))
}

/// Returns `true` if `value` has the members that tell an event from other objects.
pub(super) fn is_event(value: Json<'_>) -> bool {
    let ids = [Member::MessageId, Member::AnonymousId, Member::UserId];
    let has = |member: Member| value.get(member.key()).and_then(Id::from_json).is_some();
    call(value).is_some() && ids.into_iter().any(has)
}

/// Returns `true` if `text` is worth parsing.
fn mentions_records(text: &str) -> bool {
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    is_json_text(text) && (has("type") || has("batch"))
}

/// Returns `true` if `text` begins like a JSON text that may be a record.
pub(super) fn is_json_text(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}

fn holds_record(text: &str, depth: u32) -> bool {
    Document::default().read(text.as_bytes(), |value| {
        let Ok(value) = value else { return false };
        let is_in_member = || {
            let mut search = Search { found: None, places: Vec::new(), nearest: None };
            for (name, inner) in value.entries() {
                search.member(value, inner, &Path { name, outer: None }, depth);
            }
            search.places.len() == 1
        };
        is_record(value, depth) || is_in_member()
    })
}

/// A chain of names that lead to a member.
struct Path<'a> {
    name: &'a str,
    outer: Option<&'a Path<'a>>,
}

impl fmt::Display for Path<'_> {
    /// Writes the path like `request.body`; a name that may be an e-mail address is omitted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        f.write_str(if self.name.contains('@') { "…" } else { self.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;

    const EVENT: &str = r#"{"type":"track","event":"A","messageId":"m","anonymousId":"a"}"#;

    fn held(json: &str) -> String {
        with_json(json, |value| match find_enveloped(value) {
            Held::One(found) => match found.value.as_str() {
                Some(text) => format!("text {text}"),
                None => format!("value with {} members", found.value.entries().count()),
            },
            Held::Not(told) => told.unwrap_or_default(),
        })
    }

    #[test]
    fn one_event_is_found_whatever_the_member_and_however_it_is_written() {
        let text = serde_json::Value::from(EVENT).to_string();
        let twice = serde_json::Value::from(text.clone()).to_string();
        for (json, expected) in [
            (format!(r#"{{"a":1,"b":{EVENT}}}"#), "value with 4 members".to_owned()),
            (format!(r#"{{"a":{{"b":{{"c":{EVENT}}}}}}}"#), "value with 4 members".to_owned()),
            (format!(r#"{{"a":[{EVENT}]}}"#), "value with 0 members".to_owned()),
            (format!(r#"{{"a":{{"batch":[{EVENT}]}}}}"#), "value with 1 members".to_owned()),
            (format!(r#"{{"a":{text}}}"#), format!("text {EVENT}")),
            (format!(r#"{{"a":{twice}}}"#), format!("text {text}")),
        ] {
            assert_eq!(held(&json), expected, "{json}");
        }
    }

    #[test]
    fn what_holds_none_or_several_says_which_member_looks_nearest() {
        let two = format!(r#"{{"a":{{"x":{EVENT}}},"b":{EVENT}}}"#);
        assert!(held(&two).starts_with("`a.x` and `b` both"), "{}", held(&two));
        let near = r#"{"a":{"type":"x","context":{}},"b":{"c":{"type":"track","event":"e"}}}"#;
        assert_eq!(
            held(near),
            "`b.c` looks nearest: it has no `messageId`, `anonymousId` or `userId`"
        );
        assert_eq!(held(r#"{"a":{"type":"x"},"b":"track"}"#), "");
        let payload = format!(r#"{{"type":"track","properties":{{"a":{EVENT}}}}}"#);
        assert_eq!(held(&payload), "");
        let named = r#"{"ana@acme.example":{"type":"x","event":"e"}}"#;
        assert!(held(named).starts_with("`…` looks nearest"), "{}", held(named));
    }
}
