//! Deduplication by many threads: keys are divided into shards by hash, and each shard has its own
//! lock.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ahash::RandomState;

use super::Entry;
use super::partition::{Deduplicator, MIN_PART_BYTES, PART_BITS, Part};
use crate::engine::EventRef;
use crate::engine::exchange::spill::Spill;

/// The number of shards per thread. With several, two threads rarely need the same shard at the
/// same time.
const SHARDS_PER_THREAD: usize = 4;
/// The maximum number of shards, as a power of two. Each is partitioned further on disk.
const MAX_SHARD_BITS: u32 = PART_BITS - 1;

/// A deduplicator divided into shards.
#[derive(Debug)]
pub struct Shards {
    hasher: RandomState,
    all: Box<[Mutex<Deduplicator>]>,
    /// The memory budget of each shard, in bytes.
    budget_of_each: AtomicUsize,
    /// The memory of all shards, in bytes.
    bytes: AtomicUsize,
}

impl Shards {
    /// Creates empty shards for `threads` threads. Together, they keep up to `budget_bytes` in
    /// memory; what does not fit is written to anonymous files in `dir`.
    pub fn new(dir: &Path, budget_bytes: usize, threads: usize) -> Self {
        let shards = if threads == 1 { 1 } else { threads.saturating_mul(SHARDS_PER_THREAD) };
        let bits = shards.next_power_of_two().ilog2().min(MAX_SHARD_BITS);
        let shard_budget = budget_bytes >> bits;
        let spill = Arc::new(Spill::new(dir.to_owned(), 0));
        let shard = |_| Deduplicator::new(Arc::clone(&spill), shard_budget, PART_BITS - bits);
        Self {
            hasher: RandomState::new(),
            all: (0..1 << bits).map(shard).map(Mutex::new).collect(),
            budget_of_each: AtomicUsize::new(shard_budget),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Reserves memory for about `entries` entries, if they fit into the budget.
    pub fn reserve(&self, entries: usize) {
        for shard in &self.all {
            self.with(shard, |shard| shard.reserve(entries / self.all.len()));
        }
    }

    /// Changes the budget of all shards together.
    pub fn set_budget(&self, budget_bytes: usize) {
        self.budget_of_each.store(budget_bytes / self.all.len(), Ordering::Relaxed);
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Adds `entries` of segment `segment`. Returns the events, of these and earlier entries, that
    /// are found to be duplicates, except for those with keys on disk. `place_of` returns the
    /// position of an event in the input.
    ///
    /// # Errors
    /// Returns an error if entries cannot be written to disk.
    pub fn losers<P: Ord>(
        &self,
        entries: &[Entry],
        segment: usize,
        place_of: impl Fn(EventRef) -> P,
    ) -> io::Result<Vec<EventRef>> {
        let by_shard = ByShard::new(entries, self.all.len(), |entry| self.shard_of(entry));
        let mut losers = Vec::new();
        // Each segment begins with a different shard, so that threads do not all wait for the first
        // one.
        for number in (0..self.all.len()).map(|number| (number + segment) % self.all.len()) {
            let of_shard = by_shard.of_shard(number).map(|at| entries[at as usize]);
            self.with(&self.all[number], |shard| shard.pass(of_shard, &place_of, &mut losers))?;
        }
        Ok(losers)
    }

    /// Writes the entries of all shards to disk.
    ///
    /// # Errors
    /// Returns an error if entries cannot be written.
    pub fn spill(&self) -> io::Result<()> {
        self.all.iter().try_for_each(|shard| self.with(shard, Deduplicator::spill))
    }

    /// Returns the partitions on disk, and how many of them `threads` threads can process at the
    /// same time within the budget.
    pub fn into_parts(self, threads: usize) -> (Vec<Part>, usize) {
        let budget_bytes = self.budget_of_each.into_inner() * self.all.len();
        let at_once = threads.min(budget_bytes / MIN_PART_BYTES).max(1);
        let part_bytes = (budget_bytes / at_once).max(MIN_PART_BYTES);
        let shards = self.all.into_iter();
        let shards = shards.map(|shard| shard.into_inner().unwrap_or_else(PoisonError::into_inner));
        (shards.flat_map(|shard| shard.into_parts(part_bytes)).collect(), at_once)
    }

    #[allow(clippy::cast_possible_truncation)] // there are few shards
    fn shard_of(&self, entry: &Entry) -> usize {
        self.hasher.hash_one(entry.key) as usize & (self.all.len() - 1)
    }

    /// Calls `use_it` with the shard, and updates the memory of all shards.
    fn with<T>(
        &self,
        shard: &Mutex<Deduplicator>,
        use_it: impl FnOnce(&mut Deduplicator) -> T,
    ) -> T {
        let mut shard: MutexGuard<'_, _> = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.set_budget(self.budget_of_each.load(Ordering::Relaxed));
        let before = shard.bytes();
        let result = use_it(&mut shard);
        // Wraps around if the shard became smaller.
        self.bytes.fetch_add(shard.bytes().wrapping_sub(before), Ordering::Relaxed);
        result
    }
}

/// The indexes of entries, grouped by shard.
struct ByShard {
    indices: Vec<u32>,
    /// The end of the indexes of each shard in `indices`.
    ends: Vec<u32>,
}

impl ByShard {
    #[allow(clippy::cast_possible_truncation)] // the entries are those of a block
    fn new(entries: &[Entry], shards: usize, shard_of: impl Fn(&Entry) -> usize) -> Self {
        let of_each: Vec<u8> = entries.iter().map(|entry| shard_of(entry) as u8).collect();
        let mut ends = vec![0_u32; shards];
        for &shard in &of_each {
            ends[shard as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            // The start of the shard, which becomes its end as each index is added.
            (*end, sum) = (sum, sum + *end);
        }
        let mut indices = vec![0; entries.len()];
        for (index, &shard) in (0..).zip(&of_each) {
            let end = &mut ends[shard as usize];
            indices[*end as usize] = index;
            *end += 1;
        }
        Self { indices, ends }
    }

    fn of_shard(&self, shard: usize) -> impl Iterator<Item = u32> + Clone + '_ {
        let start = shard.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.indices[start as usize..self.ends[shard] as usize].iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::dedup::Rank;
    use crate::time::Time;

    fn entry(key: u128, received: i64, event: EventRef) -> Entry {
        let rank = Rank { received: Time::from_raw(received), time: Time::MISSING, content: 0 };
        Entry { key, rank, event }
    }

    /// Adds each of `batches` from its own thread, and returns all duplicates in order.
    fn losers(shards: Shards, batches: &[Vec<Entry>]) -> Vec<EventRef> {
        let shared = &shards;
        let mut losers: Vec<EventRef> = std::thread::scope(|scope| {
            let add = |(segment, batch): (usize, &'_ Vec<Entry>)| {
                let batch = batch.clone();
                scope.spawn(move || shared.losers(&batch, segment, EventRef::to_raw).unwrap())
            };
            let threads: Vec<_> = batches.iter().enumerate().map(add).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let (parts, _) = shards.into_parts(2);
        losers.extend(parts.into_iter().flat_map(|part| part.losers(&EventRef::to_raw).unwrap()));
        losers.sort_unstable_by_key(|event| event.to_raw());
        losers
    }

    #[test]
    fn duplicates_are_the_same_on_any_number_of_threads_in_memory_and_on_disk() {
        let batch = |segment: usize| {
            let of_row = |row: u32| {
                let received = i64::from(row) * 7 % 5 - i64::try_from(segment).unwrap();
                entry(u128::from(row % 700), received, EventRef::new(segment, row))
            };
            (0..1000).map(of_row).collect()
        };
        let batches: Vec<Vec<Entry>> = (0..6).map(batch).collect();
        let dir = tempfile::tempdir().unwrap();
        let alone = losers(Shards::new(dir.path(), 64 << 20, 1), &batches);
        assert_eq!(alone.len(), 6000 - 700);
        for (threads, bytes) in [(1, 0), (2, 64 << 20), (2, 0), (64, 64 << 20), (64, 1 << 20)] {
            let found = losers(Shards::new(dir.path(), bytes, threads), &batches);
            assert_eq!(found, alone, "{threads} threads, {bytes} bytes");
        }
    }

    #[test]
    fn memory_is_counted_when_it_grows_and_when_it_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let shards = Shards::new(dir.path(), 256 << 20, 4);
        let entries: Vec<_> =
            (0..20_000).map(|row| entry(u128::from(row), 0, EventRef::new(0, row))).collect();
        assert!(shards.losers(&entries, 0, EventRef::to_raw).unwrap().is_empty());
        let counted = |shards: &Shards| -> usize {
            shards.all.iter().map(|shard| shard.lock().unwrap().bytes()).sum()
        };
        let in_memory = shards.bytes();
        assert_eq!(in_memory, counted(&shards));
        shards.set_budget(0);
        shards.spill().unwrap();
        assert_eq!(shards.bytes(), counted(&shards));
        assert!(shards.bytes() < in_memory);
    }

    #[test]
    fn memory_is_shared_by_no_more_threads_than_it_suffices_for() {
        let dir = tempfile::tempdir().unwrap();
        let at_once = |bytes| Shards::new(dir.path(), bytes, 8).into_parts(8).1;
        assert_eq!([0, 3 * MIN_PART_BYTES, 1 << 30].map(at_once), [1, 3, 8]);
    }
}
