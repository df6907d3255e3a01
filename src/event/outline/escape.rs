//! Unescaping of JSON strings into a buffer.
//!
//! Accepts the same strings as the full parser. Any other string is left to the full parser, which
//! also reports what is wrong with it.

use wide::u8x32;

/// The number of bytes that are examined together. In the JSON text of a whole event, escapes are
/// close to each other.
const BLOCK: usize = 32;
/// The number of bytes that are copied at once.
const STEP: usize = 16;

/// Appends the unescaped string whose first byte is at `at` to `out`, and returns the offset of its
/// closing quote.
///
/// Returns `None`, and leaves `out` in an unspecified state, if the string is invalid or is too
/// near the end of `bytes`.
pub(super) fn unescape(bytes: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    /// The capacity that one round of the inner loop can need: an escape produces at most as many
    /// bytes as it takes, so a block, a step and four bytes are enough.
    const ROOM: usize = BLOCK + STEP + 4;
    let mut end = out.len();
    loop {
        let block = bytes.get(at..)?.first_chunk::<BLOCK>()?;
        if out.len() < end + ROOM {
            out.resize((end + ROOM) * 2, 0);
        }
        let mut stops = stops(block);
        // The number of bytes of the block that have been unescaped.
        let mut said = 0;
        while said < BLOCK {
            let stop = stops.trailing_zeros() as usize;
            let run = &bytes[at + said..];
            out[end..end + STEP].copy_from_slice(run.first_chunk::<STEP>()?);
            if stop - said > STEP {
                let rest = run[STEP..].first_chunk::<STEP>()?;
                out[end + STEP..end + 2 * STEP].copy_from_slice(rest);
            }
            end += stop - said;
            said = stop;
            match block.get(stop) {
                None => {}
                Some(b'"') => {
                    out.truncate(end);
                    return Some(at + stop);
                }
                Some(b'\\') => {
                    let kind = *bytes.get(at + stop + 1)?;
                    let simple = SIMPLE[usize::from(kind)];
                    if simple != 0 {
                        out[end] = simple;
                        end += 1;
                        said += 2;
                    } else if kind == b'u' {
                        let (char, length) = unicode(bytes.get(at + stop + 2..)?)?;
                        end += char.encode_utf8(&mut out[end..]).len();
                        said += length;
                    } else {
                        return None;
                    }
                    stops = if said < BLOCK { stops >> said << said } else { 0 };
                }
                Some(_) => return None,
            }
        }
        at += said;
    }
}

/// Returns a mask with a bit for each quote, backslash and control character.
#[inline]
fn stops(block: &[u8; BLOCK]) -> u32 {
    let block = u8x32::new(*block);
    let stops = block.simd_eq(u8x32::splat(b'"'))
        | block.simd_eq(u8x32::splat(b'\\'))
        | block.min(u8x32::splat(0x1f)).simd_eq(block);
    stops.to_bitmask()
}

/// The byte that each byte means after a backslash; 0 if a backslash and that byte alone are no
/// escape.
const SIMPLE: [u8; 256] = {
    let mut says = [0; 256];
    says[b'"' as usize] = b'"';
    says[b'\\' as usize] = b'\\';
    says[b'/' as usize] = b'/';
    says[b'b' as usize] = 8;
    says[b'f' as usize] = 12;
    says[b'n' as usize] = b'\n';
    says[b'r' as usize] = b'\r';
    says[b't' as usize] = b'\t';
    says
};

/// Decodes an escape such as `\u20ac` or a surrogate pair, and returns the character and the number
/// of bytes of the escape. `rest` starts after the first `\u`, which the number includes.
#[cold]
fn unicode(rest: &[u8]) -> Option<(char, usize)> {
    let unit = four_digits(rest)?;
    if let Some(char) = char::from_u32(unit) {
        return Some((char, 6));
    }
    let low = four_digits(rest[4..].strip_prefix(b"\\u")?)?;
    match char::decode_utf16([u16::try_from(unit).ok()?, u16::try_from(low).ok()?]).next() {
        Some(Ok(char)) if char > '\u{ffff}' => Some((char, 12)),
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
    use crate::json::document::Document;
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
