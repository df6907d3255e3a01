//! Counts of raw signals by the minute.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::time::{MINUTE_MS, Time};

/// How many raw signals arrived in each minute. Volumes of parts of the input add up to the
/// volume of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// The count of each minute that had any, by minutes since 1970-01-01T00:00:00Z.
    pub by_minute: BTreeMap<i64, u64>,
    /// Raw signals without any time.
    pub undated: u64,
}

impl Volume {
    /// Counts one raw signal that arrived at `time`.
    pub fn count(&mut self, time: Time) {
        match Self::minute_of(time) {
            Some(minute) => self.add(minute, 1),
            None => self.undated += 1,
        }
    }

    /// Adds `count` raw signals to `minute`.
    pub fn add(&mut self, minute: i64, count: u64) {
        if count > 0 {
            *self.by_minute.entry(minute).or_default() += count;
        }
    }

    /// The minute that `time` is in; `None` of a missing time.
    pub fn minute_of(time: Time) -> Option<i64> {
        time.millis().map(|millis| millis.div_euclid(MINUTE_MS))
    }

    /// All raw signals.
    pub fn total(&self) -> u64 {
        self.by_minute.values().sum::<u64>() + self.undated
    }
}

impl AddAssign<&Self> for Volume {
    fn add_assign(&mut self, other: &Self) {
        for (&minute, &count) in &other.by_minute {
            self.add(minute, count);
        }
        self.undated += other.undated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_the_minute_also_before_1970() {
        let mut volume = Volume::default();
        for text in ["1970-01-01T00:00:59.999Z", "1970-01-01T00:01:00Z", "1969-12-31T23:59:59.999Z"]
        {
            volume.count(Time::parse(text.as_bytes()).unwrap());
        }
        volume.count(Time::MISSING);
        let counts: Vec<_> = volume.by_minute.iter().map(|(&at, &count)| (at, count)).collect();
        assert_eq!((counts, volume.undated), (vec![(-1, 1), (0, 1), (1, 1)], 1));
        assert_eq!(volume.total(), 4);
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut left = Volume { by_minute: [(1, 2), (3, 4)].into(), undated: 1 };
        left += &Volume { by_minute: [(0, 1), (3, 1)].into(), undated: 2 };
        assert_eq!(left, Volume { by_minute: [(0, 1), (1, 2), (3, 5)].into(), undated: 3 });
    }
}
