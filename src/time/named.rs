//! Times with the name of the month: RFC 2822, HTTP, the C library, the texts of JavaScript's and
//! Java's `Date`, `March 1, 2025 10:00 AM`.
//!
//! Because the month is a word and the year has four digits, the parts are unambiguous in any
//! order.

use super::calendar::Clock;
use super::iso::fraction;
use super::loose::number;
use super::{Stamp, Zone, zone};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// The zones of RFC 2822's obsolete formats, and their hours east of UTC. In other formats these
/// names are ambiguous.
const OBSOLETE_ZONES: [(&str, i64); 8] = [
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// Parses `text` as a time with a named month.
pub(super) fn parse(text: &str) -> Option<Stamp> {
    // JavaScript appends the name of the zone, in the language of the machine.
    let text =
        text.split_once(" (").filter(|(_, name)| name.ends_with(')')).map_or(text, |(t, _)| t);
    let mut parts = Parts::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            'a'..='z' | 'A'..='Z' => parts.word(rest)?,
            '0'..='9' => parts.number(rest)?,
            '+' | '-' if parts.of_day.is_some() => parts.offset(rest)?,
            ',' | '-' | '/' | '.' => &rest[1..],
            blank if blank.is_whitespace() => &rest[blank.len_utf8()..],
            _ => return None,
        };
    }
    parts.stamp()
}

/// A time of day.
#[derive(Clone, Copy, Debug)]
struct OfDay {
    hour: u32,
    minute: u32,
    second: u32,
    millis: i64,
}

/// The half of the day on a twelve-hour clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

/// The parts of a time found so far.
#[derive(Debug, Default)]
struct Parts {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    /// Whether the day came before the month, as in RFC 2822.
    day_first: bool,
    of_day: Option<OfDay>,
    half: Option<Half>,
    minutes_east: Option<i64>,
}

/// Sets `place`. Returns `None` if it was already set.
fn fill<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.is_none().then(|| *place = Some(value))
}

/// Returns the index of the name that `word` is or abbreviates.
fn place_of(word: &str, names: &[&str]) -> Option<u32> {
    let begins = |name: &&str| name.get(..word.len()).is_some_and(|n| n.eq_ignore_ascii_case(word));
    let at = names.iter().position(begins).filter(|_| word.len() >= 3)?;
    u32::try_from(at).ok()
}

impl Parts {
    /// Reads the word that `text` begins with, and returns the text after it.
    fn word<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let end = text.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        if let Some(month) = place_of(word, &MONTHS) {
            fill(&mut self.month, month + 1)?;
            self.day_first = self.day.is_some();
        } else if is(&["AM"]) {
            fill(&mut self.half, Half::Morning)?;
        } else if is(&["PM"]) {
            fill(&mut self.half, Half::Afternoon)?;
        } else if is(&["UTC", "GMT", "UT", "Z"]) {
            fill(&mut self.minutes_east, 0)?;
        } else if let Some((_, hours)) = OBSOLETE_ZONES.iter().find(|zone| is(&[zone.0])) {
            fill(&mut self.minutes_east, hours * 60).filter(|()| self.day_first)?;
        } else if place_of(word, &WEEKDAYS).is_none() && !is(&["at"]) {
            return None;
        }
        Some(rest)
    }

    /// Reads a time of day, a year or a day of the month, and returns the text after it.
    fn number<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        let value = number(digits.as_bytes())?;
        match (digits.len(), rest.strip_prefix(':')) {
            (1 | 2, Some(minutes)) => self.clock(value, minutes),
            (4, after_colon) => {
                fill(&mut self.year, value)?;
                // The format of web server logs: `01/Mar/2025:10:00:00 +0000`.
                Some(after_colon.unwrap_or(rest))
            }
            (1 | 2, None) => {
                fill(&mut self.day, value)?;
                let ordinal =
                    ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end));
                Some(ordinal.unwrap_or(rest))
            }
            _ => None,
        }
    }

    /// Reads the minutes and seconds after `hour`, and returns the text after them.
    fn clock<'a>(&mut self, hour: u32, text: &'a str) -> Option<&'a str> {
        let (minute, rest) = text.split_at_checked(2)?;
        let minute = number(minute.as_bytes())?;
        let (second, millis, rest) = match rest.strip_prefix(':') {
            Some(rest) => {
                let (second, rest) = rest.split_at_checked(2)?;
                let has_fraction = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
                let (millis, left) =
                    if has_fraction { fraction(rest.as_bytes())? } else { (0, rest.as_bytes()) };
                (number(second.as_bytes())?, millis, &rest[rest.len() - left.len()..])
            }
            None => (0, 0, rest),
        };
        fill(&mut self.of_day, OfDay { hour, minute, second, millis })?;
        Some(rest)
    }

    /// Reads an offset, which is relative to the zone before it as in `GMT+0100`, and returns the
    /// text after it.
    fn offset<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let is_part = |char: char| char.is_ascii_digit() || char == ':';
        let end = text[1..].find(|char| !is_part(char)).map_or(text.len(), |end| end + 1);
        let (offset, rest) = text.split_at(end);
        let minutes = zone::offset(offset.as_bytes())?;
        if self.minutes_east.is_some_and(|minutes| minutes != 0) {
            return None;
        }
        self.minutes_east = Some(minutes);
        Some(rest)
    }

    fn stamp(self) -> Option<Stamp> {
        let Self { year, month, day, of_day, half, minutes_east, .. } = self;
        let mut clock = Clock { year: year?.into(), month: month?, day: day?, ..Clock::default() };
        if let Some(OfDay { hour, minute, second, millis }) = of_day {
            let hour = match half {
                None => hour,
                Some(_) if !(1..=12).contains(&hour) => return None,
                Some(Half::Morning) => hour % 12,
                Some(Half::Afternoon) => hour % 12 + 12,
            };
            clock = Clock { hour, minute, second, millis, ..clock };
        } else if half.is_some() {
            return None;
        }
        let zone = if minutes_east.is_some() { Zone::Stated } else { Zone::Assumed };
        Stamp::new(clock.in_utc()?, minutes_east.unwrap_or(0), zone)
    }
}
