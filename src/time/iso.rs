//! ISO 8601 in its extended form with seconds, as most SDKs write it.

use super::calendar::Clock;
use super::{Stamp, zone};

/// Parses a text such as `2025-07-01T00:00:34.985123+00:00`: a `T` or a blank between date and time
/// of day, any number of fractional digits after a point or a comma, any offset or none.
#[inline]
pub(super) fn parse(text: &[u8]) -> Option<Stamp> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let separators = [head[4], head[7], head[13], head[16]] == *b"--::"
        && matches!(head[10], b'T' | b't' | b' ');
    if !separators {
        return None;
    }
    let (millis, rest) = fraction(rest)?;
    let clock = Clock {
        year: i64::from(two(head[0], head[1])?) * 100 + i64::from(two(head[2], head[3])?),
        month: two(head[5], head[6])?,
        day: two(head[8], head[9])?,
        hour: two(head[11], head[12])?,
        minute: two(head[14], head[15])?,
        second: two(head[17], head[18])?,
        millis,
    };
    let (minutes, zone) = zone::read(rest)?;
    Stamp::new(clock.in_utc()?, minutes, zone)
}

/// Returns the milliseconds of a fraction such as `.985`, or 0 if there is none, and the text after
/// it.
#[inline]
pub(super) fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.' | b',', digits)) = rest.split_first() else { return Some((0, rest)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let (digits, rest) = digits.split_at(count);
    Some((millis_of(digits), rest))
}

/// Returns the milliseconds that the digits after a decimal point amount to.
#[inline]
pub(super) fn millis_of(digits: &[u8]) -> i64 {
    (0..3).fold(0, |sum, place| {
        sum * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0'))
    })
}

/// Returns the value of two ASCII digits.
#[inline]
pub(super) fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}
