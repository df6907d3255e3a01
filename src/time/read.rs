//! The most frequent format of times, `2025-07-01T00:00:34.985Z`, parsed eight characters at a
//! time.

use super::calendar::{day_in_utc, time_of_day};
use super::{Stamp, Time, Zone};
use crate::json::Json;

/// Reads times and caches the day, so that a run of times of the same day computes it once.
#[derive(Clone, Debug, Default)]
pub struct TimeReader {
    date: [u8; 10],
    /// The start of the day of `date`, in milliseconds since 1970-01-01.
    start: i64,
}

impl TimeReader {
    /// Reads a JSON value like [`Stamp::from_json`].
    #[inline]
    pub fn read(&mut self, json: Json<'_>) -> Option<Stamp> {
        let text = json.as_str().and_then(|text| <&[u8; 24]>::try_from(text.as_bytes()).ok());
        let Some(text) = text else { return Stamp::from_json(json) };
        let Some((_, clock)) = usual_clock(text) else { return Stamp::parse(text) };
        let date = *text.first_chunk()?;
        if date != self.date {
            let Some(time) = usual(text) else { return Stamp::parse(text) };
            *self = Self { date, start: time.to_raw() - clock };
        }
        Some(Stamp { time: Time::from_millis(self.start + clock)?, zone: Zone::Stated })
    }
}

/// Parses a text such as `2025-07-01T00:00:34.985Z`.
#[inline]
pub(super) fn usual(text: &[u8; 24]) -> Option<Time> {
    let (day, clock) = usual_clock(text)?;
    let date = digits(*text.first_chunk()?, *b"0000-00-")?;
    let (year, month) = (i64::from(pair(date, 0) * 100 + pair(date, 2)), pair(date, 5));
    Time::from_millis(day_in_utc(year, month, day)? + clock)
}

/// Returns the day of the month and the time of day, in milliseconds, of a text such as
/// `2025-07-01T00:00:34.985Z`.
#[inline]
fn usual_clock(text: &[u8; 24]) -> Option<(u32, i64)> {
    let middle = digits(*text[8..].first_chunk()?, *b"00T00:00")?;
    let end = digits(*text.last_chunk()?, *b":00.000Z")?;
    let millis = i64::from(u32::from(end[4]) * 100 + pair(end, 5));
    let clock = time_of_day(pair(middle, 3), pair(middle, 6), pair(end, 1), millis)?;
    Some((pair(middle, 0), clock))
}

#[inline]
fn pair(digits: [u8; 8], at: usize) -> u32 {
    u32::from(digits[at]) * 10 + u32::from(digits[at + 1])
}

/// Returns the digit values of `text` at the zeros of `form`, or `None` unless all other characters
/// equal those of `form`.
#[inline]
fn digits(text: [u8; 8], form: [u8; 8]) -> Option<[u8; 8]> {
    /// Added to a byte above nine, sets its upper bit.
    const OVER_NINE: u64 = u64::from_le_bytes([0x76; 8]);
    const UPPER: u64 = u64::from_le_bytes([0x80; 8]);
    let others = form.map(|byte| if byte == b'0' { 0 } else { u8::MAX });
    // The exclusive-or of a digit and `0` is the digit's value; that of equal bytes is 0.
    let values = u64::from_le_bytes(text) ^ u64::from_le_bytes(form);
    let wrong = ((values | ((values & !UPPER) + OVER_NINE)) & UPPER)
        | (values & u64::from_le_bytes(others));
    (wrong == 0).then(|| values.to_le_bytes())
}
