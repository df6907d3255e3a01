//! Points in time, to the millisecond, in UTC.
//!
//! The module reads the formats of SDKs and warehouses: RFC 3339 and the rest of ISO 8601, RFC
//! 2822, the texts of JavaScript's and Java's `Date`, epoch numbers, and the objects by which
//! databases represent times. Ambiguous formats, such as `3/1/2025`, are not guessed. It writes
//! `2025-07-01T00:00:34.985Z`. A missing time is a separate value that sorts before all others, so
//! that ordering by time needs no special case.

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

/// `0000-01-01T00:00:00Z`, the earliest time in RFC 3339.
const FIRST_MS: i64 = -62_167_219_200_000;
/// `9999-12-31T23:59:59.999Z`, the latest time in RFC 3339.
const LAST_MS: i64 = 253_402_300_799_999;
/// `2005-01-01T00:00:00Z`: event tracking on the web is younger.
const PLAUSIBLE_FROM_MS: i64 = 1_104_537_600_000;
/// `2100-01-01T00:00:00Z`.
const PLAUSIBLE_BEFORE_MS: i64 = 4_102_444_800_000;

/// A point in time, or [`Time::MISSING`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

/// Whether a text states the zone of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The zone is stated by an offset, `Z`, or an epoch number.
    Stated,
    /// The zone is not stated; UTC is assumed.
    Assumed,
}

/// A parsed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The point in time.
    pub time: Time,
    /// Whether the offset from UTC was stated.
    pub zone: Zone,
}

impl Time {
    /// No usable time; sorts before every other time.
    pub const MISSING: Self = Self(i64::MIN);

    /// Creates a time from milliseconds since 1970-01-01T00:00:00Z. Returns `None` outside the
    /// years 0000 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (FIRST_MS..=LAST_MS).contains(&millis).then_some(Self(millis))
    }

    /// Returns the current time of the system clock, or [`Time::MISSING`] if that is outside the
    /// years 0000 to 9999.
    pub fn now() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = now.ok().and_then(|now| i64::try_from(now.as_millis()).ok());
        millis.and_then(Self::from_millis).unwrap_or(Self::MISSING)
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z, or `None` for a missing time.
    #[inline]
    pub fn millis(self) -> Option<i64> {
        (!self.is_missing()).then_some(self.0)
    }

    /// Returns `true` for [`Time::MISSING`].
    #[inline]
    pub fn is_missing(self) -> bool {
        self.0 == i64::MIN
    }

    /// Returns `true` if an event can have occurred at this time: from 2005 to 2099. A missing time
    /// is plausible.
    #[inline]
    pub fn is_plausible(self) -> bool {
        self.is_missing() || (PLAUSIBLE_FROM_MS..PLAUSIBLE_BEFORE_MS).contains(&self.0)
    }

    /// Returns the time as a sortable integer: its milliseconds, or `i64::MIN` for a missing time.
    #[inline]
    pub fn to_raw(self) -> i64 {
        self.0
    }

    /// Returns the time of an integer from [`Time::to_raw`]; any value outside the range becomes
    /// missing.
    #[inline]
    pub fn from_raw(raw: i64) -> Self {
        Self::from_millis(raw).unwrap_or(Self::MISSING)
    }

    /// Returns this time, or `other` if this one is missing.
    #[inline]
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_missing() { other } else { self }
    }

    /// Reads a JSON value like [`Stamp::from_json`].
    #[inline]
    pub fn from_json(json: Json<'_>) -> Option<Self> {
        Stamp::from_json(json).map(|stamp| stamp.time)
    }

    /// Parses a text like [`Stamp::parse`].
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        Stamp::parse(text).map(|stamp| stamp.time)
    }

    /// Appends the time as `2025-07-01T00:00:34.985Z` to `out`; appends nothing for a missing time.
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
    /// Reads a JSON value: a text, an epoch number, or an object by which a database represents a
    /// time.
    #[inline]
    pub fn from_json(json: Json<'_>) -> Option<Self> {
        json::read(json)
    }

    /// Parses a text. A leap second reads as the second before it. Returns `None` if the text is
    /// not a time, if the date does not exist, or if the text is ambiguous.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(time) = text.first_chunk().filter(|_| text.len() == 24).and_then(read::usual) {
            return Some(Self { time, zone: Zone::Stated });
        }
        iso::parse(text).or_else(|| foreign::parse(text))
    }

    /// Creates the time that a clock `minutes` east of UTC shows as `millis`.
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
