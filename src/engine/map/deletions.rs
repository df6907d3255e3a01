//! The deletion requests of an input.
//!
//! A request covers what its user did up to the time at which it was made; of several requests of
//! one user the latest counts. What it covers is decided once all is read
//! (`engine::ingest::forget`).

use std::ops::AddAssign;

use ahash::AHashMap;

use crate::parse::deletion::Deletion;
use crate::time::Time;

/// Up to when the events of a user are covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// Up to a time, and those without a time.
    Time(Time),
    /// All of them: the request has no time.
    Always,
}

impl Until {
    /// Whether an event at `time` is covered.
    pub fn covers(self, time: Time) -> bool {
        Self::Time(time) <= self
    }
}

/// The requests, by user.
#[derive(Debug, Default)]
pub struct Deletions {
    /// How many requests there are.
    pub calls: u64,
    by_user: AHashMap<Box<str>, Until>,
}

impl Deletions {
    /// Counts a request.
    pub fn see(&mut self, deletion: Deletion<'_>) {
        self.calls += 1;
        let Some(id) = deletion.user_id else { return };
        let at = deletion.asked_at;
        let until = if at.is_missing() { Until::Always } else { Until::Time(at) };
        let mut scratch = Vec::new();
        self.extend(id.text(&mut scratch).into(), until);
    }

    /// Adds a request of `user` that was counted elsewhere.
    pub(in crate::engine) fn add(&mut self, user: &str, until: Until) {
        self.calls += 1;
        self.extend(user.into(), until);
    }

    fn extend(&mut self, user: Box<str>, until: Until) {
        let latest = self.by_user.entry(user).or_insert(until);
        *latest = until.max(*latest);
    }

    /// How many users they name.
    pub fn users(&self) -> u64 {
        self.by_user.len() as u64
    }

    /// Each user id that they name, in no order, and up to when they cover it.
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
