//! Dates of the proleptic Gregorian calendar and times of day, in milliseconds.

use super::DAY_MS;

/// A calendar date and a time of day, in the clock of the text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub millis: i64,
}

impl Clock {
    /// Returns the milliseconds since 1970-01-01T00:00:00 on the same clock, or `None` if the date
    /// or time of day does not exist.
    #[inline]
    pub fn in_utc(&self) -> Option<i64> {
        let Self { year, month, day, hour, minute, second, millis } = *self;
        Some(day_in_utc(year, month, day)? + time_of_day(hour, minute, second, millis)?)
    }
}

/// Returns a time of day in milliseconds, or `None` if it does not exist.
#[inline]
pub(super) fn time_of_day(hour: u32, minute: u32, second: u32, millis: i64) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(i64::from(hour * 3_600 + minute * 60 + second.min(59)) * 1000 + millis)
}

/// Returns the start of a day in milliseconds since 1970-01-01, or `None` if the day does not
/// exist.
#[inline]
pub(super) fn day_in_utc(year: i64, month: u32, day: u32) -> Option<i64> {
    let exists = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    exists.then(|| days_from_civil(year, month, day) * DAY_MS)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the number of days from 1970-01-01 to a date in the proleptic Gregorian calendar. Years
/// are counted from March, so that the leap day comes last, in eras of 400 years.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns the year, month and day of a number of days; the inverse of [`days_from_civil`].
pub(super) fn civil_from_days(days: i64) -> (i64, i64, i64) {
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
