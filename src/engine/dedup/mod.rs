//! Deduplication: decides which of several duplicates of an event is kept.

pub mod partition;
pub mod shards;

use ahash::RandomState;
use hashbrown::HashTable;

use super::EventRef;
use crate::engine::hash_slot::{Slot, spread, upper};
use crate::time::Time;

/// The order among duplicates of an event; the smallest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// The time of receipt; a missing time comes first.
    pub received: Time,
    /// The time of the event.
    pub time: Time,
    /// A hash of the content, so that duplicates received at the same time are ordered by content,
    /// not by position.
    pub content: u64,
}

/// What deduplication decided about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The event is the first with its key, and kept so far.
    Kept,
    /// The event is a duplicate of one that is kept.
    Duplicate,
    /// The event is kept, and replaces the given one, which is a duplicate.
    Replaces(EventRef),
}

/// An event for deduplication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The deduplication key, equal for all duplicates.
    pub key: u128,
    /// The order among duplicates.
    pub rank: Rank,
    /// The event.
    pub event: EventRef,
}

/// The number of entries per allocation. A single list would be copied as a whole when it grows.
const PIECE: usize = 1 << 12;

/// A table of the deduplication keys seen so far. The hash function is seeded randomly for each
/// run, so that keys that collide cannot be constructed.
#[derive(Debug, Default)]
pub struct Dedup {
    hasher: RandomState,
    table: HashTable<Slot>,
    pieces: Vec<Vec<Entry>>,
    len: usize,
}

#[inline]
fn entry(pieces: &[Vec<Entry>], place: u32) -> &Entry {
    &pieces[place as usize / PIECE][place as usize % PIECE]
}

impl Dedup {
    /// Appends the hashes of `keys` to `hashes`, in order. Also looks up their slots, so that the
    /// cache misses of all keys overlap and [`see`](Self::see) has none.
    pub fn hash(&self, keys: impl Iterator<Item = u128>, hashes: &mut Vec<u32>) {
        hashes.extend(keys.map(|key| {
            let hash = upper(self.hasher.hash_one(key));
            std::hint::black_box(self.table.find(spread(hash), |slot| slot.hash == hash));
            hash
        }));
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        self.pieces.len() * PIECE * size_of::<Entry>() + self.table.allocation_size()
    }

    /// Returns whether `more` new keys fit into `budget_bytes`. While the table grows, both the old
    /// and the new one are counted.
    pub fn has_room(&self, more: usize, budget_bytes: usize) -> bool {
        let len = self.len + more;
        let entries = len.div_ceil(PIECE) * PIECE * size_of::<Entry>();
        // At most seven of eight slots are in use, and each has one byte of metadata.
        let grown = (len * 8).div_ceil(7).next_power_of_two() * (size_of::<Slot>() + 1);
        let table = self.table.allocation_size();
        let table = if grown > table { grown + grown / 2 } else { table };
        entries + table <= budget_bytes
    }

    /// Reserves memory for `keys` more keys, as a table that grows is copied.
    pub fn reserve(&mut self, keys: usize) {
        // If the allocation fails, the table grows as needed.
        let _ = self.table.try_reserve(keys, |slot| spread(slot.hash));
    }

    /// Returns the number of entries.
    pub fn entries(&self) -> usize {
        self.len
    }

    /// Returns the entries of all kept events.
    pub fn into_entries(self) -> impl Iterator<Item = Entry> {
        let Self { table, pieces, .. } = self;
        drop(table);
        pieces.into_iter().flatten()
    }

    /// Adds an event, where `hash` is the [hash](Self::hash) of its key. `place_of` returns the
    /// position of an event in the input.
    pub fn see<P: Ord>(
        &mut self,
        Entry { key, rank, event }: Entry,
        hash: u32,
        place_of: impl Fn(EventRef) -> P,
    ) -> Verdict {
        let Self { table, pieces, len, .. } = self;
        let same = |slot: &Slot| slot.hash == hash && entry(pieces, slot.place).key == key;
        if let Some(slot) = table.find(spread(hash), same) {
            let place = slot.place as usize;
            let entry = &mut pieces[place / PIECE][place % PIECE];
            // Duplicates that are equal in every way have equal rows. The first in the input is
            // kept, as it determines the position of the row.
            let earlier = || place_of(event) < place_of(entry.event);
            if rank > entry.rank || (rank == entry.rank && !earlier()) {
                return Verdict::Duplicate;
            }
            entry.rank = rank;
            return Verdict::Replaces(std::mem::replace(&mut entry.event, event));
        }
        #[allow(clippy::cast_possible_truncation)] // 2^32 entries would take 200 GB
        let place = *len as u32;
        if len.is_multiple_of(PIECE) {
            pieces.push(Vec::with_capacity(PIECE));
        }
        if let Some(last) = pieces.last_mut() {
            last.push(Entry { key, rank, event });
        }
        *len += 1;
        table.insert_unique(spread(hash), Slot { hash, place }, |slot| spread(slot.hash));
        Verdict::Kept
    }

    /// Returns the number of distinct keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(received: i64, time: i64) -> Rank {
        Rank { received: Time::from_raw(received), time: Time::from_raw(time), content: 0 }
    }

    #[test]
    fn the_duplicate_received_first_is_kept_at_any_position() {
        let mut dedup = Dedup::default();
        let event = |row| EventRef::new(0, row);
        let mut see = |key, rank, row| {
            let mut hashes = Vec::new();
            dedup.hash(std::iter::once(key), &mut hashes);
            dedup.see(Entry { key, rank, event: event(row) }, hashes[0], EventRef::row)
        };
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
        let mut kept: Vec<_> = dedup.into_entries().map(|entry| (entry.key, entry.event)).collect();
        kept.sort_unstable_by_key(|&(key, _)| key);
        assert_eq!(kept, [(1, event(7)), (2, event(6))]);
    }

    #[test]
    fn the_memory_of_a_table_is_known_before_keys_are_added() {
        let mut dedup = Dedup::default();
        let (mut hashes, mut most) = (Vec::new(), 0);
        for key in 0..100_000_u32 {
            let budget = |dedup: &Dedup| {
                let pieces = dedup.pieces.iter().map(Vec::capacity).sum::<usize>();
                pieces * size_of::<Entry>() + dedup.table.allocation_size()
            };
            let (before, fits) = (budget(&dedup), dedup.has_room(1, 4 << 20));
            hashes.clear();
            dedup.hash(std::iter::once(key.into()), &mut hashes);
            let entry = Entry { key: key.into(), rank: rank(0, 0), event: EventRef::new(0, key) };
            dedup.see(entry, hashes[0], EventRef::row);
            if fits {
                most = most.max(budget(&dedup)).max(before);
            }
        }
        assert!((3 << 20..=4 << 20).contains(&most), "{most}");
    }
}
