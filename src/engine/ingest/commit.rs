//! The committer: takes the batches of all workers, detects duplicates, numbers ids, and keeps facts
//! and rows.
//!
//! Batches are committed in any order, and side by side. The order does not change the result: duplicates
//! are chosen by what the events say and, if they are alike in every way, by their place in the input.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use ahash::{AHashMap, AHashSet, RandomState};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::epochs::Epochs;
use super::forget::Forgotten;
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

/// Room is made beforehand for no more events than this.
const MOST_EXPECTED: usize = 1 << 24;
/// What the second phase lists of each id.
const LISTED_ID_BYTES: usize = 40;
/// What a usual event takes in an input.
const EVENT_BYTES: u64 = 1024;

/// About how many events an input of so many bytes has; compressed ones have more.
pub fn expected_events(bytes: Option<u64>) -> usize {
    usize::try_from(bytes.unwrap_or(0) / EVENT_BYTES).unwrap_or(usize::MAX).min(MOST_EXPECTED)
}

/// What the first phase leaves to the second.
#[derive(Debug)]
pub struct Committed {
    /// Every id of the run.
    pub ids: AllIds,
    /// Every fact of an event that is kept; events are numbered as [`EventRef`]s, whose segments are in
    /// the order of commit.
    pub facts: Facts,
    /// The rows and rejects.
    pub store: Store,
    /// How many events were duplicates.
    pub duplicates: u64,
    /// How often message ids and contents do not agree, where that was asked for.
    pub profile: Profile,
    /// Where what does not fit into memory may wait.
    pub scratch: Scratch,
}

/// Collects the batches of all workers, which commit side by side.
///
/// What a batch shares with others is behind locks that are held for short: ids that are known already are
/// looked up by all at once, keys are divided into shards, each with a lock of its own.
#[derive(Debug)]
pub struct Committer {
    threads: usize,
    /// The epochs that ended, on disk. Locked for reading while a batch is committed, so that the current
    /// epoch does not end meanwhile.
    epochs: RwLock<Epochs>,
    /// The ids of the current epoch.
    ids: RwLock<Ids>,
    /// The facts of the current epoch, those of duplicates included.
    facts: Mutex<Vec<Fact>>,
    /// One segment for each batch, in the order of commit.
    segments: Mutex<Vec<Segment>>,
    duplicates: AtomicU64,
    profile: Mutex<Profile>,
    deduplicators: Shards,
    spill: Arc<Spill>,
    scratch: Scratch,
}

impl Committer {
    /// Creates an empty committer for about as many events as are `expected`, from so many `threads`;
    /// `hasher` is that of the batches' ids. Rows wait in `spill`, keys where `scratch` says.
    pub fn new(
        hasher: RandomState,
        spill: Arc<Spill>,
        scratch: Scratch,
        expected: usize,
        threads: usize,
    ) -> Self {
        let deduplicators = Shards::new(&scratch.dir, scratch.table_bytes, threads);
        deduplicators.reserve(expected);
        let mut facts = Vec::new();
        // Pages that are not used are never touched. If this fails, the list grows as usual.
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
            profile: Mutex::default(),
            deduplicators,
            spill,
            scratch,
        }
    }

    /// Commits `batch`, whose rows and rejects are `stored` already. Returns the number of its segment, in
    /// the order of commit.
    ///
    /// # Errors
    /// Returns an error if the numbers of its ids, the keys of its events, or what makes room for it, cannot
    /// be spilled.
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
                key: batch.marks[fact.row as usize].key,
                source: numbers[fact.source.index()],
                target: numbers[fact.target.index()],
                event: EventRef::new(segment, fact.row).to_raw(),
            })
            .collect();
        lock(&self.facts).extend_from_slice(&kept);
        if !batch.profiles.is_empty() {
            let mut profile = lock(&self.profile);
            batch.profiles.iter().for_each(|&(message, content)| profile.see(message, content));
        }
        Ok(segment)
    }

    /// Makes room in memory for what `batch` brings: keys go to disk first, since they are the most and are
    /// read once more, then the epoch ends. Returns the lock that keeps the current epoch open.
    fn make_room(&self, batch: &Batch) -> io::Result<RwLockReadGuard<'_, Epochs>> {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        if self.budget_with(batch).is_some() {
            return Ok(epochs);
        }
        drop(epochs);
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        if self.budget_with(batch).is_none() {
            self.deduplicators.spill()?;
            if self.budget_with(batch).is_none() {
                self.end_epoch(&mut epochs)?;
            }
        }
        drop(epochs);
        Ok(self.epochs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the deduplicators how many bytes are left to them beside the ids and facts of the epoch if each
    /// thread commits a batch like this one. Returns `None` if they take more already.
    fn budget_with(&self, batch: &Batch) -> Option<()> {
        let (more_ids, more_facts) =
            (batch.ids.len() * self.threads, batch.facts.len() * self.threads);
        let id_bytes = {
            let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
            // To be sorted and ranked before it is written, an id takes another 20 bytes.
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
        (bytes + self.deduplicators.bytes() <= self.scratch.table_bytes).then_some(())
    }

    /// Writes the ids and facts of the epoch to disk, and begins the next, unless there are none.
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

    /// Returns the number of each of `ids`, those of a batch.
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

    /// Drops the duplicates that the events of `batch`, which has become `segment`, bring to light. Returns
    /// the rows of the batch that are among them.
    fn drop_duplicates(&self, batch: &Batch, segment: usize) -> io::Result<AHashSet<u32>> {
        let place_of = |event| place_of(&lock(&self.segments), event);
        let entry = |(row, mark): (u32, &EventKeys)| {
            let event = EventRef::new(segment, row);
            mark.dedup.map(|key| Entry { key, rank: mark.rank, event })
        };
        let entries: Vec<Entry> = (0..).zip(&batch.marks).filter_map(entry).collect();
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

    /// Whether ids and facts are too many for the second phase to have them in memory: beside them, it has a
    /// list of the links of each id.
    fn is_too_large(&self, ids: &Ids, facts: &[Fact]) -> bool {
        let listed =
            ids.len() * LISTED_ID_BYTES + facts.len() * (size_of::<Fact>() + size_of::<Link>());
        ids.bytes() + listed > self.scratch.table_bytes
    }

    /// Ends the first phase after the last batch: finds the duplicates whose keys wait on disk, removes the
    /// facts of duplicates, carries out `deletions`, and puts the segments in order.
    ///
    /// # Errors
    /// Returns an error if the run was interrupted, or if what was spilled cannot be read or spilled again.
    pub fn settle(
        self,
        deletions: &Deletions,
        pool: &ThreadPool,
        watch: &dyn Watch,
    ) -> Result<Committed, Error> {
        let is_too_large = {
            let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
            self.is_too_large(&ids, &lock(&self.facts))
        };
        let Self { epochs, ids, facts, segments, duplicates, profile, deduplicators, .. } = self;
        let (spill, scratch) = (self.spill, self.scratch);
        let mut epochs = epochs.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut ids = ids.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (mut facts, mut segments) = (into_inner(facts), into_inner(segments));
        if (is_too_large || !epochs.is_empty()) && !ids.is_empty() {
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
            epochs.settle(&mut segments, &spill, pool, watch)?
        };
        if deletions.calls > 0 {
            let forgotten = Forgotten::new(deletions, &ids, &facts).map_err(Error::Spill)?;
            forgotten.find_rows(&mut segments, &spill, pool, watch)?;
            facts = forgotten.take_back(facts, &segments).map_err(Error::Spill)?;
        }
        let store = Store::new(segments, spill);
        let duplicates = duplicates.into_inner() + late;
        Ok(Committed { ids, facts, store, duplicates, profile: into_inner(profile), scratch })
    }
}

/// Drops the duplicates among the keys that wait on disk; returns how many there are. Several threads look
/// through a part each.
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

/// Takes out of `facts` those of events that turned out to be duplicates only after they were taken.
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

/// Where in the input `event` stands.
fn place_of(segments: &[Segment], event: EventRef) -> (Place, u32) {
    (segments[event.segment()].place, event.row())
}

/// Message ids and contents that do not go together.
#[derive(Debug, Default)]
pub struct Profile {
    by_message: AHashMap<u64, Partner>,
    by_content: AHashMap<u64, Partner>,
}

#[derive(Clone, Copy, Debug)]
struct Partner {
    first: u64,
    several: bool,
}

impl Profile {
    fn see(&mut self, message: u64, content: u64) {
        for (map, key, other) in
            [(&mut self.by_message, message, content), (&mut self.by_content, content, message)]
        {
            let partner = map.entry(key).or_insert(Partner { first: other, several: false });
            partner.several |= partner.first != other;
        }
    }

    /// How many message ids came with more than one content.
    pub fn messages_with_several_contents(&self) -> u64 {
        self.by_message.values().filter(|partner| partner.several).count() as u64
    }

    /// How many contents came with more than one message id.
    pub fn contents_with_several_messages(&self) -> u64 {
        self.by_content.values().filter(|partner| partner.several).count() as u64
    }
}
