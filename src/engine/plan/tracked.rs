//! Monthly tracked users, which Segment bills by: the distinct user ids of a month, and the
//! anonymous ids that never came with a user id in it (Segment, "MTUs, Throughput and Billing").

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::identity::ids::NodeId;

/// One bit for each id.
type Bits = Box<[AtomicU64]>;

/// The ids of each period. Any number of threads can add to it at the same time.
#[derive(Debug)]
pub struct TrackedUsers {
    ids: usize,
    periods: Vec<OnceLock<Seen>>,
}

/// The ids of one period.
#[derive(Debug)]
struct Seen {
    all: Bits,
    /// The anonymous ids that came with a user id.
    known: Bits,
}

impl Seen {
    fn new(ids: usize) -> Self {
        let bits = || (0..ids.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { all: bits(), known: bits() }
    }
}

impl TrackedUsers {
    /// Creates an empty set for each of `periods` periods and ids with numbers below `ids`.
    pub fn new(periods: usize, ids: usize) -> Self {
        Self { ids, periods: (0..periods).map(|_| OnceLock::new()).collect() }
    }

    /// Returns the memory that the set takes at most, in bytes.
    pub fn most_bytes(&self) -> usize {
        self.periods.len() * 2 * self.ids.div_ceil(64) * size_of::<AtomicU64>()
    }

    /// Adds the ids of an event in `period`.
    #[inline]
    pub fn see(&self, period: usize, anonymous: Option<NodeId>, user: Option<NodeId>) {
        let Some(period) = self.periods.get(period) else { return };
        let seen = period.get_or_init(|| Seen::new(self.ids));
        for id in [anonymous, user].into_iter().flatten() {
            set(&seen.all, id);
        }
        if let Some(anonymous) = anonymous.filter(|_| user.is_some()) {
            set(&seen.known, anonymous);
        }
    }

    /// Returns the number of tracked users of each period: its ids, except for anonymous ids that
    /// came with a user id.
    pub fn counts(&self) -> Vec<u64> {
        let count = |seen: &Seen| {
            let words = seen.all.iter().zip(&seen.known);
            let counts = words.map(|(all, known)| {
                let tracked = all.load(Ordering::Relaxed) & !known.load(Ordering::Relaxed);
                u64::from(tracked.count_ones())
            });
            counts.sum()
        };
        self.periods.iter().map(|period| period.get().map_or(0, count)).collect()
    }
}

#[inline]
fn set(bits: &[AtomicU64], id: NodeId) {
    let (word, bit) = (&bits[id.index() / 64], 1 << (id.index() % 64));
    // Most bits are set already. A load keeps the cache line shared; a write would not.
    if word.load(Ordering::Relaxed) & bit == 0 {
        word.fetch_or(bit, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::identity::ids::{Ids, Space};
    use ahash::RandomState;

    #[test]
    fn an_anonymous_id_counts_in_months_in_which_no_user_id_was_with_it() {
        let mut ids = Ids::new(RandomState::new());
        let [a, b] = ["a", "b"].map(|id| ids.intern(Space::Anonymous, id));
        let [u, v] = ["u", "v"].map(|id| ids.intern(Space::User, id));
        ids.intern(Space::Email, "e@acme.example");
        let tracked = TrackedUsers::new(3, ids.len());
        tracked.see(0, Some(a), None);
        tracked.see(0, Some(a), Some(u));
        tracked.see(0, Some(b), None);
        tracked.see(0, None, Some(v));
        tracked.see(0, Some(b), None);
        tracked.see(2, Some(a), None);
        tracked.see(9, Some(a), None);
        assert_eq!(tracked.counts(), [3, 0, 1]);
    }
}
