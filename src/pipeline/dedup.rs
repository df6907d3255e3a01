//! One copy of each event: which of several is kept.

use ahash::RandomState;
use hashbrown::HashTable;

use super::EventRef;
use crate::time::Time;

/// What tells copies apart, in the order that decides: the smallest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// When it was received; a missing time comes first.
    pub received: Time,
    /// Its own time.
    pub time: Time,
    /// Its content, so that not even copies received at once are told by where they stood.
    pub content: u64,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The first of its kind, kept for now.
    Kept,
    /// A copy of one that is kept.
    Duplicate,
    /// Kept, and this one is a duplicate after all.
    Replaces(EventRef),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u128,
    rank: Rank,
    event: EventRef,
}

/// A place in the list of entries, with enough of the hash to grow the table without looking there.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    place: u32,
}

/// The keys seen so far. The hash is seeded anew for each run, so that nobody can choose keys that
/// collide.
#[derive(Debug, Default)]
pub struct Dedup {
    hasher: RandomState,
    table: HashTable<Slot>,
    entries: Vec<Entry>,
}

impl Dedup {
    /// Sees an event; `place_of` tells where in the input an event stands.
    pub fn see<P: Ord>(
        &mut self,
        key: u128,
        rank: Rank,
        event: EventRef,
        place_of: impl Fn(EventRef) -> P,
    ) -> Verdict {
        let Self { hasher, table, entries } = self;
        let hash = hasher.hash_one(key);
        #[allow(clippy::cast_possible_truncation)] // the upper half, which the slots keep
        let upper = (hash >> 32) as u32;
        let spread = |upper: u32| u64::from(upper) << 32 | u64::from(upper);
        let same = |slot: &Slot| slot.hash == upper && entries[slot.place as usize].key == key;
        if let Some(slot) = table.find(spread(upper), same) {
            let entry = &mut entries[slot.place as usize];
            // Copies alike in every way give the same row; the first in the input lends its place.
            let earlier = || place_of(event) < place_of(entry.event);
            if rank > entry.rank || (rank == entry.rank && !earlier()) {
                return Verdict::Duplicate;
            }
            entry.rank = rank;
            return Verdict::Replaces(std::mem::replace(&mut entry.event, event));
        }
        #[allow(clippy::cast_possible_truncation)] // 2^32 entries would take 200 GB
        let place = entries.len() as u32;
        entries.push(Entry { key, rank, event });
        table.insert_unique(spread(upper), Slot { hash: upper, place }, |slot| spread(slot.hash));
        Verdict::Kept
    }

    /// How many different keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(received: i64, time: i64) -> Rank {
        Rank { received: Time::from_raw(received), time: Time::from_raw(time), content: 0 }
    }

    #[test]
    fn the_copy_received_first_is_kept_wherever_it_stood() {
        let mut dedup = Dedup::default();
        let event = |row| EventRef::new(0, row);
        let mut see = |key, rank, row| dedup.see(key, rank, event(row), EventRef::row);
        assert_eq!(see(1, rank(20, 1), 0), Verdict::Kept);
        assert_eq!(see(1, rank(30, 0), 1), Verdict::Duplicate);
        assert_eq!(see(1, rank(10, 9), 2), Verdict::Replaces(event(0)));
        assert_eq!(see(1, rank(10, 8), 4), Verdict::Replaces(event(2)));
        assert_eq!(see(1, rank(10, 8), 5), Verdict::Duplicate);
        assert_eq!(see(1, rank(10, 8), 3), Verdict::Replaces(event(4)));
        assert_eq!(see(2, rank(0, 0), 6), Verdict::Kept);
        let missing = Rank { received: Time::MISSING, ..rank(0, 0) };
        assert_eq!(see(1, missing, 7), Verdict::Replaces(event(3)));
        assert_eq!(dedup.len(), 2);
    }
}
