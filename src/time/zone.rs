//! Offsets from UTC.

use super::Zone;
use super::iso::two;

/// Reads the zone at the end of a time, in minutes east of UTC: `Z`, `+02:00`, `+0200`, `+02`,
/// ` UTC`, ` +0200 CEST`, or nothing.
#[inline]
pub(super) fn read(tail: &[u8]) -> Option<(i64, Zone)> {
    match tail {
        [b'Z' | b'z'] => Some((0, Zone::Stated)),
        [] => Some((0, Zone::Assumed)),
        _ => offset(tail).map(|minutes| (minutes, Zone::Stated)).or_else(|| described(tail)),
    }
}

/// Parses an offset such as `+02:00`, `-0530` or `-08`, in minutes east of UTC.
#[inline]
pub(super) fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *text {
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, two(h1, h2)?, two(m1, m2)?),
        [sign, h1, h2] => (sign, two(h1, h2)?, 0),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let total = i64::from(hours * 60 + minutes);
    match sign {
        b'+' => Some(total),
        b'-' => Some(-total),
        _ => None,
    }
}

/// Like [`read`], for a zone that is a name, follows a blank, or has an abbreviation after it.
#[cold]
fn described(tail: &[u8]) -> Option<(i64, Zone)> {
    let tail = tail.trim_ascii();
    if [&b"UTC"[..], b"GMT", b"Z"].iter().any(|name| tail.eq_ignore_ascii_case(name)) {
        return Some((0, Zone::Stated));
    }
    // Go appends the abbreviation of the zone, which is redundant after the offset.
    let signed = tail.iter().position(|byte| *byte == b' ').map_or(tail, |end| {
        let is_name = tail[end + 1..].iter().all(u8::is_ascii_alphabetic);
        if is_name { &tail[..end] } else { tail }
    });
    // A form decoder replaces a plus by a blank.
    let minutes = match signed {
        [b'0'..=b'9', ..] => offset(&[b"+", signed].concat()).filter(|_| signed.len() >= 4),
        _ => offset(signed),
    };
    minutes.map(|minutes| (minutes, Zone::Stated))
}
