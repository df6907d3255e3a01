//! Explanations of why a text is not JSON and how to correct it.
//!
//! The parser's own errors are not shown: they name its internals, and their offsets do not refer
//! to the text.

use simd_json::ErrorType;

use crate::grammar::{Expected, Fault, Scanner};

use super::MAX_DEPTH;
use super::raw::skip_blanks;

/// Why a text cannot be used as JSON, and where.
pub(crate) struct NotJson {
    pub kind: Kind,
    /// The offset of the fault in bytes, starting at 0.
    pub offset: usize,
}

/// The kinds of [`NotJson`].
pub(crate) enum Kind {
    /// It is not UTF-8.
    NotUtf8,
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// It breaks the grammar, with an explanation.
    Malformed(&'static str),
    /// It follows the grammar, but the parser refuses it.
    Refused,
}

impl NotJson {
    /// Explains why the parser refused `text` with `error`. `text` is the original, from before the
    /// parser changed it in place.
    pub(crate) fn new(error: &simd_json::Error, text: &[u8]) -> Self {
        if let Err(fault) = std::str::from_utf8(text) {
            return Self { kind: Kind::NotUtf8, offset: fault.valid_up_to() };
        }
        if matches!(error.error(), ErrorType::DepthLimitExceeded) {
            return Self { kind: Kind::TooDeep, offset: too_deep(text) };
        }
        match fault(text) {
            Some((offset, what)) => Self { kind: Kind::Malformed(what), offset },
            None => Self { kind: Kind::Refused, offset: 0 },
        }
    }

    /// Returns the explanation. `of` names the text that byte offsets refer to.
    pub(crate) fn detail(&self, of: &str) -> String {
        let byte = self.offset + 1;
        match self.kind {
            Kind::NotUtf8 => format!("byte {byte}{of} is not UTF-8"),
            Kind::TooDeep => format!("nested deeper than {MAX_DEPTH} levels"),
            Kind::Malformed(what) => format!("byte {byte}{of}: {what}"),
            Kind::Refused => "expected one JSON value".to_owned(),
        }
    }
}

/// Returns the offset of the bracket that nests deeper than [`MAX_DEPTH`] levels.
fn too_deep(text: &[u8]) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let exceeds = |byte: &u8| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    };
    text.iter().position(exceeds).unwrap_or(0)
}

/// Returns where and why `text` is not one JSON value, as `byte 7 of the record: expected …` if
/// `of` is ` of the record`. The message contains nothing of the text. Returns `None` if the text
/// follows the grammar.
pub(crate) fn diagnose(text: &[u8], of: &str) -> Option<String> {
    let (at, what) = fault(text)?;
    Some(format!("byte {}{of}: {what}", at + 1))
}

/// Like [`diagnose`], for the body of a capture.
pub(crate) fn diagnose_body(text: &[u8]) -> Option<String> {
    let (at, what) = fault(text)?;
    Some(format!("expected the body to be one JSON value; byte {} of it: {what}", at + 1))
}

/// Returns the offset, starting at 0, at which `text` stops being one JSON value, and the
/// explanation.
fn fault(text: &[u8]) -> Option<(usize, &'static str)> {
    let start = skip_blanks(text, 0);
    match Scanner::scan(&text[start..]) {
        Ok(end) => {
            let more = skip_blanks(text, start + end);
            let what = "expected one JSON value, found more after it";
            (more < text.len()).then_some((more, what))
        }
        Err(Fault { at, expected }) => {
            let at = start + at;
            Some((
                at,
                foreign_syntax(text, at, expected).unwrap_or(expected_at(text, at, expected)),
            ))
        }
    }
}

/// Returns what the JSON grammar expects at `at`.
fn expected_at(text: &[u8], at: usize, expected: Expected) -> &'static str {
    let is_end = at >= text.len();
    match expected {
        Expected::Value if is_end => "expected a JSON value, found the end",
        Expected::Value => "expected a JSON value",
        Expected::Name if is_end => "expected a member's name in double quotes, found the end",
        Expected::Name => "expected a member's name in double quotes",
        Expected::Colon if is_end => "expected `:` after a member's name, found the end",
        Expected::Colon => "expected `:` after a member's name",
        Expected::ListComma if is_end => "expected `,` or `]` in a list, found the end",
        Expected::ListComma => "expected `,` or `]` in a list",
        Expected::ObjectComma if is_end => "expected `,` or `}` in an object, found the end",
        Expected::ObjectComma => "expected `,` or `}` in an object",
        Expected::Escape => "expected a JSON escape after the backslash",
        Expected::HexDigits => "expected the hexadecimal digits of an escape",
        Expected::EscapedControl => {
            "expected an escape such as `\\t`, found a control character in a string"
        }
        Expected::ClosingQuote => "expected a closing double quote for the string that begins here",
        Expected::Number => "expected a JSON number",
        Expected::Word => "expected `true`, `false` or `null`",
    }
}

/// Returns an explanation if the text at `at` is syntax of another language.
fn foreign_syntax(text: &[u8], at: usize, expected: Expected) -> Option<&'static str> {
    let rest = text.get(at..)?;
    let value = matches!(expected, Expected::Value | Expected::Word | Expected::Number);
    let name = expected == Expected::Name;
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    let word = &rest[..word.count()];
    Some(match rest {
        [b'/', b'/' | b'*', ..] | [b'#', ..] => {
            "found a comment, as JSON5 and JavaScript have them: JSON has none; take it out"
        }
        [b'\'', ..] if value || name => {
            "found a single quote, as Python and JavaScript write it: JSON has double quotes; \
             write the data with `json.dumps` or `JSON.stringify`"
        }
        [b'\\', b'x', ..] if value || name => {
            "found an escape outside of a string, as nginx writes quotes: give its `log_format` \
             `escape=json`"
        }
        [b'}' | b']', ..] if (value || name) && follows_comma(text, at) => {
            "found a comma before the closing bracket, as JSON5 and JavaScript have it: JSON has \
             none there; take it out"
        }
        [b'+' | b'.', ..] if value => {
            "expected a JSON number: it begins with a digit or a minus sign"
        }
        [b'0'..=b'9', ..] if at > 0 && text[at - 1] == b'0' => {
            "expected a JSON number: it has no zero before its first digit"
        }
        _ if value && matches!(word, b"True" | b"False" | b"None") => {
            "found `True`, `False` or `None`, as Python writes them: JSON has `true`, `false` and \
             `null`; write the data with `json.dumps`"
        }
        _ if value && word == b"undefined" => {
            "found `undefined`, as JavaScript has it: JSON has `null`; write the data with \
             `JSON.stringify`"
        }
        _ if value && matches!(word, b"nan" | b"NAN" | b"inf" | b"Inf" | b"infinity") => {
            "found a number that is none (`nan`, `inf`): JSON has `null`"
        }
        [first, ..] if name && (first.is_ascii_alphabetic() || b"_$".contains(first)) => {
            "found a member's name without quotes, as JSON5 and JavaScript have them: JSON has \
             double quotes; write the data with `JSON.stringify`"
        }
        _ => return None,
    })
}

/// Returns `true` if the last non-blank byte before `at` is a comma.
fn follows_comma(text: &[u8], at: usize) -> bool {
    text[..at].trim_ascii_end().ends_with(b",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_with_its_byte() {
        for (text, expected) in [
            (
                r#"{"id":"ab\qcd"}"#,
                "byte 10 of the record: expected a JSON escape after the backslash",
            ),
            (
                "{\"id\":\"a\tb\"}",
                "byte 9 of the record: expected an escape such as `\\t`, found a control character in a \
                 string",
            ),
            (
                r#"{"id":"ab}"#,
                "byte 7 of the record: expected a closing double quote for the string that begins \
                 here",
            ),
            (r#" {"a":1"#, "byte 8 of the record: expected `,` or `}` in an object, found the end"),
            (r#"{"a":1}}"#, "byte 8 of the record: expected one JSON value, found more after it"),
            (
                r#"{"a":01}"#,
                "byte 7 of the record: expected a JSON number: it has no zero before its first digit",
            ),
        ] {
            assert_eq!(
                diagnose(text.as_bytes(), " of the record").as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(diagnose(br#" {"a":1} "#, ""), None);
        assert!(diagnose(b"{", "").unwrap().starts_with("byte 2: expected"));
    }

    #[test]
    fn the_bracket_that_nests_too_deep_is_found() {
        let text = |opens: usize| format!(r#"{{"[\"[":{}"#, "[".repeat(opens));
        assert_eq!(too_deep(text(MAX_DEPTH).as_bytes()), text(MAX_DEPTH - 1).len());
        assert_eq!(too_deep(text(MAX_DEPTH - 1).as_bytes()), 0);
    }

    #[test]
    fn what_other_languages_write_is_named() {
        for (text, at, named) in [
            ("{'a': 1}", 2, "a single quote"),
            (r#"{"a": 'b'}"#, 7, "a single quote"),
            (r#"{"a": True}"#, 7, "`True`, `False` or `None`"),
            (r#"{"a": None}"#, 7, "`True`, `False` or `None`"),
            (r#"{"a": undefined}"#, 7, "`undefined`"),
            (r#"{"a": nan}"#, 7, "a number that is none"),
            (r#"{"a": 1,}"#, 9, "a comma before the closing bracket"),
            ("[1, 2, ]", 8, "a comma before the closing bracket"),
            (r#"{"a": 1 /* one */}"#, 9, "a comment"),
            ("// events", 1, "a comment"),
            ("{a: 1}", 2, "a member's name without quotes"),
            (r"{\x22a\x22: ", 2, "nginx"),
        ] {
            let (place, what) = fault(text.as_bytes()).unwrap();
            assert_eq!(place + 1, at, "{text}");
            assert!(what.contains(named), "{text}: {what}");
        }
    }
}
