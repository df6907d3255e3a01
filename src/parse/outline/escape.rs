//! Strings with escapes: what they say, appended to a buffer.
//!
//! The same strings are taken as by the full parser; whatever is none is left to it, and to what it
//! says of it.

use wide::u8x16;

/// How many bytes are copied at once.
const STEP: usize = 16;

/// Appends to `out` what the string says whose first byte is at `at`, and returns the place of the
/// quote that ends it. `None`, with `out` of no use, of what is no string, and near the end of
/// `bytes`.
pub(super) fn unescape(bytes: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let quote = u8x16::splat(b'"');
    let backslash = u8x16::splat(b'\\');
    let last_control = u8x16::splat(0x1f);
    let mut end = out.len();
    let quote_at = loop {
        let step = bytes.get(at..)?.first_chunk::<STEP>()?;
        // An escape says at most as many bytes as it takes, so that room for a step and for four
        // bytes is room for all that comes of one round.
        if out.len() < end + STEP + 4 {
            out.resize((end + STEP + 4) * 2, 0);
        }
        out[end..end + STEP].copy_from_slice(step);
        let block = u8x16::new(*step);
        let stops = block.simd_eq(quote)
            | block.simd_eq(backslash)
            | block.min(last_control).simd_eq(block);
        let stops = stops.to_bitmask();
        if stops == 0 {
            at += STEP;
            end += STEP;
            continue;
        }
        let run = stops.trailing_zeros() as usize;
        at += run;
        end += run;
        match step[run] {
            b'"' => break at,
            b'\\' => {
                let (char, length) = escape(bytes.get(at + 1..)?)?;
                end += char.encode_utf8(&mut out[end..]).len();
                at += 1 + length;
            }
            _ => return None,
        }
    };
    out.truncate(end);
    Some(quote_at)
}

/// The character that an escape stands for, and how many bytes it takes after its backslash.
#[inline]
fn escape(rest: &[u8]) -> Option<(char, usize)> {
    let simple = match rest.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(&rest[1..]),
        _ => return None,
    };
    Some((simple, 1))
}

/// The character of `\u20ac`, or of the two halves of a surrogate pair.
#[cold]
fn unicode(rest: &[u8]) -> Option<(char, usize)> {
    let unit = four_digits(rest)?;
    if let Some(char) = char::from_u32(unit) {
        return Some((char, 5));
    }
    let low = four_digits(rest[4..].strip_prefix(b"\\u")?)?;
    match char::decode_utf16([u16::try_from(unit).ok()?, u16::try_from(low).ok()?]).next() {
        Some(Ok(char)) if char > '\u{ffff}' => Some((char, 11)),
        _ => None,
    }
}

fn four_digits(rest: &[u8]) -> Option<u32> {
    let digits = rest.first_chunk::<4>()?;
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::document::Document;
    use proptest::prelude::*;

    fn ours(text: &str) -> Option<String> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len() + 64, b'"');
        let mut out = b"before".to_vec();
        let end = unescape(&bytes, 1, &mut out)?;
        (end + 1 == text.len()).then(|| String::from_utf8(out).unwrap()[6..].to_owned())
    }

    fn theirs(text: &str) -> Option<String> {
        Document::default().read(text.as_bytes(), |value| value.ok()?.as_str().map(str::to_owned))
    }

    #[test]
    fn every_escape_says_what_it_says_to_the_full_parser() {
        for text in [
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u00e9\u20ac\uD83D\uDE00\u0000""#,
            r#""\ud800""#,
            r#""\udc00\ud800""#,
            r#""\ud83d\u0041""#,
            r#""\u12g4""#,
            r#""\x""#,
            "\"\\\"",
            "\"\\u00\"",
            "\"a\tb\"",
            "\"\"",
            "\"é\"",
        ] {
            assert_eq!(ours(text), theirs(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn strings_say_what_they_say_to_the_full_parser(
            parts in prop::collection::vec(
                prop_oneof![
                    "[a-zé\u{1f600} ]{0,20}".prop_map(String::from),
                    prop::sample::select(vec![
                        "\\\"", "\\\\", "\\/", "\\n", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\u", "\\q",
                    ]).prop_map(String::from),
                ],
                0..30,
            ),
        ) {
            let text = format!("\"{}\"", parts.concat());
            prop_assert_eq!(ours(&text), theirs(&text));
        }

        #[test]
        fn what_serde_writes_is_read_back(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(ours(&written), Some(text));
        }
    }
}
