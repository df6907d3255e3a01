//! Calendars: the months or days of a time zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::rules::PeriodLength;
use crate::time::{MINUTE_MS, Time};

/// One period of a calendar, in minutes since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    every: PeriodLength,
    first_day: Date,
    /// The first minute; `i64::MIN` if it cannot be represented.
    pub start: i64,
    /// The first minute of the next period; `i64::MAX` if it cannot be represented.
    pub end: i64,
}

impl Period {
    /// Returns the label: `2025-07` for a month, `2025-07-01` for a day.
    pub fn label(&self) -> String {
        let Self { every, first_day, .. } = self;
        let month = format!("{:04}-{:02}", first_day.year(), first_day.month());
        match every {
            PeriodLength::Month => month,
            PeriodLength::Day => format!("{month}-{:02}", first_day.day()),
        }
    }

    /// Returns the date of the first day.
    pub fn first_day(&self) -> Date {
        self.first_day
    }

    /// Returns the time at which the period begins.
    pub fn start_time(&self) -> Time {
        time_of(self.start)
    }

    /// Returns the time at which the next period begins.
    pub fn end_time(&self) -> Time {
        time_of(self.end)
    }

    /// Returns the number of minutes.
    pub fn minutes(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// Returns whether `minute` lies in the period.
    pub fn contains(&self, minute: i64) -> bool {
        (self.start..self.end).contains(&minute)
    }
}

/// Returns the beginning of `minute`, clamped to the years 0 to 9999.
pub fn time_of(minute: i64) -> Time {
    let first = Time::parse(b"0000-01-01T00:00:00Z");
    let last = Time::parse(b"9999-12-31T23:59:59.999Z");
    let nearest = if minute < 0 { first } else { last };
    Time::from_millis(minute.saturating_mul(MINUTE_MS)).or(nearest).unwrap_or(Time::MISSING)
}

/// A division of time into periods.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    every: PeriodLength,
}

impl Calendar {
    /// Creates a calendar whose periods begin at midnight in `zone`.
    pub fn new(zone: TimeZone, every: PeriodLength) -> Self {
        Self { zone, every }
    }

    /// Returns the calendar of the days in the same time zone.
    #[must_use]
    pub fn daily(&self) -> Self {
        Self { zone: self.zone.clone(), every: PeriodLength::Day }
    }

    /// Returns the length of the periods.
    pub fn every(&self) -> PeriodLength {
        self.every
    }

    /// Returns the IANA name of the time zone.
    pub fn timezone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Returns the time at which clocks of the time zone show `clock`, a local time written as UTC.
    /// A local time that occurs twice is the earlier one; one that is skipped is moved forward by
    /// the length of the gap.
    pub fn time_at(&self, clock: Time) -> Option<Time> {
        let clock = Timestamp::from_millisecond(clock.millis()?).ok()?;
        let clock = TimeZone::UTC.to_datetime(clock);
        let time = self.zone.to_ambiguous_timestamp(clock).compatible().ok()?;
        Time::from_millis(time.as_millisecond())
    }

    /// Returns the period that contains `minute`.
    pub fn containing(&self, minute: i64) -> Period {
        let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        let second = minute.saturating_mul(60).clamp(*range.start(), *range.end());
        let at = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let date = self.zone.to_datetime(at).date();
        // Where clocks go back over midnight, the date goes back too, although the new day has
        // begun. The search therefore starts one day earlier.
        let mut period = self.starting(self.first_day(date.yesterday().unwrap_or(date)));
        while period.end <= minute {
            let Some(next) = self.following(&period) else { break };
            period = next;
        }
        period
    }

    /// Returns the period after `period`. Days that a zone skipped when it crossed the date line
    /// have no minutes and are left out.
    pub fn following(&self, period: &Period) -> Option<Period> {
        let mut first_day = self.next_first_day(period.first_day)?;
        loop {
            let next = self.starting(first_day);
            if next.start < next.end {
                return Some(next);
            }
            first_day = self.next_first_day(first_day)?;
        }
    }

    fn starting(&self, first_day: Date) -> Period {
        let start = self.start_of(first_day);
        let end = self.next_first_day(first_day).map_or(i64::MAX, |day| self.start_of(day));
        Period { every: self.every, first_day, start, end }
    }

    fn first_day(&self, date: Date) -> Date {
        match self.every {
            PeriodLength::Month => date.first_of_month(),
            PeriodLength::Day => date,
        }
    }

    fn next_first_day(&self, first_day: Date) -> Option<Date> {
        match self.every {
            PeriodLength::Month => first_day.last_of_month().tomorrow().ok(),
            PeriodLength::Day => first_day.tomorrow().ok(),
        }
    }

    /// Returns the first full minute of `day`.
    fn start_of(&self, day: Date) -> i64 {
        let midnight = self.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0));
        let skipped = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
        let Ok(start) = midnight.compatible() else {
            return if day.year() > 0 { i64::MAX } else { i64::MIN };
        };
        let mut second = start.as_second();
        // If clocks skip midnight, the day begins at the transition, not after it by as much as
        // midnight lies inside of the gap.
        if skipped && let Ok(after) = Timestamp::from_second(second + 1) {
            let jump = self.zone.preceding(after).next();
            second = jump.map_or(second, |jump| jump.timestamp().as_second());
        }
        // Offsets before about 1900 are not whole minutes.
        second.div_euclid(60) + i64::from(second.rem_euclid(60) > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;

    fn calendar(zone: &str, every: PeriodLength) -> Calendar {
        Calendar::new(TimeZoneDatabase::bundled().get(zone).unwrap(), every)
    }

    fn minute(text: &str) -> i64 {
        Time::parse(text.as_bytes()).unwrap().millis().unwrap().div_euclid(MINUTE_MS)
    }

    fn shown(calendar: &Calendar, at: &str) -> String {
        let period = calendar.containing(minute(at));
        assert!(period.contains(minute(at)));
        format!("{} {} {}", period.label(), period.start_time(), period.end_time())
    }

    #[test]
    fn months_begin_at_local_midnight_in_summer_and_winter() {
        let berlin = calendar("Europe/Berlin", PeriodLength::Month);
        assert_eq!(
            shown(&berlin, "2025-03-31T21:59:00Z"),
            "2025-03 2025-02-28T23:00:00.000Z 2025-03-31T22:00:00.000Z"
        );
        assert_eq!(
            shown(&berlin, "2025-03-31T22:00:00Z"),
            "2025-04 2025-03-31T22:00:00.000Z 2025-04-30T22:00:00.000Z"
        );
        let new_york = calendar("America/New_York", PeriodLength::Month);
        assert_eq!(
            shown(&new_york, "2024-11-15T00:00:00Z"),
            "2024-11 2024-11-01T04:00:00.000Z 2024-12-01T05:00:00.000Z"
        );
        assert_eq!(
            shown(&new_york, "2024-03-01T04:59:00Z"),
            "2024-02 2024-02-01T05:00:00.000Z 2024-03-01T05:00:00.000Z"
        );
    }

    #[test]
    fn a_day_has_23_or_25_hours_when_clocks_change() {
        let hours = |zone, at| {
            let period = calendar(zone, PeriodLength::Day).containing(minute(at));
            (period.label(), (period.end - period.start) / 60)
        };
        assert_eq!(hours("Europe/Berlin", "2025-03-30T12:00:00Z"), ("2025-03-30".into(), 23));
        assert_eq!(hours("Europe/Berlin", "2025-10-26T12:00:00Z"), ("2025-10-26".into(), 25));
        assert_eq!(hours("America/New_York", "2025-03-09T12:00:00Z"), ("2025-03-09".into(), 23));
        assert_eq!(hours("America/New_York", "2025-11-02T12:00:00Z"), ("2025-11-02".into(), 25));
    }

    #[test]
    fn a_day_begins_where_clocks_land_when_midnight_is_skipped() {
        // Clocks went from 23:30 to 00:30, so that the 31st began at 00:30.
        let toronto = calendar("America/Toronto", PeriodLength::Day);
        assert_eq!(
            shown(&toronto, "1919-03-31T12:00:00Z"),
            "1919-03-31 1919-03-31T04:30:00.000Z 1919-04-01T04:00:00.000Z"
        );
    }

    #[test]
    fn a_day_goes_on_when_clocks_fall_back_over_midnight() {
        // At 00:01 on the 7th clocks went back to 23:01 on the 6th.
        let st_johns = calendar("America/St_Johns", PeriodLength::Day);
        let period = "2010-11-07 2010-11-07T02:30:00.000Z 2010-11-08T03:30:00.000Z";
        assert_eq!(shown(&st_johns, "2010-11-07T02:30:00Z"), period);
        assert_eq!(shown(&st_johns, "2010-11-07T02:45:00Z"), period);
        assert_eq!(shown(&st_johns, "2010-11-07T12:00:00Z"), period);
    }

    #[test]
    fn a_day_that_a_zone_skipped_is_left_out() {
        let apia = calendar("Pacific/Apia", PeriodLength::Day);
        let before = apia.containing(minute("2011-12-30T00:00:00Z"));
        let after = apia.following(&before).unwrap();
        assert_eq!((before.label(), after.label()), ("2011-12-29".into(), "2011-12-31".into()));
        assert_eq!(before.end, after.start);
    }

    #[test]
    fn the_ends_of_time_belong_to_a_period() {
        for zone in ["UTC", "Pacific/Kiritimati", "America/New_York"] {
            for every in [PeriodLength::Month, PeriodLength::Day] {
                let calendar = calendar(zone, every);
                for at in [minute("0000-01-01T00:00:00Z"), minute("9999-12-31T23:59:59Z")] {
                    assert!(calendar.containing(at).contains(at), "{zone} {at}");
                }
                let (first, last) = (calendar.containing(i64::MIN), calendar.containing(i64::MAX));
                assert_eq!((first.start, last.end), (i64::MIN, i64::MAX), "{zone}");
                assert_eq!(last.end_time().to_string(), "9999-12-31T23:59:59.999Z");
                assert_eq!(calendar.following(&last), None);
            }
        }
    }

    fn zones() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "America/St_Johns",
            "America/Sao_Paulo",
            "Africa/Cairo",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Pacific/Chatham",
        ])
    }

    proptest! {
        #[test]
        fn periods_follow_each_other_without_gap_or_overlap(
            zone in zones(),
            every in prop::sample::select(vec![PeriodLength::Month, PeriodLength::Day]),
            at in minute("1880-01-01T00:00:00Z")..minute("2100-01-01T00:00:00Z"),
        ) {
            let calendar = calendar(zone, every);
            let period = calendar.containing(at);
            prop_assert!(period.contains(at));
            prop_assert_eq!(calendar.containing(period.start), period);
            prop_assert_eq!(calendar.containing(period.end - 1), period);
            let next = calendar.following(&period).unwrap();
            prop_assert_eq!(next.start, period.end);
            prop_assert_eq!(calendar.containing(period.end), next);
        }

        #[test]
        fn the_label_is_what_clocks_show_at_noon(
            zone in zones(),
            day in -30_000_i64..40_000,
        ) {
            let calendar = calendar(zone, PeriodLength::Day);
            let at = Timestamp::from_second(day * 86_400).unwrap();
            let date = calendar.zone.to_datetime(at).date();
            let Ok(noon) = calendar.zone.to_ambiguous_timestamp(date.at(12, 0, 0, 0)).unambiguous()
                else { return Ok(()) };
            let period = calendar.containing(noon.as_second().div_euclid(60));
            prop_assert_eq!(period.label(), date.to_string());
        }
    }
}
