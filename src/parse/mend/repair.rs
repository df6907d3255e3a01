//! Repair of single tokens that JSON does not allow or that the parser does not accept.

use super::Repairs;

/// U+FFFD as a JSON escape.
const REPLACEMENT: &[u8] = br"\ufffd";

/// Replaces lone surrogates, non-finite numbers and hexadecimal escapes in `text`. Returns `None`
/// if there are none.
pub(super) fn repair(text: &[u8]) -> Option<(Vec<u8>, Repairs)> {
    let mut walk = Walk { text, at: 0, copied: 0, out: Vec::new(), repairs: Repairs::default() };
    while walk.at < text.len() {
        walk.token();
    }
    if walk.repairs.is_none() {
        return None;
    }
    walk.out.extend_from_slice(&text[walk.copied..]);
    if walk.repairs.hex_escapes > 0 && std::str::from_utf8(&walk.out).is_err() {
        // The escapes are arbitrary bytes.
        walk.out = String::from_utf8_lossy(&walk.out).into_owned().into_bytes();
    }
    Some((walk.out, walk.repairs))
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    /// The number of bytes of the text that `out` covers.
    copied: usize,
    out: Vec<u8>,
    repairs: Repairs,
}

impl Walk<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Replaces the next `length` bytes by `with`.
    fn replace(&mut self, length: usize, with: &[u8]) {
        self.out.extend_from_slice(&self.text[self.copied..self.at]);
        self.out.extend_from_slice(with);
        self.at += length;
        self.copied = self.at;
    }

    fn token(&mut self) {
        match self.text[self.at] {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' | b'N' | b'I' => self.number(),
            _ => self.at += 1,
        }
    }

    fn number(&mut self) {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.rest().iter().take_while(|byte| is_part(byte)).count().max(1);
        let token = std::str::from_utf8(&self.rest()[..length]).unwrap_or_default();
        let is_word = matches!(token, "NaN" | "Infinity" | "-Infinity");
        // The digit is required because Rust also parses words such as `inf`.
        let is_number = token.ends_with(|last: char| last.is_ascii_digit());
        if is_word || (is_number && token.parse().is_ok_and(f64::is_infinite)) {
            self.repairs.non_finite_numbers += 1;
            self.replace(length, b"null");
        } else {
            self.at += length;
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(stop) = memchr::memchr2(b'"', b'\\', self.rest()) {
            self.at += stop;
            if self.text[self.at] == b'"' {
                self.at += 1;
                return;
            }
            self.escape();
        }
        self.at = self.text.len();
    }

    fn escape(&mut self) {
        let rest = self.rest();
        match rest.get(1) {
            Some(b'u') => match code_unit(rest) {
                Some(0xd800..0xdc00)
                    if matches!(rest.get(6..).and_then(code_unit), Some(0xdc00..0xe000)) =>
                {
                    self.at += 12;
                }
                Some(0xd800..0xe000) => {
                    self.repairs.lone_surrogates += 1;
                    self.replace(6, REPLACEMENT);
                }
                _ => self.at += 2,
            },
            Some(b'x') => match hex_byte(rest) {
                Some(byte) => {
                    self.repairs.hex_escapes += 1;
                    match byte {
                        b'"' => self.replace(4, b"\\\""),
                        b'\\' => self.replace(4, b"\\\\"),
                        0..0x20 => self.replace(4, format!("\\u{byte:04x}").as_bytes()),
                        _ => self.replace(4, &[byte]),
                    }
                }
                None => self.at += 2,
            },
            _ => self.at = (self.at + 2).min(self.text.len()),
        }
    }
}

/// Decodes the UTF-16 code unit of an escape such as `\u20ac` at the start of `text`.
fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    hex(digits)
}

/// Decodes the byte of an escape such as `\x22` at the start of `text`.
pub(super) fn hex_byte(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"\\x")?.first_chunk::<2>()?;
    hex(digits).and_then(|value| u8::try_from(value).ok())
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> Option<String> {
        repair(text.as_bytes()).map(|(text, _)| String::from_utf8(text).unwrap())
    }

    #[test]
    fn halves_of_a_surrogate_pair_are_replaced_and_pairs_are_not() {
        for (text, expected) in [
            (r#""\ud83d""#, Some(r#""\ufffd""#)),
            (r#""a\uDE00 b""#, Some(r#""a\ufffd b""#)),
            (r#""\ud83d\ud83d\ude00\ude00""#, Some(r#""\ufffd\ud83d\ude00\ufffd""#)),
            (r#""\ud83d\u0041""#, Some(r#""\ufffd\u0041""#)),
            (r#""\ud83d\n""#, Some(r#""\ufffd\n""#)),
            (r#"{"\ude00":1}"#, Some(r#"{"\ufffd":1}"#)),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\u00e9""#, None),
        ] {
            assert_eq!(repaired(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_are_none_become_null() {
        assert_eq!(
            repaired(r#"{"a":NaN,"b":[-Infinity,Infinity],"c":1e400,"d":-1e400,"NaN":"NaN"}"#)
                .as_deref(),
            Some(r#"{"a":null,"b":[null,null],"c":null,"d":null,"NaN":"NaN"}"#)
        );
        for text in ["[1e308,1e-400,-0,12345678901234567890123]", "[inf,-inf,nan,NaNs,infinity]"] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    #[test]
    fn hexadecimal_escapes_say_bytes() {
        assert_eq!(
            repaired(r#"{"body":"{\x22a\x22:\x22\xC3\xA9\x5C\x0A\xFF\x22}"}"#).as_deref(),
            Some("{\"body\":\"{\\\"a\\\":\\\"é\\\\\\u000a\u{fffd}\\\"}\"}")
        );
        assert_eq!(repaired(r#""\x2""#), None);
    }

    #[test]
    fn what_is_cut_anywhere_is_no_trouble() {
        let text = r#"{"a\ud83d":"\x22\ud83d\ude00",b:-Infinity}"#;
        for end in 0..text.len() {
            let _ = repair(&text.as_bytes()[..end]);
        }
    }
}
