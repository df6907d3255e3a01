//! Counts of raw signals by the minute.

use std::ops::AddAssign;

use crate::time::{MINUTE_MS, Time};

/// So many counts are gathered before those of one minute are put together again.
const GATHERED: usize = 1 << 14;

/// How many raw signals arrived in each minute. Volumes of parts of the input add up to the
/// volume of the whole.
///
/// Most inputs come in order of time, so that a count is added to the last one or stands behind it.
#[derive(Clone, Debug, Default)]
pub struct Volume {
    /// Minutes since 1970-01-01T00:00:00Z and their counts.
    counts: Vec<(i64, u64)>,
    /// So many of them came of putting together the last time.
    merged: usize,
    /// Raw signals without any time.
    pub undated: u64,
}

impl Volume {
    /// Counts one raw signal that arrived at `time`.
    #[inline]
    pub fn count(&mut self, time: Time) {
        match Self::minute_of(time) {
            Some(minute) => self.add(minute, 1),
            None => self.undated += 1,
        }
    }

    /// Adds `count` raw signals to `minute`.
    #[inline]
    pub fn add(&mut self, minute: i64, count: u64) {
        match self.counts.last_mut() {
            Some((last, sum)) if *last == minute => *sum += count,
            _ if count == 0 => {}
            _ => {
                let most = self.merged * 2 + GATHERED;
                if self.counts.len() == most {
                    self.merge();
                }
                // All at once, so that between two merges nothing is allocated.
                self.counts.reserve_exact(most - self.counts.len().min(most));
                self.counts.push((minute, count));
            }
        }
    }

    fn merge(&mut self) {
        self.counts.sort_unstable_by_key(|&(minute, _)| minute);
        self.counts.dedup_by(|(minute, count), (kept, sum)| {
            let same = minute == kept;
            *sum += if same { *count } else { 0 };
            same
        });
        self.merged = self.counts.len();
    }

    /// The minute that `time` is in; `None` of a missing time.
    #[inline]
    pub fn minute_of(time: Time) -> Option<i64> {
        time.millis().map(|millis| millis.div_euclid(MINUTE_MS))
    }

    /// The count of each minute that had any, in order.
    pub fn by_minute(&self) -> Vec<(i64, u64)> {
        let mut volume = self.clone();
        volume.merge();
        volume.counts
    }

    /// All raw signals.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum::<u64>() + self.undated
    }
}

impl AddAssign for Volume {
    fn add_assign(&mut self, mut other: Self) {
        self.counts.append(&mut other.counts);
        self.undated += other.undated;
        self.merge();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn counts_by_the_minute_also_before_1970() {
        let mut volume = Volume::default();
        for text in ["1970-01-01T00:00:59.999Z", "1970-01-01T00:01:00Z", "1969-12-31T23:59:59.999Z"]
        {
            volume.count(Time::parse(text.as_bytes()).unwrap());
        }
        volume.count(Time::MISSING);
        assert_eq!((volume.by_minute(), volume.undated), (vec![(-1, 1), (0, 1), (1, 1)], 1));
        assert_eq!(volume.total(), 4);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(
            parts in prop::collection::vec(prop::collection::vec((-3..9_i64, 0..3_u64), 0..40), 1..4),
            repeated in 1..2_000_usize,
        ) {
            let mut whole = BTreeMap::new();
            let mut sum = Volume::default();
            for part in &parts {
                let mut volume = Volume::default();
                for &(minute, count) in part.iter().cycle().take(part.len() * repeated) {
                    volume.add(minute, count);
                    *whole.entry(minute).or_insert(0) += count;
                }
                sum += volume;
            }
            whole.retain(|_, &mut count| count > 0);
            prop_assert_eq!(sum.total(), whole.values().sum::<u64>());
            prop_assert_eq!(sum.by_minute(), whole.into_iter().collect::<Vec<_>>());
        }
    }
}
