//! The time window of the events that are counted.

use crate::time::Time;

/// A time span, from `since` (inclusive) to `until` (exclusive); at least one of the two is set.
///
/// Signals, raw signals and the sums of leads count only events inside of the window. Events
/// outside of it are still read, since they connect identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    since: Option<Time>,
    until: Option<Time>,
}

impl Window {
    /// Creates a window between the given bounds. Returns `None` if neither bound is given, or if
    /// no time lies between them.
    pub fn new(since: Option<Time>, until: Option<Time>) -> Option<Self> {
        let is_empty = matches!((since, until), (Some(since), Some(until)) if since >= until);
        let is_unbounded = since.is_none() && until.is_none();
        (!is_empty && !is_unbounded).then_some(Self { since, until })
    }

    /// Returns the first time inside of the window.
    pub fn since(self) -> Option<Time> {
        self.since
    }

    /// Returns the first time after the window.
    pub fn until(self) -> Option<Time> {
        self.until
    }

    /// Returns whether `time` lies in the window. A missing time does not.
    #[inline]
    pub fn holds(self, time: Time) -> bool {
        !time.is_missing()
            && self.since.is_none_or(|since| since <= time)
            && self.until.is_none_or(|until| time < until)
    }
}

/// The times of an input's events compared with the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whether any event happened or was received in the window.
    pub hit: bool,
    /// The time of the earliest event; missing if no event has a time.
    pub first: Time,
    /// The time of the latest event; missing if no event has a time.
    pub last: Time,
}

impl Default for Sighting {
    fn default() -> Self {
        Self { hit: false, first: Time::MISSING, last: Time::MISSING }
    }
}

impl Sighting {
    /// Adds an event that happened at `time` and was received at `received`.
    pub fn see(&mut self, window: Window, time: Time, received: Time) {
        self.hit |= window.holds(time) || window.holds(received.or(time));
        self.span(time, time);
    }

    fn span(&mut self, first: Time, last: Time) {
        if !first.is_missing() {
            self.first = if self.first.is_missing() { first } else { self.first.min(first) };
        }
        self.last = self.last.max(last);
    }
}

impl std::ops::AddAssign for Sighting {
    fn add_assign(&mut self, other: Self) {
        self.hit = self.hit || other.hit;
        self.span(other.first, other.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_window_has_its_beginning_and_not_its_end() {
        let (first, end) = (time("2025-05-01T00:00:00Z"), time("2025-06-01T00:00:00Z"));
        let just_before = |time: Time| Time::from_raw(time.to_raw() - 1);
        let window = Window::new(Some(first), Some(end)).unwrap();
        assert!(window.holds(first) && window.holds(just_before(end)));
        assert!(!window.holds(just_before(first)) && !window.holds(end));
        assert!(!window.holds(Time::MISSING));
        let until = Window::new(None, Some(end)).unwrap();
        assert!(until.holds(just_before(first)) && !until.holds(Time::MISSING));
        assert!(Window::new(Some(first), None).unwrap().holds(end));
    }

    #[test]
    fn bounds_that_leave_no_time_or_are_none_are_no_window() {
        let day = Some(time("2025-05-01T00:00:00Z"));
        assert_eq!(Window::new(day, day), None);
        assert_eq!(Window::new(None, None), None);
    }

    #[test]
    fn sightings_of_parts_add_up() {
        let (may, june) = (time("2025-05-01T00:00:00Z"), time("2025-06-01T00:00:00Z"));
        let window = Window::new(Some(june), None).unwrap();
        let (mut one, mut other) = (Sighting::default(), Sighting::default());
        one.see(window, may, Time::MISSING);
        one.see(window, Time::MISSING, Time::MISSING);
        assert_eq!(one, Sighting { hit: false, first: may, last: may });
        other.see(window, may, june);
        other.see(window, june, june);
        one += other;
        one += Sighting::default();
        assert_eq!(one, Sighting { hit: true, first: may, last: june });
    }
}
