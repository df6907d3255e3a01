//! Secrets in the text of a record that is shown: the headers that hold them, however the record
//! writes headers, and the secrets that the user named.
//!
//! The text may be cut short, and need not be JSON. It is read token by token: a string that
//! names a header hides what goes with it (the value of a member of that name; else all other
//! values of the object or list that it stands in, be it `{name, value}` or a pair). Strings that
//! hold JSON are read in the same way, base64 is looked into. In doubt more is hidden than need be.

mod name;
mod token;

use std::borrow::Cow;
use std::ops::Range;

use crate::canonical::write_string;
use crate::parse::auth::Auth;
use crate::parse::capture::decode_base64;
use name::{is_name, names_a_header, speaks_of_a_header};
use token::{Token, Tokens, unescaped};

/// What stands for what is hidden.
const HIDDEN: &str = "***";
/// How many texts within texts are read; what is deeper is hidden if it speaks of a header.
const MAX_DEPTH: u32 = 6;
/// Shorter strings hold no header in base64.
const BASE64_FROM: usize = 16;
/// A beginning of a secret this long is hidden where the text ends with it.
const BEGINNING: usize = 4;

/// `record` without the values of headers that hold secrets, and without the secrets of `auth`.
pub fn secrets<'t>(record: &'t str, auth: &Auth) -> Cow<'t, str> {
    let masked = Reading::new(record, auth, 0).masked();
    let mut text = masked.map_or(Cow::Borrowed(record), Cow::Owned);
    for secret in auth.secrets() {
        let secret = String::from_utf8_lossy(secret.as_bytes());
        if text.contains(&*secret) {
            text = text.replace(&*secret, HIDDEN).into();
        }
        let beginnings = secret.char_indices().map(|(at, _)| &secret[..at]).rev();
        let cut = beginnings.take_while(|it| it.len() >= BEGINNING).find(|it| text.ends_with(it));
        if let Some(cut) = cut {
            let kept = text.len() - cut.len();
            text = format!("{}{HIDDEN}", &text[..kept]).into();
        }
    }
    text
}

/// An object or list that is being read.
#[derive(Default)]
struct Frame {
    start: usize,
    /// What it holds so far and is still shown.
    values: Vec<Range<usize>>,
    /// A header is named in it: all its values are hidden.
    is_header: bool,
    /// What is known of the member that comes.
    next: Next,
    /// What came as its `value`.
    unnamed: Vec<Range<usize>>,
    /// Whether its `name` came.
    is_named: bool,
}

/// What the name of a member says of its value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    /// Nothing.
    #[default]
    Shown,
    /// It is to be hidden.
    Hidden,
    /// It is the value of a header, if a `name` stands beside it.
    Value,
    /// It is such a name.
    Name,
}

/// A text that is being read.
struct Reading<'a> {
    text: &'a str,
    auth: &'a Auth,
    depth: u32,
    frames: Vec<Frame>,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str, auth: &'a Auth, depth: u32) -> Self {
        Self { text, auth, depth, frames: vec![Frame::default()], edits: Vec::new() }
    }

    /// The text with everything hidden that must be; `None` where there is nothing.
    fn masked(mut self) -> Option<String> {
        for (token, range) in Tokens::new(self.text) {
            match token {
                Token::Open => self.open(range.start),
                Token::Close => self.close(range.end),
                Token::Comma => self.frame().next = Next::Shown,
                Token::Key { closed } => self.key(&range, closed),
                Token::String { closed } => self.string(&range, closed),
                Token::Other => {
                    // Outside of strings no JSON names a header: nothing can be told of this text.
                    let text = &self.text[range.clone()];
                    if speaks_of_a_header(text) || !matches!(self.within(text), Hidden::Nothing) {
                        return Some(HIDDEN.into());
                    }
                    self.value(range, false);
                }
            }
        }
        self.end_of_text();
        self.edited()
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
        let is_header = frame.is_header || frame.next == Next::Hidden;
        self.frames.push(Frame { start, is_header, ..Frame::default() });
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
        // `raw` is a whole message, as ngrok keeps it.
        self.frame().next = if is_name(&key) || is(&["cookies", "raw"]) {
            Next::Hidden
        } else if is(&["value", "values", "val", "v"]) {
            Next::Value
        } else if is(&["name", "key", "header", "field", "k"]) {
            Next::Name
        } else {
            Next::Shown
        };
    }

    /// Takes the value at `range` into its frame; hides it if it must be.
    fn value(&mut self, range: Range<usize>, is_string: bool) {
        let frame = self.frame();
        let next = std::mem::take(&mut frame.next);
        if next == Next::Value {
            frame.unnamed.push(range.clone());
        }
        if !frame.is_header && next != Next::Hidden {
            frame.values.push(range);
        } else if is_string || !self.text[range.clone()].starts_with(['{', '[']) {
            self.hide(range);
        }
        // The values inside of an object or a list that is hidden were hidden one by one.
    }

    fn string(&mut self, range: &Range<usize>, closed: bool) {
        let text = unescaped(inside(self.text, range, closed));
        let frame = self.frame();
        frame.is_named |= frame.next == Next::Name && closed;
        let is_shown = !frame.is_header && frame.next != Next::Hidden;
        if is_name(&text) {
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
                    let mut written = Vec::new();
                    write_string(&masked, &mut written, false);
                    if !closed {
                        written.pop();
                    }
                    let written = String::from_utf8_lossy(&written).into_owned();
                    self.edits.push((range.clone(), written));
                }
            }
        }
        self.value(range.clone(), true);
    }

    /// What must be hidden of a string.
    fn within(&self, text: &str) -> Hidden {
        let knows = |text: &str| {
            self.auth
                .secrets()
                .any(|secret| memchr::memmem::find(text.as_bytes(), secret.as_bytes()).is_some())
        };
        if self.depth >= MAX_DEPTH {
            let hide = speaks_of_a_header(text) || knows(text);
            return if hide { Hidden::All } else { Hidden::Nothing };
        }
        let trimmed = text.trim();
        if trimmed.starts_with(['{', '[']) {
            let masked = Reading::new(text, self.auth, self.depth + 1).masked();
            return masked.map_or(Hidden::Nothing, Hidden::Part);
        }
        if names_a_header(text) || (text.contains('\\') && knows(text)) {
            return Hidden::All;
        }
        let whole = &trimmed.as_bytes()[..trimmed.len() / 4 * 4];
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        if trimmed.len() >= BASE64_FROM && whole.iter().all(is_base64) {
            let mut decoded = Vec::new();
            // Of what was cut short whole groups are left.
            let groups = std::str::from_utf8(whole).unwrap_or_default();
            if decode_base64(groups, &mut decoded) {
                let decoded = String::from_utf8_lossy(&decoded);
                let reading = Reading::new(&decoded, self.auth, self.depth + 1);
                if speaks_of_a_header(&decoded) || knows(&decoded) || reading.masked().is_some() {
                    return Hidden::All;
                }
            }
        }
        Hidden::Nothing
    }

    /// Where the text was cut, the name of a header may be what is missing.
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
        // Of an edit within another the outer one counts; of two of the same place the later one.
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

/// What must be hidden of a string.
enum Hidden {
    Nothing,
    All,
    /// Some of it; the rest.
    Part(String),
}

/// What stands between the quotes of the string at `range`.
fn inside<'t>(text: &'t str, range: &Range<usize>, closed: bool) -> &'t str {
    &text[range.start + 1..range.end - usize::from(closed)]
}

#[cfg(test)]
mod tests;
