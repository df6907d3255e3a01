//! The committer: collects the batches of all workers, finds duplicates, numbers ids, and stores
//! facts and rows.
//!
//! Batches are committed concurrently and in any order. The order does not change the result: which
//! duplicate is kept depends on the contents of events, or for events that are equal in every way,
//! on their positions in the input.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use ahash::{AHashSet, RandomState};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::epochs::Epochs;
use super::forget::Forgotten;
use super::profile::{Disagreement, Profile};
use crate::engine::EventRef;
use crate::engine::dedup::Entry;
use crate::engine::dedup::partition::Part;
use crate::engine::dedup::shards::Shards;
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::exchange::store::{Segment, Store, StoredBatch};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::facts::Facts;
use crate::engine::identity::ids::{Ids, NodeId};
use crate::engine::identity::timeline::Link;
use crate::engine::map::batch::{Batch, EventKeys, Place};
use crate::engine::map::deletions::Deletions;
use crate::engine::watch::Watch;
use crate::error::Error;

/// The maximum number of events for which memory is reserved in advance.
const MAX_EXPECTED: usize = 1 << 24;
/// The memory of the second phase for each id, in bytes.
const LISTED_ID_BYTES: usize = 40;
/// The inverse of the share of table memory for comparing message ids with contents.
const PROFILE_SHARE: usize = 8;
/// The expected length of an event in the input, in bytes.
const EVENT_BYTES: u64 = 1024;

/// Estimates the number of events in an input of `bytes` bytes. Compressed inputs have more.
pub fn expected_events(bytes: Option<u64>) -> usize {
    usize::try_from(bytes.unwrap_or(0) / EVENT_BYTES).unwrap_or(usize::MAX).min(MAX_EXPECTED)
}

/// The result of the first phase.
#[derive(Debug)]
pub struct Committed {
    /// All ids of the input.
    pub ids: AllIds,
    /// The facts of all kept events. Events are numbered as [`EventRef`]s, with segments in commit
    /// order.
    pub facts: Facts,
    /// The rows and rejects.
    pub store: Store,
    /// The number of duplicates.
    pub duplicates: u64,
    /// The counts of message ids and contents that do not agree; 0 unless they are profiled.
    pub profile: Disagreement,
    /// The memory and disk space for the second phase.
    pub scratch: Scratch,
}

/// Combines the batches of all workers, which commit concurrently.
///
/// Locks on what batches share are held only briefly: known ids are looked up by all threads at the
/// same time, and deduplication keys are divided into shards with separate locks.
#[derive(Debug)]
pub struct Committer {
    threads: usize,
    /// The previous epochs, on disk. Locked for reading while a batch is committed, so that the
    /// current epoch does not end in the meantime.
    epochs: RwLock<Epochs>,
    /// The ids of the current epoch.
    ids: RwLock<Ids>,
    /// The facts of the current epoch, including those of events that later turn out to be
    /// duplicates.
    facts: Mutex<Vec<Fact>>,
    /// The committed batches, in commit order.
    segments: Mutex<Vec<Segment>>,
    duplicates: AtomicU64,
    profile: Mutex<Profile>,
    deduplicators: Shards,
    spill: Arc<Spill>,
    scratch: Scratch,
}

impl Committer {
    /// Creates a committer without batches for `threads` threads, with memory reserved for about
    /// `expected` events. `hasher` is the hash function of the ids of batches. Rows are stored in
    /// `spill`, and deduplication keys, ids and facts as `scratch` says.
    pub fn new(
        hasher: RandomState,
        spill: Arc<Spill>,
        scratch: Scratch,
        expected: usize,
        threads: usize,
    ) -> Self {
        let deduplicators = Shards::new(&scratch.dir, scratch.table_bytes, threads);
        deduplicators.reserve(expected);
        let profile = Profile::new(scratch.dir.clone(), scratch.table_bytes / PROFILE_SHARE);
        let mut facts = Vec::new();
        // Unused memory is never touched. If the allocation fails, the list grows as needed.
        let _ = facts.try_reserve_exact(expected / 2);
        let mut ids = Ids::new(hasher);
        ids.reserve(expected / 4);
        Self {
            threads,
            epochs: RwLock::new(Epochs::new(scratch.dir.clone(), scratch.table_bytes)),
            ids: RwLock::new(ids),
            facts: Mutex::new(facts),
            segments: Mutex::default(),
            duplicates: AtomicU64::new(0),
            profile: Mutex::new(profile),
            deduplicators,
            spill,
            scratch,
        }
    }

    /// Commits `batch`, whose rows and rejects are `stored`. Returns the number of its segment, in
    /// commit order.
    ///
    /// # Errors
    /// Returns an error if ids, keys or an epoch cannot be spilled.
    pub fn commit(&self, batch: &Batch, stored: StoredBatch) -> io::Result<usize> {
        let epochs = self.make_room(batch)?;
        let numbers = self.number(&batch.ids);
        let raw: Vec<[u8; 4]> = numbers.iter().map(|id| id.to_raw().to_le_bytes()).collect();
        let segment = Segment {
            place: batch.place,
            lines: batch.lines,
            dead: Vec::new(),
            forgotten: Vec::new(),
            revoked: false,
            epoch: epochs.len(),
            ids: self.spill.keep(&[raw.as_flattened()])?,
            stored,
        };
        let segment = {
            let mut segments = lock(&self.segments);
            segments.push(segment);
            segments.len() - 1
        };
        let dropped = self.drop_duplicates(batch, segment)?;
        let kept = batch.facts.iter().filter(|fact| !dropped.contains(&fact.row));
        let kept: Vec<Fact> = kept
            .map(|fact| Fact {
                key: batch.events[fact.row as usize].key,
                source: numbers[fact.source.index()],
                target: numbers[fact.target.index()],
                event: EventRef::new(segment, fact.row).to_raw(),
            })
            .collect();
        lock(&self.facts).extend_from_slice(&kept);
        if !batch.profiles.is_empty() {
            let mut profile = lock(&self.profile);
            for &(message, content) in &batch.profiles {
                profile.see(message, content)?;
            }
        }
        Ok(segment)
    }

    /// Frees memory for what `batch` adds. Deduplication keys are moved to disk first, since they
    /// take the most memory and are read only once more; after that, the epoch ends. Returns the
    /// lock that keeps the current epoch open.
    fn make_room(&self, batch: &Batch) -> io::Result<RwLockReadGuard<'_, Epochs>> {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        if self.has_room(batch) {
            return Ok(epochs);
        }
        drop(epochs);
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        if !self.has_room(batch) {
            self.deduplicators.spill()?;
            if !self.has_room(batch) {
                self.end_epoch(&mut epochs)?;
            }
        }
        drop(epochs);
        Ok(self.epochs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets the budget of the deduplicators to what remains after the ids and facts of the epoch if
    /// each thread commits a batch like this one. Returns `false` if more is in use already.
    fn has_room(&self, batch: &Batch) -> bool {
        let (more_ids, more_facts) =
            (batch.ids.len() * self.threads, batch.facts.len() * self.threads);
        let id_bytes = {
            let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
            // Before an id is written, sorting and ranking it takes 20 more bytes.
            let sort_bytes = (ids.len() + more_ids) * 20;
            ids.bytes_with(more_ids, batch.ids.texts().len() * self.threads) + sort_bytes
        };
        let facts = {
            let facts = lock(&self.facts);
            let len = facts.len() + more_facts;
            if len <= facts.capacity() { len } else { len + facts.len() }
        };
        let bytes = id_bytes + facts * size_of::<Fact>();
        self.deduplicators.set_budget(self.scratch.table_bytes.saturating_sub(bytes));
        bytes + self.deduplicators.bytes() <= self.scratch.table_bytes
    }

    /// Writes the ids and facts of the epoch to disk, and begins the next one, unless there are no
    /// ids.
    fn end_epoch(&self, epochs: &mut Epochs) -> io::Result<()> {
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        let mut facts = lock(&self.facts);
        if !ids.is_empty() {
            epochs.end(&ids, &mut facts)?;
            ids.clear();
            facts.clear();
        }
        Ok(())
    }

    /// Returns the numbers of `ids`, which are those of a batch.
    fn number(&self, ids: &Ids) -> Vec<NodeId> {
        let mut numbers = Vec::with_capacity(ids.len());
        let known = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        let is_complete = known.look_up(ids, &mut numbers);
        drop(known);
        if !is_complete {
            self.ids.write().unwrap_or_else(PoisonError::into_inner).add(ids, &mut numbers);
        }
        numbers
    }

    /// Marks the duplicates found by adding the events of `batch`, which is `segment`. Returns
    /// those of its rows that are duplicates.
    fn drop_duplicates(&self, batch: &Batch, segment: usize) -> io::Result<AHashSet<u32>> {
        let place_of = |event| place_of(&lock(&self.segments), event);
        let entry = |(row, keys): (u32, &EventKeys)| {
            let event = EventRef::new(segment, row);
            keys.dedup.map(|key| Entry { key, rank: keys.rank, event })
        };
        let entries: Vec<Entry> = (0..).zip(&batch.events).filter_map(entry).collect();
        let losers = self.deduplicators.losers(&entries, segment, place_of)?;
        let mut dropped = AHashSet::new();
        if losers.is_empty() {
            return Ok(dropped);
        }
        self.duplicates.fetch_add(losers.len() as u64, Ordering::Relaxed);
        let mut segments = lock(&self.segments);
        for loser in losers {
            let of_loser = &mut segments[loser.segment()];
            of_loser.dead.push(loser.row());
            if loser.segment() == segment {
                dropped.insert(loser.row());
            } else {
                of_loser.revoked = true;
            }
        }
        Ok(dropped)
    }

    /// Ends the first phase after the last batch: finds duplicates among keys on disk, removes the
    /// facts of duplicates, applies `deletions`, and puts the segments in order.
    ///
    /// # Errors
    /// Returns an error if the job was cancelled, or if spilled data cannot be read or written
    /// again.
    pub fn finish(
        self,
        deletions: &Deletions,
        pool: &ThreadPool,
        watch: &dyn Watch,
    ) -> Result<Committed, Error> {
        let Self { epochs, ids, facts, segments, duplicates, profile, deduplicators, .. } = self;
        let (spill, scratch) = (self.spill, self.scratch);
        let mut epochs = epochs.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut ids = ids.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (mut facts, mut segments) = (into_inner(facts), into_inner(segments));
        let exceeds_memory = second_phase_bytes(&ids, &facts) > scratch.table_bytes;
        if (exceeds_memory || !epochs.is_empty()) && !ids.is_empty() {
            epochs.end(&ids, &mut facts).map_err(Error::Spill)?;
            ids = Ids::new(RandomState::new());
            facts = Vec::new();
        }
        let taken = ids.bytes() + facts.len() * size_of::<Fact>();
        deduplicators.set_budget(scratch.table_bytes.saturating_sub(taken));
        let late = drop_late_duplicates(deduplicators, &mut segments, pool, watch)?;
        for segment in &mut segments {
            segment.dead.sort_unstable();
        }
        let (ids, mut facts) = if epochs.is_empty() {
            (AllIds::Memory(ids), Facts::Memory(without_revoked(facts, &segments)))
        } else {
            epochs.merge(&mut segments, &spill, pool, watch)?
        };
        if deletions.calls > 0 {
            let forgotten = Forgotten::new(deletions, &ids, &facts).map_err(Error::Spill)?;
            forgotten.find_rows(&mut segments, &spill, pool, watch)?;
            facts = forgotten.take_back(facts, &segments).map_err(Error::Spill)?;
        }
        let store = Store::new(segments, spill);
        let duplicates = duplicates.into_inner() + late;
        let profile = into_inner(profile).finish().map_err(Error::Spill)?;
        Ok(Committed { ids, facts, store, duplicates, profile, scratch })
    }
}

/// Returns the memory of `ids` and `facts` in the second phase, which also needs an entry for each id
/// and a link for each fact.
fn second_phase_bytes(ids: &Ids, facts: &[Fact]) -> usize {
    let fact_bytes = size_of::<Fact>() + size_of::<Link>();
    ids.bytes() + ids.len() * LISTED_ID_BYTES + facts.len() * fact_bytes
}

/// Marks the duplicates among keys on disk; returns how many there are. Several partitions are
/// processed at the same time.
fn drop_late_duplicates(
    deduplicators: Shards,
    segments: &mut [Segment],
    pool: &ThreadPool,
    watch: &dyn Watch,
) -> Result<u64, Error> {
    let (parts, at_once) = deduplicators.into_parts(pool.current_num_threads());
    let mut parts = parts.into_iter();
    let mut duplicates = 0;
    while parts.len() > 0 {
        if watch.stopped() {
            return Err(Error::Interrupted);
        }
        let some: Vec<_> = parts.by_ref().take(at_once).collect();
        let losers: io::Result<Vec<_>> = pool.install(|| {
            let find = |part: Part| part.losers(&|event| place_of(segments, event));
            some.into_par_iter().map(find).collect()
        });
        for loser in losers.map_err(Error::Spill)?.into_iter().flatten() {
            duplicates += 1;
            let segment = &mut segments[loser.segment()];
            segment.dead.push(loser.row());
            segment.revoked = true;
        }
    }
    Ok(duplicates)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the facts of events that turned out to be duplicates after their facts were stored.
fn without_revoked(mut facts: Vec<Fact>, segments: &[Segment]) -> Vec<Fact> {
    if segments.iter().any(|segment| segment.revoked) {
        facts.retain(|fact| {
            let event = EventRef::from_raw(fact.event);
            let segment = &segments[event.segment()];
            !segment.revoked || segment.dead.binary_search(&event.row()).is_err()
        });
    }
    facts
}

/// Returns the position of `event` in the input.
fn place_of(segments: &[Segment], event: EventRef) -> (Place, u32) {
    (segments[event.segment()].place, event.row())
}
