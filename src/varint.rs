//! Unsigned integers in LEB128: seven bits per byte, lowest first; the high bit is set if more
//! bytes follow.

/// Appends `number` to `out`.
#[inline]
#[allow(clippy::cast_possible_truncation)] // only the lowest bits are written
pub(crate) fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads a number from the beginning of `bytes`, and advances it. Returns `None` if `bytes` ends
/// before the number does.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    let mut number = u64::from(first & 0x7f);
    let mut shift = 7;
    loop {
        let (&next, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(next & 0x7f) << shift;
        if next < 0x80 {
            return Some(number);
        }
        shift += 7;
    }
}
