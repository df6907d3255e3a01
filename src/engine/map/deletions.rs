//! The deletion requests of the input.
//!
//! A request covers the events of its user up to the time of the request; the latest request of a
//! user counts. `engine::ingest::forget` removes the covered events once all input is read.

use std::ops::AddAssign;

use ahash::AHashMap;

use crate::parse::deletion::Deletion;
use crate::time::Time;

/// The time up to which the events of a user are covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// Covers events up to this time, and events without a time.
    Time(Time),
    /// Covers all events: the request has no time.
    Always,
}

impl Until {
    /// Returns whether an event at `time` is covered.
    pub fn covers(self, time: Time) -> bool {
        Self::Time(time) <= self
    }
}

/// Deletion requests by user.
#[derive(Debug, Default)]
pub struct Deletions {
    /// The number of requests.
    pub calls: u64,
    by_user: AHashMap<Box<str>, Until>,
}

impl Deletions {
    /// Adds a request.
    pub fn see(&mut self, deletion: Deletion<'_>) {
        self.calls += 1;
        let Some(id) = deletion.user_id else { return };
        let at = deletion.asked_at;
        let until = if at.is_missing() { Until::Always } else { Until::Time(at) };
        let mut scratch = Vec::new();
        self.extend(id.text(&mut scratch).into(), until);
    }

    /// Adds a request of `user` from a row that was mapped elsewhere.
    pub(in crate::engine) fn add(&mut self, user: &str, until: Until) {
        self.calls += 1;
        self.extend(user.into(), until);
    }

    fn extend(&mut self, user: Box<str>, until: Until) {
        let latest = self.by_user.entry(user).or_insert(until);
        *latest = until.max(*latest);
    }

    /// Returns the number of distinct users with a request.
    pub fn users(&self) -> u64 {
        self.by_user.len() as u64
    }

    /// Returns each user id with the time up to which it is covered, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Until)> {
        self.by_user.iter().map(|(user, until)| (&**user, *until))
    }
}

impl AddAssign for Deletions {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        for (user, until) in other.by_user {
            self.extend(user, until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::id::Id;

    #[test]
    fn the_latest_request_of_a_user_counts() {
        let time = |millis| Time::from_millis(millis).unwrap();
        let request = |user, asked_at| Deletion { user_id: Some(Id::Text(user)), asked_at };
        let (mut one, mut other) = (Deletions::default(), Deletions::default());
        one.see(request("u", time(5)));
        one.see(request("v", time(1)));
        other.see(request("u", time(3)));
        other.see(request("v", Time::MISSING));
        one += other;
        assert_eq!((one.calls, one.users()), (4, 2));
        let mut found: Vec<_> = one.iter().collect();
        found.sort_unstable();
        assert_eq!(found, [("u", Until::Time(time(5))), ("v", Until::Always)]);
        let covered = [Time::MISSING, time(5), time(6)].map(|time| found[0].1.covers(time));
        assert_eq!(covered, [true, true, false]);
        assert!(Until::Always.covers(time(6)));
    }
}
