//! Epoch numbers in seconds, milliseconds, microseconds or nanoseconds, distinguished by their
//! size.

use super::Time;
use crate::json::Number;

/// The smallest epoch number that is in milliseconds; smaller ones are in seconds. A thousand times
/// this value is the smallest in microseconds, and a thousand times that the smallest in
/// nanoseconds: no unit reaches the next before the year 5138, and none begins before 1973.
const MILLIS_FROM: u64 = 100_000_000_000;
const MICROS_FROM: u64 = MILLIS_FROM * 1000;
const NANOS_FROM: u64 = MICROS_FROM * 1000;

/// Converts an epoch number to a time; fractions of a millisecond are truncated.
pub(super) fn read(number: Number) -> Option<Time> {
    match number {
        Number::Int(value) => from_integer(value),
        Number::Uint(value) => from_integer(i64::try_from(value).ok()?),
        Number::Float(value) => from_float(value),
    }
}

fn from_integer(value: i64) -> Option<Time> {
    Time::from_millis(match value.unsigned_abs() {
        0..MILLIS_FROM => value * 1000,
        MILLIS_FROM..MICROS_FROM => value,
        MICROS_FROM..NANOS_FROM => value.div_euclid(1000),
        NANOS_FROM.. => value.div_euclid(1_000_000),
    })
}

#[allow(clippy::cast_precision_loss)] // the limits are round
fn from_float(value: f64) -> Option<Time> {
    let millis = match value.abs() {
        size if size < MILLIS_FROM as f64 => value * 1000.0,
        size if size < MICROS_FROM as f64 => value,
        size if size < NANOS_FROM as f64 => value / 1000.0,
        _ => value / 1_000_000.0,
    };
    // Seconds with a fraction are rarely exact as doubles: 0.123 s must not become 122 ms.
    let millis = (millis + 1e-4).floor();
    if millis.is_nan() || millis.abs() > 1e15 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)] // bounded just above
    Time::from_millis(millis as i64)
}

/// Parses an epoch number from digits with an optional decimal point.
pub(super) fn parse(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    match text.parse() {
        Ok(integer) => from_integer(integer),
        Err(_) => from_float(text.parse().ok()?),
    }
}
