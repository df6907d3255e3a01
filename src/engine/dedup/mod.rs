//! Deduplication: which of several copies of an event is kept.

pub mod partition;
pub mod shards;

use ahash::RandomState;
use hashbrown::HashTable;

use super::EventRef;
use crate::engine::hash_slot::{Slot, spread, upper};
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

/// An event, as far as it matters whose copy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Copies have the same.
    pub key: u128,
    /// Tells copies apart.
    pub rank: Rank,
    /// Which event.
    pub event: EventRef,
}

/// Entries in pieces of this many: growing one list would copy all that is there.
const PIECE: usize = 1 << 12;

/// The keys seen so far. The hash is seeded anew for each run, so that nobody can choose keys that
/// collide.
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
    /// Appends to `hashes` those of `keys`, in order. Looks where each of them would stand, so that
    /// [`see`](Self::see) need not wait for memory; apart, the waits overlap.
    pub fn hash(&self, keys: impl Iterator<Item = u128>, hashes: &mut Vec<u32>) {
        hashes.extend(keys.map(|key| {
            let hash = upper(self.hasher.hash_one(key));
            std::hint::black_box(self.table.find(spread(hash), |slot| slot.hash == hash));
            hash
        }));
    }

    /// How many bytes of memory they take.
    pub fn bytes(&self) -> usize {
        self.pieces.len() * PIECE * size_of::<Entry>() + self.table.allocation_size()
    }

    /// Whether `more` new keys fit into `budget_bytes`, and where the table has to grow the old one
    /// beside the new.
    pub fn has_room(&self, more: usize, budget_bytes: usize) -> bool {
        let len = self.len + more;
        let entries = len.div_ceil(PIECE) * PIECE * size_of::<Entry>();
        // Seven of eight slots are in use at most, and each has a byte of the table's own.
        let grown = (len * 8).div_ceil(7).next_power_of_two() * (size_of::<Slot>() + 1);
        let table = self.table.allocation_size();
        let table = if grown > table { grown + grown / 2 } else { table };
        entries + table <= budget_bytes
    }

    /// Makes room for so many keys, for a table that grows is copied.
    pub fn reserve(&mut self, keys: usize) {
        // Where there is no room, it grows as it can.
        let _ = self.table.try_reserve(keys, |slot| spread(slot.hash));
    }

    /// How many entries it holds.
    pub fn entries(&self) -> usize {
        self.len
    }

    /// All entries, each of those that are kept.
    pub fn into_entries(self) -> impl Iterator<Item = Entry> {
        let Self { table, pieces, .. } = self;
        drop(table);
        pieces.into_iter().flatten()
    }

    /// Sees an event of which `hash` is the [hash](Self::hash) of its key; `place_of` tells where
    /// in the input an event stands.
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
            // Copies alike in every way give the same row; the first in the input lends its place.
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

    /// How many different keys there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
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
    fn the_copy_received_first_is_kept_wherever_it_stood() {
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
    fn room_is_told_before_it_is_taken() {
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
