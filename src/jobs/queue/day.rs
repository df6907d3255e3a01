//! Finds the day of a minute, with few queries of the calendar.

use crate::engine::plan::{Calendar, Period};

/// Maps minutes to days, and queries the calendar once for each day.
#[derive(Clone, Debug)]
pub struct Days {
    calendar: Calendar,
    /// The days that were queried, in order.
    known: Vec<Period>,
    last: usize,
}

impl Days {
    /// Creates a lookup for the days of `calendar`, whatever its period.
    pub fn new(calendar: &Calendar) -> Self {
        Self { calendar: calendar.daily(), known: Vec::new(), last: 0 }
    }

    /// Returns the first minute of the day that contains `minute`.
    #[inline]
    pub fn start_of(&mut self, minute: i64) -> i64 {
        // Most events are on the same day as the one before.
        match self.known.get(self.last) {
            Some(day) if day.contains(minute) => day.start,
            _ => self.find(minute),
        }
    }

    fn find(&mut self, minute: i64) -> i64 {
        let at = self.known.partition_point(|day| day.end <= minute);
        if !self.known.get(at).is_some_and(|day| day.contains(minute)) {
            self.known.insert(at, self.calendar.containing(minute));
        }
        self.last = at;
        self.known[at].start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::PeriodLength;
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn days_are_those_of_the_calendar(minutes in prop::collection::vec(-9_000_i64..9_000, 1..60)) {
            let zone = TimeZoneDatabase::bundled().get("America/New_York").unwrap();
            let calendar = Calendar::new(zone, PeriodLength::Month);
            let mut days = Days::new(&calendar);
            for minute in minutes {
                prop_assert_eq!(days.start_of(minute), calendar.daily().containing(minute).start);
            }
        }
    }
}
