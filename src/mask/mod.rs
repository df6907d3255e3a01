//! Masking of secrets and of the local parts of e-mail addresses in excerpts.
//!
//! Secrets are the values of headers, members and parameters with certain names, in any notation,
//! the keys in the paths of webhooks, and the secrets that the user configured.
//!
//! The text may be truncated and need not be JSON. It is read twice: as JSON, token by token, and
//! as plain text (`text`). In JSON, a string that names a header hides its values: the value of the
//! member with that name, or else all other values of the object or list that contains the string,
//! such as `{name, value}` or a pair. Strings that hold JSON are read in the same way, and base64
//! is decoded. In doubt more is hidden than necessary.

mod address;
mod name;
mod personal;
mod text;
mod token;

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub(crate) use address::is_local;
pub use address::{masked as addresses, may_have as may_have_address};
pub use name::is_secret_path;
use name::{is_header, is_secret, mentions_header, names_header};
pub use personal::{is_personal_parameter, is_personal_path, personal};
use token::{Token, Tokens, unescaped};

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The replacement for hidden text.
const HIDDEN: &str = "***";
/// The maximum depth of texts within texts that are read; a deeper text is hidden if it mentions a
/// header.
const MAX_DEPTH: u32 = 6;
/// The minimum length of a string that is decoded as base64; shorter ones cannot hold a header.
const MIN_BASE64_BYTES: usize = 16;
/// Members whose values are objects of parameters or headers.
const PARAMETERS: &[&str] = &[
    "query",
    "params",
    "headers",
    "queryParameters",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "searchParams",
    "args",
];
/// The minimum length of the beginning of a secret that is hidden at the end of a text.
const MIN_BEGINNING_BYTES: usize = 4;

/// Replaces all secrets in `record`, including the `known` ones, by `***`.
pub fn secrets<'t>(record: &'t str, known: &[&[u8]]) -> Cow<'t, str> {
    let masked = Reading::new(record, known, 0).masked();
    let mut text = masked.map_or(Cow::Borrowed(record), Cow::Owned);
    let found = text::hidden(&text);
    if !found.is_empty() {
        text = text::replaced(&text, found).into();
    }
    for secret in known {
        let secret = String::from_utf8_lossy(secret);
        if text.contains(&*secret) {
            text = text.replace(&*secret, HIDDEN).into();
        }
        let beginnings = secret.char_indices().map(|(at, _)| &secret[..at]).rev();
        let cut = beginnings
            .take_while(|it| it.len() >= MIN_BEGINNING_BYTES)
            .find(|it| text.ends_with(it));
        if let Some(cut) = cut {
            let kept = text.len() - cut.len();
            text = format!("{}{HIDDEN}", &text[..kept]).into();
        }
    }
    text
}

/// Returns the byte ranges of `text` that [`secrets`] hides, sorted and disjoint, for callers that
/// preserve the width.
pub fn places(text: &str) -> Vec<Range<usize>> {
    let mut found = Reading::new(text, &[], 0).places();
    found.extend(text::hidden(text));
    found.sort_by_key(|range| (range.start, range.end));
    found.dedup_by(|next, last| {
        let overlap = next.start <= last.end;
        if overlap {
            last.end = last.end.max(next.end);
        }
        overlap
    });
    found
}

/// An object or list that is being read.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
struct Frame {
    start: usize,
    /// The values so far that are not hidden.
    values: Vec<Range<usize>>,
    /// Whether all values are hidden, because a header was named.
    is_header: bool,
    /// What the name of the current member implies for its value.
    next: Next,
    /// The values of `value` members so far.
    unnamed: Vec<Range<usize>>,
    /// Whether a `name` member was read.
    is_named: bool,
    /// Whether the `name` is that of a secret.
    names_secret: bool,
    /// Whether this is a list.
    is_list: bool,
    /// Whether the members are parameters or headers.
    is_parameters: bool,
}

/// What the name of a member implies for its value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    /// Nothing.
    #[default]
    Shown,
    /// It must be hidden.
    Hidden,
    /// It is the value of a header, if there is a `name` next to it.
    Value,
    /// It is the name of a header or parameter.
    Name,
    /// It is an object of parameters or headers.
    Parameters,
}

/// A text that is being read as JSON.
struct Reading<'a> {
    text: &'a str,
    known: &'a [&'a [u8]],
    depth: u32,
    frames: Vec<Frame>,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str, known: &'a [&'a [u8]], depth: u32) -> Self {
        Self { text, known, depth, frames: vec![Frame::default()], edits: Vec::new() }
    }

    /// Returns the text with all secrets hidden, or `None` if there are none.
    fn masked(mut self) -> Option<String> {
        if self.read() { self.edited() } else { Some(HIDDEN.into()) }
    }

    /// Returns the ranges to hide.
    fn places(mut self) -> Vec<Range<usize>> {
        if self.read() {
            self.edits.into_iter().map(|(range, _)| range).collect()
        } else {
            std::iter::once(0..self.text.len()).collect()
        }
    }

    /// Reads the whole text. Returns `false` if all of it must be hidden.
    fn read(&mut self) -> bool {
        for (token, range) in Tokens::new(self.text) {
            match token {
                Token::Open => self.open(range.start),
                Token::Close => self.close(range.end),
                Token::Comma => self.frame().next = Next::Shown,
                Token::Key { closed } => self.key(&range, closed),
                Token::String { closed } => self.string(&range, closed),
                Token::Other => {
                    // JSON does not name headers outside of strings, so the structure of this text
                    // is unknown.
                    let text = &self.text[range.clone()];
                    if mentions_header(text) || matches!(self.within(text), Hidden::All) {
                        return false;
                    }
                    self.value(range, false);
                }
            }
        }
        self.end_of_text();
        true
    }

    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn open(&mut self, start: usize) {
        let frame = self.frame();
        let is_hidden = match frame.next {
            Next::Hidden => true,
            Next::Value => frame.names_secret,
            _ => false,
        };
        let is_header = frame.is_header || is_hidden;
        let is_parameters = frame.next == Next::Parameters;
        let is_list = self.text[start..].starts_with('[');
        let frame = Frame { start, is_header, is_list, is_parameters, ..Frame::default() };
        self.frames.push(frame);
    }

    fn close(&mut self, end: usize) {
        if self.frames.len() > 1
            && let Some(frame) = self.frames.pop()
        {
            self.value(frame.start..end, false);
        }
    }

    fn key(&mut self, range: &Range<usize>, closed: bool) {
        let key = unescaped(inside(self.text, range, closed));
        let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        let is_parameter = self.frame().is_parameters && is(&["key"]);
        // ngrok's `raw` is a whole HTTP message.
        self.frame().next = if is_header(&key) || is_secret(&key) || is(&["raw"]) || is_parameter {
            Next::Hidden
        } else if is(&["value", "values", "val", "v"]) {
            Next::Value
        } else if is(&["name", "key", "header", "field", "k"]) {
            Next::Name
        } else if is(PARAMETERS) {
            Next::Parameters
        } else {
            Next::Shown
        };
    }

    /// Adds the value at `range` to its frame, or hides it.
    fn value(&mut self, range: Range<usize>, is_string: bool) {
        let frame = self.frame();
        let next = std::mem::take(&mut frame.next);
        if next == Next::Value {
            frame.unnamed.push(range.clone());
        }
        let is_hidden = next == Next::Hidden || (next == Next::Value && frame.names_secret);
        if !frame.is_header && !is_hidden {
            frame.values.push(range);
        } else if is_string || !self.text[range.clone()].starts_with(['{', '[']) {
            self.hide(range);
        }
        // The values inside a hidden object or list were hidden one by one.
    }

    fn string(&mut self, range: &Range<usize>, closed: bool) {
        let text = unescaped(inside(self.text, range, closed));
        let frame = self.frame();
        let is_name = frame.next == Next::Name;
        frame.is_named |= is_name && closed;
        if is_name && (is_secret(&text) || text.eq_ignore_ascii_case("key")) {
            frame.names_secret = true;
            for value in frame.unnamed.clone() {
                self.hide(value);
            }
            return self.value(range.clone(), true);
        }
        let is_shown = !frame.is_header && frame.next != Next::Hidden;
        if frame.is_list && !frame.is_header && is_secret(&text) && !is_header(&text) {
            // It may still be a value: the name of a header after it hides it.
            frame.is_header = true;
            for value in std::mem::replace(&mut frame.values, vec![range.clone()]) {
                self.hide(value);
            }
            return;
        }
        if is_header(&text) {
            if std::mem::take(&mut frame.next) != Next::Hidden {
                frame.is_header = true;
                for value in std::mem::take(&mut frame.values) {
                    self.hide(value);
                }
                return;
            }
            return self.hide(range.clone());
        }
        if is_shown {
            match self.within(&text) {
                Hidden::Nothing => {}
                Hidden::All => self.hide(range.clone()),
                Hidden::Part(masked) => {
                    // Writing a text as JSON cannot fail.
                    let mut written = serde_json::to_string(&*masked).unwrap_or_default();
                    if !closed {
                        written.pop();
                    }
                    self.edits.push((range.clone(), written));
                }
            }
        }
        self.value(range.clone(), true);
    }

    /// Returns what must be hidden of a string.
    fn within(&self, text: &str) -> Hidden {
        let knows = |text: &str| {
            self.known.iter().any(|secret| memchr::memmem::find(text.as_bytes(), secret).is_some())
        };
        if self.depth >= MAX_DEPTH {
            let hide = mentions_header(text) || knows(text);
            return if hide { Hidden::All } else { Hidden::Nothing };
        }
        let trimmed = text.trim();
        if trimmed.starts_with(['{', '[']) {
            let masked = Reading::new(text, self.known, self.depth + 1).masked();
            return masked.map_or(Hidden::Nothing, Hidden::Part);
        }
        if names_header(text) || (text.contains('\\') && knows(text)) {
            return Hidden::All;
        }
        let whole = &trimmed.as_bytes()[..trimmed.len() / 4 * 4];
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        if trimmed.len() >= MIN_BASE64_BYTES && whole.iter().all(is_base64) {
            let mut decoded = Vec::new();
            // Of truncated base64, only whole groups are decoded.
            let groups = std::str::from_utf8(whole).unwrap_or_default();
            if BASE64.decode_vec(groups, &mut decoded).is_ok() {
                let decoded = String::from_utf8_lossy(&decoded);
                let reading = Reading::new(&decoded, self.known, self.depth + 1);
                if mentions_header(&decoded)
                    || knows(&decoded)
                    || !text::hidden(&decoded).is_empty()
                    || reading.masked().is_some()
                {
                    return Hidden::All;
                }
            }
        }
        Hidden::Nothing
    }

    /// Hides values whose names may have been cut off at the end of the text.
    fn end_of_text(&mut self) {
        let mut in_value = false;
        for frame in self.frames.split_off(1) {
            let unnamed = if frame.is_named { Vec::new() } else { frame.unnamed };
            let values = if in_value { frame.values } else { Vec::new() };
            in_value |= frame.next == Next::Value && !frame.is_named;
            for value in unnamed.into_iter().chain(values) {
                self.hide(value);
            }
        }
    }

    fn hide(&mut self, range: Range<usize>) {
        let text = &self.text[range.clone()];
        let quote = if text.starts_with('"') { "\"" } else { "" };
        let closing = if text.len() > 1 && text.ends_with('"') { quote } else { "" };
        self.edits.push((range, format!("{quote}{HIDDEN}{closing}")));
    }

    fn edited(mut self) -> Option<String> {
        if self.edits.is_empty() {
            return None;
        }
        // The outermost of nested edits applies; of two edits of the same range, the later one.
        self.edits.reverse();
        self.edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let (mut out, mut at) = (String::with_capacity(self.text.len()), 0);
        for (range, with) in &self.edits {
            if range.start >= at {
                out.push_str(&self.text[at..range.start]);
                out.push_str(with);
                at = range.end;
            }
        }
        out.push_str(&self.text[at..]);
        Some(out)
    }
}

/// The part of a string that must be hidden.
enum Hidden {
    Nothing,
    All,
    /// A part of it; the string with that part hidden.
    Part(String),
}

/// Returns the text between the quotes of the string at `range`.
fn inside<'t>(text: &'t str, range: &Range<usize>, closed: bool) -> &'t str {
    &text[range.start + 1..range.end - usize::from(closed)]
}

#[cfg(test)]
mod tests;
