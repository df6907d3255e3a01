//! Dates and times that begin with the year, with any punctuation.
//!
//! Covers the rest of ISO 8601 (basic format, a date alone, no seconds, `24:00:00`), dates with
//! slashes or points, months and days of one digit, and offsets damaged by encoders and form
//! decoders.

use super::calendar::Clock;
use super::iso::{fraction, millis_of};
use super::{DAY_MS, Stamp, Zone, zone};

/// Parses `text` as a time that begins with the year.
pub(super) fn parse(text: &str) -> Option<Stamp> {
    let mut rest = Rest(text.as_bytes());
    let digits = rest.digits();
    let mut clock = match digits.len() {
        4 => rest.separated_date(digits)?,
        8 => compact_date(digits)?,
        // `20250301100000` if that is plausible; otherwise it may be an epoch number.
        14 | 17 if rest.0.is_empty() => return compact(digits),
        _ => return None,
    };
    if rest.0.is_empty() {
        // Eight digits may also be epoch seconds, in 1970.
        let stamp = Stamp::new(clock.in_utc()?, 0, Zone::Assumed)?;
        return Some(stamp).filter(|stamp| digits.len() == 4 || stamp.time.is_plausible());
    }
    rest.between_date_and_clock()?;
    let next_day = rest.clock(&mut clock)?;
    let (minutes, zone) = rest.end_of_clock(&mut clock)?;
    Stamp::new(clock.in_utc()? + if next_day { DAY_MS } else { 0 }, minutes, zone)
}

/// Parses a date and a time of day, with or without milliseconds, that consists only of digits.
fn compact(digits: &[u8]) -> Option<Stamp> {
    let (date, of_day) = digits.split_at(8);
    let mut clock = compact_date(date)?;
    (clock.hour, clock.minute) = (number(&of_day[..2])?, number(&of_day[2..4])?);
    clock.second = number(&of_day[4..6])?;
    clock.millis = millis_of(&of_day[6..]);
    let stamp = Stamp::new(clock.in_utc()?, 0, Zone::Assumed)?;
    Some(stamp).filter(|stamp| stamp.time.is_plausible())
}

fn compact_date(digits: &[u8]) -> Option<Clock> {
    let (year, rest) = digits.split_at(4);
    let (year, month, day) = (number(year)?, number(&rest[..2])?, number(&rest[2..])?);
    Some(Clock { year: year.into(), month, day, ..Clock::default() })
}

/// Returns the value of one to nine digits.
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    let fits = (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// The unread rest of a text.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn digits(&mut self) -> &'a [u8] {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits
    }

    /// Reads one or two digits.
    fn short_number(&mut self) -> Option<u32> {
        let digits = self.digits();
        number(digits).filter(|_| digits.len() <= 2)
    }

    /// Reads `byte` and the blanks after it.
    fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == byte).then(|| self.0 = rest.trim_ascii_start())
    }

    fn separated_date(&mut self, year: &[u8]) -> Option<Clock> {
        let separator = *self.0.first().filter(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
        let year = number(year)?.into();
        let mut next = || {
            self.0 = self.0.strip_prefix(&[separator])?;
            self.short_number()
        };
        let (month, day) = (next()?, next()?);
        Some(Clock { year, month, day, ..Clock::default() })
    }

    fn between_date_and_clock(&mut self) -> Option<()> {
        self.0 = self.0.strip_prefix(b",").unwrap_or(self.0);
        match self.0 {
            [b'T' | b't' | b'_', rest @ ..] => self.0 = rest,
            [b' ', rest @ ..] => self.0 = rest.trim_ascii_start(),
            _ => return None,
        }
        Some(())
    }

    /// Reads the time of day without its fraction. Returns `true` if it is the end of the day,
    /// `24:00`.
    fn clock(&mut self, clock: &mut Clock) -> Option<bool> {
        let digits = self.digits();
        match digits.len() {
            1 | 2 => {
                clock.hour = number(digits)?;
                self.take(b':')?;
                clock.minute = self.short_number()?;
                if self.take(b':').is_some() {
                    clock.second = self.short_number()?;
                }
            }
            4 | 6 => {
                (clock.hour, clock.minute) = (number(&digits[..2])?, number(&digits[2..4])?);
                clock.second = number(digits.get(4..6).unwrap_or(b"0"))?;
            }
            _ => return None,
        }
        let next_day = (clock.hour, clock.minute, clock.second) == (24, 0, 0);
        if next_day {
            clock.hour = 0;
        }
        Some(next_day)
    }

    /// Reads the fraction of a second and the offset.
    fn end_of_clock(&mut self, clock: &mut Clock) -> Option<(i64, Zone)> {
        let (millis, rest) = fraction(self.0)?;
        clock.millis = millis;
        if let [b':', m1, m2] = *rest {
            // A form decoder replaced the plus: `.72405:30` was `.724+05:30`.
            let digits = self.0.get(1..self.0.len() - rest.len())?;
            let (of_second, hours) = digits.split_at_checked(digits.len().checked_sub(2)?)?;
            clock.millis = millis_of(of_second);
            let minutes = zone::offset(&[b'+', hours[0], hours[1], b':', m1, m2])?;
            return (!of_second.is_empty()).then_some((minutes, Zone::Stated));
        }
        zone::read(rest)
    }
}
