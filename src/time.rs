//! Points in time, to the millisecond, in UTC.
//!
//! Reads RFC 3339 text (any offset, up to nine fractional digits, a space for the `T`) and epoch
//! numbers; writes `2025-07-01T00:00:34.985Z`. A missing time is a value of its own that sorts
//! before all others, so that ordering by time needs no special case.

use std::fmt;

use crate::parse::json::{Json, Kind, Number};

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;

/// From this value on an epoch number is milliseconds, below it seconds.
const EPOCH_MILLIS_FROM: f64 = 1e11;
/// `0000-01-01T00:00:00Z`, the first time RFC 3339 can write.
const FIRST_MS: i64 = -62_167_219_200_000;
/// `9999-12-31T23:59:59.999Z`, the last time RFC 3339 can write.
const LAST_MS: i64 = 253_402_300_799_999;

/// A point in time, or [`Time::MISSING`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

impl Time {
    /// No usable time; sorts before every other.
    pub const MISSING: Self = Self(i64::MIN);

    /// From milliseconds since 1970-01-01T00:00:00Z; `None` outside the years 0000 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (FIRST_MS..=LAST_MS).contains(&millis).then_some(Self(millis))
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

    /// From an epoch number: seconds, or milliseconds from 10^11 on. Fractions of a millisecond
    /// are cut off.
    pub fn from_epoch(number: f64) -> Option<Self> {
        let millis = if number.abs() >= EPOCH_MILLIS_FROM { number } else { number * 1000.0 };
        // Seconds with a fraction are rarely exact as doubles: 0.123 s must not become 122 ms.
        let millis = (millis + 1e-4).floor();
        if millis.is_nan() || millis.abs() > 1e15 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation)] // bounded just above
        Self::from_millis(millis as i64)
    }

    /// From a JSON value: RFC 3339 text or an epoch number.
    #[inline]
    pub fn from_json(json: Json<'_>) -> Option<Self> {
        match json.kind() {
            Kind::String(text) => Self::parse(text.as_bytes()),
            #[allow(clippy::cast_precision_loss)] // beyond 2^53 there is no year 9999 either
            Kind::Number(number) => Self::from_epoch(match number {
                Number::Int(value) => value as f64,
                Number::Uint(value) => value as f64,
                Number::Float(value) => value,
            }),
            _ => None,
        }
    }

    /// From RFC 3339 text. A leap second reads as the second before it. `None` of anything else,
    /// dates that do not exist included.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(time) = text.first_chunk().filter(|_| text.len() == 24).and_then(Self::usual) {
            return Some(time);
        }
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
        Self::from_millis(clock.in_utc()? - offset_minutes(rest)? * MINUTE_MS)
    }

    /// From a text such as `2025-07-01T00:00:34.985Z`, which most are; eight characters at a time.
    #[inline]
    fn usual(text: &[u8; 24]) -> Option<Self> {
        let (day, clock) = usual_clock(text)?;
        let date = digits(*text.first_chunk()?, *b"0000-00-")?;
        let (year, month) = (i64::from(pair(date, 0) * 100 + pair(date, 2)), pair(date, 5));
        Self::from_millis(day_in_utc(year, month, day)? + clock)
    }

    /// Writes `2025-07-01T00:00:34.985Z` at the end of `out`; nothing of a missing time.
    pub fn write(self, out: &mut Vec<u8>) {
        TimeWriter::default().write(self, out);
    }
}

/// Reads times, many of the same day: what day a date is is worked out once for each run of them.
#[derive(Clone, Debug, Default)]
pub struct TimeReader {
    date: [u8; 10],
    /// When that day begins.
    start: i64,
}

impl TimeReader {
    /// As [`Time::from_json`].
    #[inline]
    pub fn read(&mut self, json: Json<'_>) -> Option<Time> {
        let text = json.as_str().and_then(|text| <&[u8; 24]>::try_from(text.as_bytes()).ok());
        let Some(text) = text else { return Time::from_json(json) };
        let Some((_, clock)) = usual_clock(text) else { return Time::parse(text) };
        let date = *text.first_chunk()?;
        if date != self.date {
            *self = Self { date, start: Time::parse(text)?.0 - clock };
        }
        Time::from_millis(self.start + clock)
    }
}

/// The day of the month and the time of day, in milliseconds, of a text such as
/// `2025-07-01T00:00:34.985Z`.
#[inline]
fn usual_clock(text: &[u8; 24]) -> Option<(u32, i64)> {
    let middle = digits(*text[8..].first_chunk()?, *b"00T00:00")?;
    let end = digits(*text.last_chunk()?, *b":00.000Z")?;
    let millis = i64::from(u32::from(end[4]) * 100 + pair(end, 5));
    let clock = time_of_day(pair(middle, 3), pair(middle, 6), pair(end, 1), millis)?;
    Some((pair(middle, 0), clock))
}

/// A time of day in milliseconds; `None` where there is no such time.
#[inline]
fn time_of_day(hour: u32, minute: u32, second: u32, millis: i64) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(i64::from(hour * 3_600 + minute * 60 + second.min(59)) * 1000 + millis)
}

#[inline]
fn pair(digits: [u8; 8], at: usize) -> u32 {
    u32::from(digits[at]) * 10 + u32::from(digits[at + 1])
}

/// When a day begins, in milliseconds since 1970-01-01; `None` where there is no such day.
#[inline]
fn day_in_utc(year: i64, month: u32, day: u32) -> Option<i64> {
    let exists = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    exists.then(|| days_from_civil(year, month, day) * DAY_MS)
}

/// Writes times, many of the same minute: the text up to it is worked out once for each run of
/// them.
#[derive(Clone, Debug)]
pub struct TimeWriter {
    /// The minute in the text, since 1970-01-01.
    minute: i64,
    text: [u8; 24],
}

impl Default for TimeWriter {
    fn default() -> Self {
        Self { minute: 0, text: *b"1970-01-01T00:00:00.000Z" }
    }
}

impl TimeWriter {
    /// Writes `2025-07-01T00:00:34.985Z` at the end of `out`; nothing of a missing time.
    #[inline]
    pub fn write(&mut self, time: Time, out: &mut Vec<u8>) {
        if time.is_missing() {
            return;
        }
        let minute = time.0.div_euclid(MINUTE_MS);
        if minute != self.minute {
            self.turn_to(minute);
        }
        // Less than a minute: 32 bits divide faster than 64.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let ms = (time.0 - minute * MINUTE_MS) as u32;
        self.put(17, ms / 1000);
        self.put(20, ms % 1000 / 10);
        self.text[22] = digit(ms % 10);
        out.extend_from_slice(&self.text);
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the year 10,000
    fn turn_to(&mut self, minute: i64) {
        const DAY_MINUTES: i64 = DAY_MS / MINUTE_MS;
        if minute.div_euclid(DAY_MINUTES) != self.minute.div_euclid(DAY_MINUTES) {
            let (year, month, day) = civil_from_days(minute.div_euclid(DAY_MINUTES));
            self.put(0, year as u32 / 100);
            self.put(2, year as u32 % 100);
            self.put(5, month as u32);
            self.put(8, day as u32);
        }
        let of_day = minute.rem_euclid(DAY_MINUTES) as u32;
        self.put(11, of_day / 60);
        self.put(14, of_day % 60);
        self.minute = minute;
    }

    /// Two digits.
    #[inline]
    fn put(&mut self, at: usize, value: u32) {
        self.text[at] = digit(value / 10);
        self.text[at + 1] = digit(value % 10);
    }
}

#[inline]
#[allow(clippy::cast_possible_truncation)] // one digit
fn digit(value: u32) -> u8 {
    b'0' + value as u8
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// A date and a time of day as they are written.
struct Clock {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    millis: i64,
}

impl Clock {
    /// In milliseconds since 1970-01-01T00:00:00 on the same clock; `None` where there is no such
    /// date or time of day.
    #[inline]
    fn in_utc(&self) -> Option<i64> {
        let Self { year, month, day, hour, minute, second, millis } = *self;
        Some(day_in_utc(year, month, day)? + time_of_day(hour, minute, second, millis)?)
    }
}

/// The values of the digits of `text` where `form` has zeros; `None` unless all other characters
/// are those of `form`.
#[inline]
fn digits(text: [u8; 8], form: [u8; 8]) -> Option<[u8; 8]> {
    /// Carries into the upper bit of each byte above nine.
    const OVER_NINE: u64 = u64::from_le_bytes([0x76; 8]);
    const UPPER: u64 = u64::from_le_bytes([0x80; 8]);
    let others = form.map(|byte| if byte == b'0' { 0 } else { u8::MAX });
    // A digit and a zero differ by its value; what is alike becomes nothing.
    let values = u64::from_le_bytes(text) ^ u64::from_le_bytes(form);
    let wrong = ((values | ((values & !UPPER) + OVER_NINE)) & UPPER)
        | (values & u64::from_le_bytes(others));
    (wrong == 0).then(|| values.to_le_bytes())
}

/// The value of two ASCII digits.
#[inline]
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// The milliseconds of a fraction such as `.985` and what follows it; zero where there is none.
#[inline]
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count > 9 {
        return None;
    }
    let millis = (0..3).fold(0, |sum, place| {
        let digit = if place < count { i64::from(digits[place] - b'0') } else { 0 };
        sum * 10 + digit
    });
    Some((millis, &digits[count..]))
}

/// The minutes east of UTC of `Z`, `+02:00` or `-05:30`.
#[inline]
fn offset_minutes(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let total = i64::from(hours * 60 + minutes);
            Some(if sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years are counted from
/// March, so that the leap day comes last, in eras of 400 years.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::document::with_json;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        Time::parse(text.as_bytes()).map(|time| time.to_string())
    }

    #[test]
    fn reads_what_rfc_3339_allows() {
        for (text, expected) in [
            ("2025-07-01T00:00:34.985Z", "2025-07-01T00:00:34.985Z"),
            ("2025-07-01t00:00:34.985z", "2025-07-01T00:00:34.985Z"),
            ("2025-07-01 00:00:34Z", "2025-07-01T00:00:34.000Z"),
            ("2025-07-01T02:00:34.9+02:00", "2025-07-01T00:00:34.900Z"),
            ("2025-06-30T18:30:34.123456789-05:30", "2025-07-01T00:00:34.123Z"),
            ("2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00.000Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "0000-00-00T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2025-07-01",
            "2025-07-01T00:00:34",
            "2025-07-01T24:00:00Z",
            "2025-07-01T00:00:34.1234567890Z",
            "10000-01-01T00:00:00Z",
            "2025-07-01T00:00:34ZZ",
            "2025-07-01T00:00:34+2:00",
            "9999-12-31T23:59:59.999-00:01",
            "2024-09-10T14:38:57.524122374Z[GMT]",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn epoch_numbers_are_seconds_until_they_must_be_milliseconds() {
        let at = |number| Time::from_epoch(number).map(|time| time.to_string());
        assert_eq!(at(1_751_328_034.0).as_deref(), Some("2025-07-01T00:00:34.000Z"));
        assert_eq!(at(1_751_328_034_985.0).as_deref(), Some("2025-07-01T00:00:34.985Z"));
        assert_eq!(at(1_751_328_034.985).as_deref(), Some("2025-07-01T00:00:34.985Z"));
        assert_eq!(at(-1.0).as_deref(), Some("1969-12-31T23:59:59.000Z"));
        assert_eq!(at(1e18), None);
        assert_eq!(at(f64::NAN), None);
    }

    #[test]
    fn a_missing_time_sorts_first_and_writes_nothing() {
        assert!(Time::MISSING < Time::parse(b"0000-01-01T00:00:00Z").unwrap());
        assert_eq!(Time::MISSING.to_string(), "");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(millis in FIRST_MS..=LAST_MS) {
            let time = Time::from_millis(millis).unwrap();
            prop_assert_eq!(Time::parse(time.to_string().as_bytes()), Some(time));
        }

        #[test]
        fn agrees_with_another_implementation(millis in FIRST_MS + DAY_MS..=LAST_MS - DAY_MS) {
            let other = jiff::Timestamp::from_millisecond(millis).unwrap();
            let text = Time::from_millis(millis).unwrap().to_string();
            prop_assert_eq!(text.parse::<jiff::Timestamp>().unwrap(), other);
        }

        #[test]
        fn a_reader_of_many_reads_each_as_it_would_alone(
            texts in proptest::collection::vec(
                "20(24|25)-(02|13)-(28|29|31)[T ](0|2)[0-4]:5[0-9]:(5|6)[0-9]\\.[0-9]{3}(Z|\\+)|[0-9T:.Z-]{24}",
                0..20,
            ),
        ) {
            let mut reader = TimeReader::default();
            for text in texts {
                with_json(&serde_json::json!(text).to_string(), |json| {
                    prop_assert_eq!(reader.read(json), Time::from_json(json), "{}", text);
                    Ok(())
                })?;
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Time::parse(&bytes);
        }
    }
}
