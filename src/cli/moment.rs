//! Points in time as people write them on a command line.

use std::fmt;

use crate::engine::plan::Calendar;
use crate::time::{DAY_MS, MINUTE_MS, Stamp, Time, Zone};

/// A point in time, absolute or before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A time with its offset from UTC.
    At(Time),
    /// A time without an offset, stored as if it were UTC; the time zone is that of the plan.
    Clock(Time),
    /// A number of milliseconds before now.
    Ago(i64),
}

impl Moment {
    /// Parses a date, a time, or an age such as `30d`.
    ///
    /// # Errors
    /// Returns a message about the expected format.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(age) = age(text) {
            return Ok(Self::Ago(age));
        }
        let stamp = Stamp::parse(text.as_bytes()).filter(|_| !is_bare_number(text)).ok_or(
            "expected a date such as 2025-07-01, a time such as 2025-07-01T08:00:00Z, or an age \
             such as 30d, 12h or 90min",
        )?;
        Ok(match stamp.zone {
            Zone::Stated => Self::At(stamp.time),
            Zone::Assumed => Self::Clock(stamp.time),
        })
    }

    /// Returns the point in time by the time zone of `calendar`, if it is `now`; `None` if that is
    /// before the year 0 or after 9999.
    pub fn time(self, calendar: &Calendar, now: Time) -> Option<Time> {
        match self {
            Self::At(time) => Some(time),
            Self::Clock(clock) => calendar.time_at(clock),
            Self::Ago(millis) => Time::from_millis(now.millis()?.checked_sub(millis)?),
        }
    }
}

/// Returns `true` if `text` is a number too small for a date or a present-day epoch time: probably
/// an age without its unit.
fn is_bare_number(text: &str) -> bool {
    text.len() < 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parses an age to milliseconds.
fn age(text: &str) -> Option<i64> {
    let unit_at = text.find(|char: char| !char.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit {
        "min" => MINUTE_MS,
        "h" => 60 * MINUTE_MS,
        "d" => DAY_MS,
        "w" => 7 * DAY_MS,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

/// A moment in errors: the point in time and, if it was written differently, the original text.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShownMoment {
    /// The moment as written.
    pub moment: Moment,
    /// The point in time.
    pub time: Time,
}

impl fmt::Display for ShownMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.time)?;
        match self.moment {
            Moment::At(_) => Ok(()),
            Moment::Clock(clock) => {
                let clock = clock.to_string();
                write!(f, " ({} by the clocks of the plan)", clock.trim_end_matches('Z'))
            }
            Moment::Ago(_) => f.write_str(" (counted back from now)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::PeriodLength;
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;

    fn calendar(zone: &str) -> Calendar {
        Calendar::new(TimeZoneDatabase::bundled().get(zone).unwrap(), PeriodLength::Month)
    }

    fn at(text: &str, zone: &str) -> String {
        let now = Time::parse(b"2025-07-02T12:00:00Z").unwrap();
        let moment = Moment::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        moment.time(&calendar(zone), now).unwrap().to_string()
    }

    #[test]
    fn a_date_begins_at_midnight_of_the_plan() {
        for (text, zone, time) in [
            ("2025-07-01", "UTC", "2025-07-01T00:00:00.000Z"),
            ("2025-07-01", "Europe/Berlin", "2025-06-30T22:00:00.000Z"),
            ("2025-01-01", "Europe/Berlin", "2024-12-31T23:00:00.000Z"),
            ("2025-07-01T08:30", "America/New_York", "2025-07-01T12:30:00.000Z"),
            // Midnight was skipped that day.
            ("2025-03-30", "Asia/Beirut", "2025-03-29T22:00:00.000Z"),
            // Clocks showed this twice; the first time counts.
            ("2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T00:30:00.000Z"),
        ] {
            assert_eq!(at(text, zone), time, "{text} {zone}");
        }
    }

    #[test]
    fn a_time_with_an_offset_and_an_age_need_no_zone() {
        for (text, time) in [
            ("2025-07-01T08:00:00Z", "2025-07-01T08:00:00.000Z"),
            ("2025-07-01T08:00:00+02:00", "2025-07-01T06:00:00.000Z"),
            ("1751356800", "2025-07-01T08:00:00.000Z"),
            ("30d", "2025-06-02T12:00:00.000Z"),
            ("12h", "2025-07-02T00:00:00.000Z"),
            ("90min", "2025-07-02T10:30:00.000Z"),
            ("1w", "2025-06-25T12:00:00.000Z"),
            ("0d", "2025-07-02T12:00:00.000Z"),
        ] {
            assert_eq!(at(text, "Europe/Berlin"), time, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_was_expected() {
        for text in ["", "d", "30", "30m", "-3d", "1.5h", "soon", "2025-02-30", "3/1/2025", "30 d"]
        {
            let error = Moment::parse(text).expect_err(text);
            assert!(error.contains("30d"), "{error}");
        }
        assert!(Moment::parse("99999999999999999999d").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".*", unit in "(min|h|d|w)", number in any::<u64>()) {
            let calendar = calendar("UTC");
            for text in [text, format!("{number}{unit}")] {
                let moment = Moment::parse(&text).ok();
                moment.and_then(|moment| moment.time(&calendar, Time::from_raw(0)));
            }
        }
    }
}
