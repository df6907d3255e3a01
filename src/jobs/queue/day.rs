//! Days as a calendar has them, found without asking it again and again.

use crate::engine::plan::{Calendar, Period};

/// Tells on which day a minute lies; asks the calendar once for each day.
#[derive(Clone, Debug)]
pub struct Days {
    calendar: Calendar,
    /// Those that were asked for, in order.
    known: Vec<Period>,
    last: usize,
}

impl Days {
    /// The days of `calendar`, however long its periods are.
    pub fn new(calendar: &Calendar) -> Self {
        Self { calendar: calendar.daily(), known: Vec::new(), last: 0 }
    }

    /// The first minute of the day that `minute` lies in.
    #[inline]
    pub fn start_of(&mut self, minute: i64) -> i64 {
        // Most events are of the day of the one before.
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
