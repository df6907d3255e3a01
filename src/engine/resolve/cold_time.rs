//! The time from a rehydrated signal to the identification of its visitor.

use std::ops::AddAssign;

use crate::time::{DAY_MS, MINUTE_MS, Time};

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The lower bounds, in milliseconds, of the ranges of durations; each range ends at the next
/// bound.
pub const COLD_FROM_MS: [i64; 8] =
    [0, 5 * MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS, 365 * DAY_MS];

/// Rehydrated signals by the time for which they were cold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColdTimes {
    /// Signals by range of [`COLD_FROM_MS`].
    pub counts: [u64; COLD_FROM_MS.len()],
    /// Signals without a time.
    pub undated: u64,
}

impl ColdTimes {
    /// Counts a signal at `time`, whose visitor was identified later, at `tied`.
    #[inline]
    pub fn count(&mut self, time: Time, tied: Time) {
        match (time.millis(), tied.millis()) {
            (Some(time), Some(tied)) => {
                let range = COLD_FROM_MS.partition_point(|&from| from <= tied - time);
                self.counts[range.saturating_sub(1)] += 1;
            }
            _ => self.undated += 1,
        }
    }
}

impl AddAssign for ColdTimes {
    fn add_assign(&mut self, other: Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            *sum += count;
        }
        self.undated += other.undated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_range_that_it_begins() {
        let mut times = ColdTimes::default();
        let at = |millis| Time::from_millis(millis).unwrap();
        for cold_ms in
            [1, 5 * MINUTE_MS - 1, 5 * MINUTE_MS, 30 * DAY_MS, 400 * DAY_MS, 9_999 * DAY_MS]
        {
            times.count(at(1_000), at(1_000 + cold_ms));
        }
        times.count(Time::MISSING, at(0));
        assert_eq!((times.counts, times.undated), ([2, 1, 0, 0, 0, 1, 0, 2], 1));
        times += times;
        assert_eq!((times.counts, times.undated), ([4, 2, 0, 0, 0, 2, 0, 4], 2));
    }
}
