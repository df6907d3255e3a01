//! A compact encoding of ETags.

use crate::varint;

/// The number of hexadecimal digits in an MD5 hash.
const DIGITS: usize = 32;

/// Appends `tag` to `out`. Tags like `"9b2cf535f27731c974343645a3985328-12"`, the MD5 hash and the
/// number of parts that S3 and compatible stores return, take at most half of their length.
pub(super) fn pack(tag: &str, out: &mut Vec<u8>) {
    if let Some((hash, parts)) = hash(tag) {
        // An odd number distinguishes it from the length of other tags, which is doubled.
        let parts = parts.map_or(0, |parts| u64::from(parts) + 1);
        varint::put(parts << 1 | 1, out);
        out.extend(hash.to_be_bytes());
    } else {
        varint::put((tag.len() as u64) << 1, out);
        out.extend(tag.as_bytes());
    }
}

/// Decodes a tag from the beginning of `bytes`, and advances it.
pub(super) fn unpack(bytes: &mut &[u8]) -> String {
    let first = take_number(bytes);
    if first & 1 == 0 {
        let text = take(bytes, usize::try_from(first >> 1).unwrap_or(usize::MAX));
        return String::from_utf8_lossy(text).into_owned();
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(take(bytes, 16));
    let hash = u128::from_be_bytes(hash);
    match (first >> 1).checked_sub(1) {
        None => format!("\"{hash:032x}\""),
        Some(parts) => format!("\"{hash:032x}-{parts}\""),
    }
}

/// Parses the hash and the number of parts, if the tag is in the canonical form that [`unpack`]
/// restores.
fn hash(tag: &str) -> Option<(u128, Option<u32>)> {
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    let (digits, parts) = match inner.split_once('-') {
        Some((digits, parts)) => (digits, Some(parts)),
        None => (inner, None),
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != DIGITS || !digits.bytes().all(is_digit) {
        return None;
    }
    let hash = u128::from_str_radix(digits, 16).ok()?;
    let Some(text) = parts else { return Some((hash, None)) };
    let parts: u32 = text.parse().ok()?;
    (parts.to_string() == text).then_some((hash, Some(parts)))
}

/// Decodes a number from the beginning of `bytes`, and advances it.
pub(super) fn take_number(bytes: &mut &[u8]) -> u64 {
    varint::take(bytes).unwrap_or_default()
}

/// Returns the first `count` bytes of `bytes`, and advances it.
pub(super) fn take<'b>(bytes: &mut &'b [u8], count: usize) -> &'b [u8] {
    let (taken, rest) = bytes.split_at(count);
    *bytes = rest;
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn length(tag: &str) -> usize {
        let mut bytes = Vec::new();
        pack(tag, &mut bytes);
        let mut rest = bytes.as_slice();
        assert_eq!((unpack(&mut rest), rest.len()), (tag.to_owned(), 0));
        bytes.len()
    }

    #[test]
    fn tags_are_decoded_unchanged() {
        let hash = "9b2cf535f27731c974343645a3985328";
        assert_eq!(length(&format!("\"{hash}\"")), 17);
        assert_eq!(length(&format!("\"{hash}-12\"")), 17);
        for tag in [
            String::new(),
            hash.to_owned(),
            format!("W/\"{hash}\""),
            format!("\"{hash}-0012\""),
            format!("\"{hash}-99999999999\""),
            format!("\"{}\"", hash.to_uppercase()),
            "\"0x8DBA1B2C3D4E5F6\"".to_owned(),
        ] {
            assert!(length(&tag) > tag.len(), "{tag}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_unchanged(tag in "\"?[0-9a-f]{30,34}(-[0-9]{0,12})?\"?|.{0,40}") {
            length(&tag);
        }

        #[test]
        fn any_number_is_decoded_unchanged(number: u64) {
            let mut bytes = Vec::new();
            varint::put(number, &mut bytes);
            prop_assert_eq!(take_number(&mut bytes.as_slice()), number);
        }
    }
}
