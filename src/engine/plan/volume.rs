//! Counts of raw signals by minute.

use std::ops::AddAssign;

use crate::engine::counts::sum_up;
use crate::time::{MINUTE_MS, Time};

/// The minimum number of counts added before equal minutes are merged.
const MIN_UNMERGED: usize = 1 << 14;

/// A minute and its count in one integer, which orders by minute. There can be as many of these as
/// raw signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Count(u64);

impl Count {
    const BITS: u32 = 31;
    const MAX: u64 = (1 << Self::BITS) - 1;
    /// Maps the minutes of the years 0 to 9999 to 33 bits.
    const OFFSET: i64 = 1 << 31;

    #[inline]
    #[allow(clippy::cast_sign_loss)] // the offset leaves none
    fn new(minute: i64, count: u64) -> Self {
        Self(((minute + Self::OFFSET) as u64) << Self::BITS | count)
    }

    #[inline]
    #[allow(clippy::cast_possible_wrap)] // 33 bits
    fn minute(self) -> i64 {
        (self.0 >> Self::BITS) as i64 - Self::OFFSET
    }

    #[inline]
    fn count(self) -> u64 {
        self.0 & Self::MAX
    }

    /// Adds `count` if `minute` is equal and the sum fits; returns whether it did.
    #[inline]
    fn try_add(&mut self, minute: i64, count: u64) -> bool {
        let fits = self.minute() == minute && self.count() + count <= Self::MAX;
        self.0 += if fits { count } else { 0 };
        fits
    }
}

/// The number of raw signals that arrived in each minute. Volumes of parts of the input add up to
/// that of the whole.
///
/// Most inputs are in order of time, so that a count is added to the last entry, or appended.
#[derive(Clone, Debug, Default)]
pub struct Volume {
    counts: Vec<Count>,
    /// Counts that do not fit a [`Count`].
    large: Vec<(i64, u64)>,
    /// The length of `counts` after the last merge.
    merged: usize,
    /// Raw signals without a time.
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

    /// Adds `count` raw signals to `minute`, which is that of a valid time.
    #[inline]
    pub fn add(&mut self, minute: i64, count: u64) {
        if count > Count::MAX {
            self.large.push((minute, count));
        } else if count > 0
            && !self.counts.last_mut().is_some_and(|last| last.try_add(minute, count))
        {
            self.push(Count::new(minute, count));
        }
    }

    fn push(&mut self, count: Count) {
        let most = self.merged * 2 + MIN_UNMERGED;
        if self.counts.len() == most {
            self.merge();
        }
        // Reserves for all counts up to the next merge at once.
        self.counts.reserve_exact(most - self.counts.len().min(most));
        self.counts.push(count);
    }

    fn merge(&mut self) {
        // Counts are mostly in order, in one run or a few, which a stable sort merges.
        self.counts.sort();
        self.counts.dedup_by(|next, kept| kept.try_add(next.minute(), next.count()));
        self.merged = self.counts.len();
    }

    /// Returns the minute of `time`, or `None` for a missing time.
    #[inline]
    pub fn minute_of(time: Time) -> Option<i64> {
        time.millis().map(|millis| millis.div_euclid(MINUTE_MS))
    }

    /// Returns each minute with its count, in order of time. Minutes without raw signals are left
    /// out.
    pub fn by_minute(&self) -> Vec<(i64, u64)> {
        let counts = self.counts.iter().map(|count| (count.minute(), count.count()));
        let mut counts: Vec<_> = counts.chain(self.large.iter().copied()).collect();
        sum_up(&mut counts);
        counts
    }

    /// Returns the number of all raw signals.
    pub fn total(&self) -> u64 {
        let large = self.large.iter().map(|&(_, count)| count).sum::<u64>();
        self.counts.iter().map(|count| count.count()).sum::<u64>() + large + self.undated
    }
}

impl AddAssign for Volume {
    fn add_assign(&mut self, other: Self) {
        if self.counts.is_empty() {
            self.counts = other.counts;
        } else {
            self.counts.extend_from_slice(&other.counts);
        }
        self.large.extend(other.large);
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

    #[test]
    fn counts_past_what_one_number_holds() {
        let minute = Volume::minute_of(Time::parse(b"9999-12-31T23:59:59Z").unwrap()).unwrap();
        let first = Volume::minute_of(Time::parse(b"0000-01-01T00:00:00Z").unwrap()).unwrap();
        let mut volume = Volume::default();
        volume.add(minute, 10_000_000_000);
        volume.add(first, 1);
        volume.add(minute, 1);
        volume += volume.clone();
        assert_eq!(volume.by_minute(), [(first, 2), (minute, 20_000_000_002)]);
        assert_eq!(volume.total(), 20_000_000_004);
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
