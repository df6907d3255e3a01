//! The encoding of numbers and texts in spilled data.

use simdutf8::basic::from_utf8;

use crate::varint;

/// Appends a length as LEB128.
#[inline]
pub fn put_length(length: usize, out: &mut Vec<u8>) {
    varint::put(length as u64, out);
}

/// Reads a length from the beginning of `bytes`, and advances it.
#[inline]
#[allow(clippy::cast_possible_truncation)] // it was a usize
pub fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    varint::take(bytes).map(|length| length as usize)
}

/// Appends the signed difference of `to` and `from`, which takes one byte if it is small.
#[allow(clippy::cast_possible_truncation)] // lengths have 64 bits where a file is so long
pub fn put_distance(from: u64, to: u64, out: &mut Vec<u8>) {
    let distance = to.wrapping_sub(from).cast_signed();
    put_length((distance << 1 ^ distance >> 63).cast_unsigned() as usize, out);
}

/// Reads a number that was written as its difference from `from`.
pub fn take_distance(from: u64, bytes: &mut &[u8]) -> Option<u64> {
    let folded = take_length(bytes)? as u64;
    Some(from.wrapping_add(folded >> 1 ^ (folded & 1).wrapping_neg()))
}

/// Appends a text after its length.
pub fn put_text(text: &str, out: &mut Vec<u8>) {
    put_length(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

/// Reads a text after its length.
pub fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let len = take_length(bytes)?;
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    from_utf8(text).ok()
}

/// Reads `N` bytes.
pub fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// Reads four bytes, little-endian.
pub fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

/// Reads eight bytes, little-endian.
pub fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    take(bytes).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_distance_leads_back(from in any::<u64>(), to in any::<u64>(), near in -64..64_i64) {
            for (to, most_bytes) in [(to, 10), (from.wrapping_add_signed(near), 1)] {
                let mut bytes = Vec::new();
                put_distance(from, to, &mut bytes);
                prop_assert!(bytes.len() <= most_bytes);
                prop_assert_eq!(take_distance(from, &mut bytes.as_slice()), Some(to));
            }
        }

        #[test]
        fn what_is_put_is_taken(length in prop_oneof![0..300_usize, any::<usize>()], text in ".{0,200}") {
            let mut bytes = Vec::new();
            put_length(length, &mut bytes);
            put_text(&text, &mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_length(&mut rest), Some(length));
            prop_assert_eq!(take_text(&mut rest), Some(text.as_str()));
            prop_assert_eq!(rest, &[] as &[u8]);
            let mut cut = &bytes[..bytes.len() - 1];
            prop_assert!(take_length(&mut cut).and_then(|_| take_text(&mut cut)).is_none());
        }
    }
}
