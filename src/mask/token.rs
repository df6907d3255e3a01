//! A tolerant tokenizer for texts that should be JSON.

use std::borrow::Cow;
use std::ops::Range;

/// A token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `{` or `[`
    Open,
    /// `}` or `]`
    Close,
    /// `,`
    Comma,
    /// A string that is followed by a colon.
    Key {
        /// Whether the string has a closing quote.
        closed: bool,
    },
    /// Any other string.
    String {
        /// Whether the string has a closing quote.
        closed: bool,
    },
    /// Any other text: numbers, words, and text that is not JSON.
    Other,
}

/// An iterator over the tokens of a text and their ranges. Whitespace and colons are skipped.
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    /// Returns the end of the string whose opening quote is at `start`, and whether it is closed.
    fn string(&self, start: usize) -> (usize, bool) {
        let mut at = start + 1;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'"' => return (at + 1, true),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        (self.text.len(), false)
    }
}

impl Iterator for Tokens<'_> {
    type Item = (Token, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b':';
        while self.text.get(self.at).is_some_and(is_blank) {
            self.at += 1;
        }
        let start = self.at;
        let (token, end) = match self.text.get(start)? {
            b'{' | b'[' => (Token::Open, start + 1),
            b'}' | b']' => (Token::Close, start + 1),
            b',' => (Token::Comma, start + 1),
            b'"' => {
                let (end, closed) = self.string(start);
                let rest = self.text[end..].trim_ascii_start();
                let is_key = rest.first() == Some(&b':');
                (if is_key { Token::Key { closed } } else { Token::String { closed } }, end)
            }
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{}[],:\"".contains(byte);
                let rest = &self.text[start..];
                (Token::Other, start + rest.iter().position(ends).unwrap_or(rest.len()))
            }
        };
        self.at = end;
        Some((token, start..end))
    }
}

/// Returns `text` with its escapes decoded. Invalid escapes are kept.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('\\') else { return Cow::Borrowed(text) };
    let mut out = text[..first].to_owned();
    let mut rest = &text[first..];
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (char, length) = match escape.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(&byte @ (b'"' | b'\\' | b'/')) => (char::from(byte), 1),
            Some(b'u') => unicode(escape).unwrap_or(('\\', 0)),
            _ => ('\\', 0),
        };
        out.push(char);
        rest = &escape[length..];
    }
    out.push_str(rest);
    out.into()
}

/// Decodes an escape such as `u00e9` or `ud83d\ude00` at the start of `escape`, without its first
/// backslash, and returns the character and the length of the escape.
fn unicode(escape: &str) -> Option<(char, usize)> {
    let unit = |text: &str| u32::from_str_radix(text, 16).ok();
    let high = unit(escape.get(1..5)?)?;
    if let Some(char) = char::from_u32(high) {
        return Some((char, 5));
    }
    let low = unit(escape.get(5..)?.strip_prefix("\\u")?.get(..4)?)?;
    let pair = char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?]).next()?;
    Some((pair.ok()?, 11))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strings_end_where_json_ends_them_or_with_the_text() {
        let text = r#"{"a\"" : [1,"b"],"c"#;
        let tokens: Vec<_> =
            Tokens::new(text).map(|(token, range)| (token, &text[range])).collect();
        assert_eq!(
            tokens,
            [
                (Token::Open, "{"),
                (Token::Key { closed: true }, r#""a\"""#),
                (Token::Open, "["),
                (Token::Other, "1"),
                (Token::Comma, ","),
                (Token::String { closed: true }, "\"b\""),
                (Token::Close, "]"),
                (Token::Comma, ","),
                (Token::String { closed: false }, "\"c"),
            ]
        );
        assert_eq!(Tokens::new("\"a\\").last(), Some((Token::String { closed: false }, 0..3)));
    }

    #[test]
    fn broken_escapes_stay() {
        for (text, expected) in [
            (r"a\\b\/\n\u00e9", "a\\b/\né"),
            (r"\ud83d\ude00!", "\u{1f600}!"),
            (r"\ud83d!", r"\ud83d!"),
            (r"\u00", r"\u00"),
            (r"\x\", r"\x\"),
            (r"\ué000", r"\ué000"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn escapes_are_undone(text in ".*") {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescaped(&written[1..written.len() - 1]), text);
        }

        #[test]
        fn tokens_stand_in_order_and_within_the_text(text in ".*") {
            let mut at = 0;
            for (_, range) in Tokens::new(&text) {
                prop_assert!(at <= range.start && range.start < range.end && range.end <= text.len());
                prop_assert!(text.get(range.clone()).is_some());
                at = range.end;
            }
            let _ = unescaped(&text);
        }
    }
}
