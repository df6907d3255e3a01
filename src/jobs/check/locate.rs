//! Locates events and their fields in the text of a record.
//!
//! The parser keeps no positions, because they are only needed if something is wrong. In that case
//! the text, which the parser has accepted as JSON, is scanned again. No text makes these functions
//! panic.

use std::ops::Range;

use ahash::AHashMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::event::{CallType, Member};
use crate::json::MAX_DEPTH;
use crate::json::raw::{skip_blanks, string_end, value_end};
use crate::parse::reject::Reason;
use crate::schema::pointer;

/// The maximum depth of JSON texts nested in strings.
const MAX_NESTING: usize = 8;
/// The minimum length of a string that can contain an event, in bytes.
const SHORTEST_BODY: usize = 16;

/// An object that the parser accepts as an event, or refuses as an invalid one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The span of the object in the record. For an event inside a string (the body of a capture),
    /// the span of the string.
    pub span: Range<usize>,
    /// The text of the object, if it is not part of the record's text.
    inner: Option<Box<str>>,
    /// The reason for which the object is refused, if it is.
    pub refused: Option<Reason>,
}

impl Site {
    /// Returns the text of the object.
    pub fn text<'t>(&'t self, record: &'t str) -> &'t str {
        match &self.inner {
            Some(text) => text,
            None => &record[self.span.clone()],
        }
    }

    /// Returns the span in the record of the field at `pointer`: its name, and its value unless
    /// that is an object or a list. If the field is missing, returns the span of its nearest
    /// ancestor that exists.
    pub fn member(&self, record: &str, pointer: &str) -> Range<usize> {
        if self.inner.is_some() {
            return self.span.clone();
        }
        find(record, self.span.start, pointer)
    }
}

/// Returns the span of the value at `pointer` in the value at `start`: see [`Site::member`].
pub fn find(text: &str, start: usize, pointer: &str) -> Range<usize> {
    let mut at = skip_blanks(text.as_bytes(), start);
    let mut found = shown(text, at, at);
    for step in pointer::steps(pointer) {
        let next = match text.as_bytes().get(at) {
            // Of two members with the same name, the last counts.
            Some(b'{') => {
                let named = Parts::new(text, at).filter(|part| part.is_named(text, &step));
                named.last().map(|part| (part.name.start, part.value.start))
            }
            Some(b'[') => {
                let index = step.parse().unwrap_or(usize::MAX);
                Parts::new(text, at).nth(index).map(|part| (part.value.start, part.value.start))
            }
            _ => None,
        };
        let Some((name, value)) = next else { break };
        (at, found) = (value, shown(text, name, value));
    }
    found
}

/// Finds several values in one text, and scans each object or list at most once.
pub struct Finder<'t> {
    text: &'t str,
    /// The contents of scanned objects and lists, by the offset of their opening bracket.
    known: AHashMap<usize, Inside>,
}

/// The offsets of the parts of an object or list.
enum Inside {
    /// The name and value of each member; the last of those with the same name.
    Object(AHashMap<String, (usize, usize)>),
    /// The items.
    List(Vec<usize>),
}

impl Inside {
    fn of(text: &str, at: usize) -> Self {
        let parts = Parts::new(text, at);
        if parts.named {
            let member = |part: Part| Some((part.name(text)?, (part.name.start, part.value.start)));
            Self::Object(parts.filter_map(member).collect())
        } else {
            Self::List(parts.map(|part| part.value.start).collect())
        }
    }

    fn part(&self, step: &str) -> Option<(usize, usize)> {
        match self {
            Self::Object(members) => members.get(step).copied(),
            Self::List(items) => items.get(step.parse::<usize>().ok()?).map(|&at| (at, at)),
        }
    }
}

impl<'t> Finder<'t> {
    /// Creates a finder for `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, known: AHashMap::new() }
    }

    /// Returns the same span as [`find`].
    pub fn find(&mut self, start: usize, pointer: &str) -> Range<usize> {
        let Self { text, known } = self;
        let mut at = skip_blanks(text.as_bytes(), start);
        let mut found = shown(text, at, at);
        for step in pointer::steps(pointer) {
            if !matches!(text.as_bytes().get(at), Some(b'{' | b'[')) {
                break;
            }
            let inside = known.entry(at).or_insert_with(|| Inside::of(text, at));
            let Some((name, value)) = inside.part(&step) else { break };
            (at, found) = (value, shown(text, name, value));
        }
        found
    }
}

/// Returns the start of each JSON value in a text with several values, in order.
pub fn values(text: &str) -> Vec<usize> {
    let (mut starts, mut at) = (Vec::new(), skip_blanks(text.as_bytes(), 0));
    while let Some(end) = value_end(text.as_bytes(), at) {
        starts.push(at);
        at = skip_blanks(text.as_bytes(), end);
    }
    starts
}

/// Returns the span to mark: from the name of a member to the end of its value; only the name if
/// the value is an object or a list; and its bracket if it has no name.
fn shown(text: &str, name: usize, value: usize) -> Range<usize> {
    let end = match text.as_bytes().get(value) {
        Some(b'{' | b'[') if name == value => value + 1,
        Some(b'{' | b'[') => string_end(text.as_bytes(), name).unwrap_or(value),
        _ => value_end(text.as_bytes(), value).unwrap_or(value),
    };
    name..end
}

/// Returns every event of the record `text`, in order, and every object that is refused because a
/// field is missing or wrong.
pub fn sites(text: &str) -> Vec<Site> {
    let mut sites = Vec::new();
    let walk = Walk { text, outer: None, nesting: 0 };
    walk.value(skip_blanks(text.as_bytes(), 0), 0, &mut sites);
    sites
}

struct Walk<'t> {
    text: &'t str,
    /// The span of the text in the record, if the text is inside a string.
    outer: Option<Range<usize>>,
    nesting: usize,
}

impl Walk<'_> {
    fn value(&self, at: usize, depth: usize, sites: &mut Vec<Site>) {
        if depth > MAX_DEPTH {
            return;
        }
        match self.text.as_bytes().get(at) {
            Some(b'{') => match ObjectKind::of(self.text, at) {
                ObjectKind::Event(refused) => sites.extend(self.site(at, refused)),
                ObjectKind::Other => self.parts(at, depth, sites),
            },
            Some(b'[') => self.parts(at, depth, sites),
            _ => {}
        }
    }

    fn parts(&self, at: usize, depth: usize, sites: &mut Vec<Site>) {
        for part in Parts::new(self.text, at) {
            if self.text.as_bytes().get(part.value.start) == Some(&b'"') {
                self.nested(&part, sites);
            } else {
                self.value(part.value.start, depth + 1, sites);
            }
        }
    }

    fn site(&self, at: usize, refused: Option<Reason>) -> Option<Site> {
        let own = at..value_end(self.text.as_bytes(), at)?;
        let inner = self.outer.is_some().then(|| self.text[own.clone()].into());
        Some(Site { span: self.outer.clone().unwrap_or(own), inner, refused })
    }

    /// Searches a string that may be a body.
    fn nested(&self, part: &Part, sites: &mut Vec<Site>) {
        if self.nesting == MAX_NESTING || part.value.len() < SHORTEST_BODY {
            return;
        }
        let Ok(body) = serde_json::from_str::<String>(&self.text[part.value.clone()]) else {
            return;
        };
        let Some(body) = json_in(body) else { return };
        let name = part.name.start.min(part.value.start);
        let outer = self.outer.clone().unwrap_or_else(|| shown(self.text, name, part.value.start));
        let walk = Walk { text: &body, outer: Some(outer), nesting: self.nesting + 1 };
        walk.value(skip_blanks(body.as_bytes(), 0), 0, sites);
    }
}

/// Returns the JSON in a body: directly, in base64, or after the head of an HTTP message in base64.
fn json_in(body: String) -> Option<String> {
    let is_json = |text: &str| text.trim_start().starts_with(['{', '[']);
    if is_json(&body) {
        return Some(body);
    }
    let decoded = BASE64_STANDARD.decode(body.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    if is_json(&decoded) {
        return Some(decoded);
    }
    let (_, message) = decoded.split_once("\r\n\r\n")?;
    // In chunked encoding, the first line is a number.
    let start = message.find(['{', '['])?;
    message.get(start..).map(ToOwned::to_owned)
}

/// How the parser treats an object.
enum ObjectKind {
    /// An event, with the reason if it is refused.
    Event(Option<Reason>),
    /// Another object, which may contain events.
    Other,
}

impl ObjectKind {
    fn of(text: &str, at: usize) -> Self {
        let (mut call, mut has_id, mut holds) = (None, false, false);
        let mut members = 0;
        for part in Parts::new(text, at) {
            let value = &text[part.value.clone()];
            let name = part.name(text);
            members += usize::from(name.as_deref().and_then(Member::from_key).is_some());
            match name.as_deref() {
                Some("type") => call = serde_json::from_str::<String>(value).ok(),
                Some("messageId" | "anonymousId" | "userId") => has_id |= is_id(value),
                Some("batch" | "body" | "json" | "data" | "content" | "payload" | "rawBody") => {
                    holds = true;
                }
                _ => {}
            }
        }
        match call.map(|call| CallType::from_name(&call)) {
            Some(Some(_)) if has_id || members > 1 => Self::Event(None),
            Some(None) if has_id && !holds => Self::Event(Some(Reason::UnknownType)),
            _ => Self::Other,
        }
    }
}

/// Returns `true` if the text of a value is an id: a number, or a string that is not blank.
fn is_id(value: &str) -> bool {
    match value.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(value).is_ok_and(|id| !id.trim().is_empty()),
        Some(b'-' | b'0'..=b'9') => true,
        _ => false,
    }
}

/// A member of an object, or an item of a list.
#[derive(Debug)]
struct Part {
    /// The span of the name with its quotes; empty at the start of the value for an item.
    name: Range<usize>,
    value: Range<usize>,
}

impl Part {
    fn name(&self, text: &str) -> Option<String> {
        serde_json::from_str(&text[self.name.clone()]).ok()
    }

    fn is_named(&self, text: &str, name: &str) -> bool {
        let written = &text[self.name.clone()];
        match written.strip_prefix('"').and_then(|inside| inside.strip_suffix('"')) {
            Some(inside) if !inside.contains('\\') => inside == name,
            _ => self.name(text).is_some_and(|own| own == name),
        }
    }
}

/// Iterates over the members or items of the value at an offset.
struct Parts<'t> {
    text: &'t str,
    at: usize,
    named: bool,
}

impl<'t> Parts<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        Self { text, at: at + 1, named: text.as_bytes().get(at) == Some(&b'{') }
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let text = self.text.as_bytes();
        let byte = |at: usize| text.get(at).copied();
        let mut at = skip_blanks(text, self.at);
        if byte(at) == Some(b',') {
            at = skip_blanks(text, at + 1);
        }
        let mut name = at..at;
        if self.named {
            name = at..if byte(at) == Some(b'"') {
                string_end(text, at)?
            } else {
                return None;
            };
            let colon = skip_blanks(text, name.end);
            at = skip_blanks(text, if byte(colon) == Some(b':') { colon + 1 } else { return None });
        }
        let end = value_end(text, at)?;
        self.at = end;
        Some(Part { name, value: at..end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at<'t>(text: &'t str, pointer: &str) -> &'t str {
        &text[find(text, 0, pointer)]
    }

    #[test]
    fn members_are_found_with_their_names() {
        let text = r#" { "a" : [1, {"b\"c" : "x"}, []], "a/b": {"~": null}, "d": 1, "d": 22 }"#;
        for (pointer, found) in [
            ("", "{"),
            ("/a", "\"a\""),
            ("/a/0", "1"),
            ("/a/1", "{"),
            ("/a/1/b\"c", r#""b\"c" : "x""#),
            ("/a~1b/~0", r#""~": null"#),
            ("/d", "\"d\": 22"),
            ("/a~1b/missing", "\"a/b\""),
            ("/missing/too", "{"),
            ("/a/7", "\"a\""),
            ("/d/x", "\"d\": 22"),
        ] {
            assert_eq!(at(text, pointer), found, "{pointer}");
            assert_eq!(&text[Finder::new(text).find(0, pointer)], found, "{pointer}");
        }
    }

    #[test]
    fn events_are_found_in_batches_captures_and_texts() {
        let event = r#"{"type":"track","messageId":"1","userId":"u"}"#;
        let body = serde_json::to_string(event).unwrap();
        let base64 = BASE64_STANDARD.encode(event);
        let http =
            BASE64_STANDARD.encode(format!("POST / HTTP/1.1\r\n\r\n2d\r\n{event}\r\n0\r\n\r\n"));
        let text = format!(
            r#"[{event}, {{"batch":[{event}]}}, {{"body":{body}}}, {{"body":"{base64}"}}, {{"raw":"{http}"}}]"#
        );
        let sites = sites(&text);
        assert_eq!(sites.len(), 5);
        for site in &sites {
            assert_eq!(site.text(&text), event);
        }
        assert!(text[sites[2].span.clone()].starts_with("\"body\":\"{"));
        assert_eq!(&text[sites[1].member(&text, "/userId")], "\"userId\":\"u\"");
    }

    #[test]
    fn refused_objects_say_why() {
        let text = r#"[{"type":"track","userId":"u"},{"type":"page","messageId":7},{"type":"x","userId":"u"},{"type":"track"}]"#;
        let reasons: Vec<_> = sites(text).into_iter().map(|site| site.refused).collect();
        assert_eq!(reasons, [None, None, Some(Reason::UnknownType)]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[\]{},:"\\aé1 ]{0,40}"#, pointer in "[/a1~]{0,6}") {
            let _ = (sites(&text), values(&text));
            let found = find(&text, 0, &pointer);
            prop_assert_eq!(Finder::new(&text).find(0, &pointer), found);
        }
    }
}
