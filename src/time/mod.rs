//! Points in time, to the millisecond, in UTC.
//!
//! Reads what SDKs and warehouses write: RFC 3339 and the rest of ISO 8601, RFC 2822, the texts of
//! JavaScript's and Java's `Date`, epoch numbers, and the objects that databases make of times.
//! Forms that several calendars or customs read differently, such as `3/1/2025`, are not guessed.
//! Writes `2025-07-01T00:00:34.985Z`. A missing time is a value of its own that sorts before all
//! others, so that ordering by time needs no special case.

mod calendar;
mod epoch;
mod foreign;
mod iso;
mod json;
mod loose;
mod named;
mod read;
mod write;
mod zone;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::json::Json;
pub use read::TimeReader;
pub use write::TimeWriter;

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;

/// `0000-01-01T00:00:00Z`, the first time RFC 3339 can write.
const FIRST_MS: i64 = -62_167_219_200_000;
/// `9999-12-31T23:59:59.999Z`, the last time RFC 3339 can write.
const LAST_MS: i64 = 253_402_300_799_999;
/// `2005-01-01T00:00:00Z`: web analytics that sends events is younger.
const PLAUSIBLE_FROM_MS: i64 = 1_104_537_600_000;
/// `2100-01-01T00:00:00Z`.
const PLAUSIBLE_BEFORE_MS: i64 = 4_102_444_800_000;

/// A point in time, or [`Time::MISSING`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

/// Whether a text says by which clock its time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// It does: an offset, `Z`, or an epoch number.
    Stated,
    /// It does not, and UTC is assumed.
    Assumed,
}

/// A time as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub time: Time,
    /// Whether the offset from UTC was stated.
    pub zone: Zone,
}

impl Time {
    /// No usable time; sorts before every other.
    pub const MISSING: Self = Self(i64::MIN);

    /// From milliseconds since 1970-01-01T00:00:00Z; `None` outside the years 0000 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (FIRST_MS..=LAST_MS).contains(&millis).then_some(Self(millis))
    }

    /// The time of day, as the system's clock has it; missing where that is off by millennia.
    pub fn now() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = now.ok().and_then(|now| i64::try_from(now.as_millis()).ok());
        millis.and_then(Self::from_millis).unwrap_or(Self::MISSING)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; `None` of a missing time.
    #[inline]
    pub fn millis(self) -> Option<i64> {
        (!self.is_missing()).then_some(self.0)
    }

    /// Whether this is [`Time::MISSING`].
    #[inline]
    pub fn is_missing(self) -> bool {
        self.0 == i64::MIN
    }

    /// Whether an event can have happened then: from 2005 to 2099. A missing time is plausible.
    #[inline]
    pub fn is_plausible(self) -> bool {
        self.is_missing() || (PLAUSIBLE_FROM_MS..PLAUSIBLE_BEFORE_MS).contains(&self.0)
    }

    /// The raw order of this time: milliseconds, or `i64::MIN` of a missing one.
    #[inline]
    pub fn to_raw(self) -> i64 {
        self.0
    }

    /// The inverse of [`Time::to_raw`]; what is no time at all becomes missing.
    #[inline]
    pub fn from_raw(raw: i64) -> Self {
        Self::from_millis(raw).unwrap_or(Self::MISSING)
    }

    /// This time, or `other` where this one is missing.
    #[inline]
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_missing() { other } else { self }
    }

    /// From a JSON value, as [`Stamp::from_json`] reads it.
    #[inline]
    pub fn from_json(json: Json<'_>) -> Option<Self> {
        Stamp::from_json(json).map(|stamp| stamp.time)
    }

    /// From a text, as [`Stamp::parse`] reads it.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        Stamp::parse(text).map(|stamp| stamp.time)
    }

    /// Writes `2025-07-01T00:00:34.985Z` at the end of `out`; nothing of a missing time.
    pub fn write(self, out: &mut Vec<u8>) {
        TimeWriter::default().write(self, out);
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::MISSING
    }
}

impl Stamp {
    /// From a JSON value: a text, an epoch number, or an object that a database makes of a time.
    #[inline]
    pub fn from_json(json: Json<'_>) -> Option<Self> {
        json::read(json)
    }

    /// From a text. A leap second reads as the second before it. `None` of what is no time, dates
    /// that do not exist included, and of what can be read in several ways.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(time) = text.first_chunk().filter(|_| text.len() == 24).and_then(read::usual) {
            return Some(Self { time, zone: Zone::Stated });
        }
        iso::parse(text).or_else(|| foreign::parse(text))
    }

    /// The time that a clock `minutes` east of UTC shows as `millis`.
    #[inline]
    fn new(millis: i64, minutes: i64, zone: Zone) -> Option<Self> {
        Some(Self { time: Time::from_millis(millis - minutes * MINUTE_MS)?, zone })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}
