//! The committer: takes batches in input order, detects duplicates, numbers ids, and keeps facts
//! and rows.
//!
//! Batches may come in any order. Whatever is decided here is decided by what the events say, or,
//! between events alike in every way, by where they stood; so the order changes nothing.

use std::io;
use std::sync::Arc;

use ahash::{AHashMap, RandomState};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::epochs::Epochs;
use super::forget::Forgotten;
use crate::engine::EventRef;
use crate::engine::dedup::Entry;
use crate::engine::dedup::partition::{Deduplicator, Part};
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::exchange::store::{Segment, Store, StoredBatch};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::facts::Facts;
use crate::engine::identity::ids::{Ids, NodeId};
use crate::engine::identity::timeline::Link;
use crate::engine::map::batch::{Batch, Place};
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

/// What all batches come together in.
#[derive(Debug)]
pub struct Committer {
    /// Those of the current epoch.
    ids: Ids,
    /// Those of the current epoch, of duplicates too.
    facts: Vec<Fact>,
    /// The epochs that ended, on disk.
    epochs: Epochs,
    /// One for each batch, in the order of commit.
    segments: Vec<Segment>,
    duplicates: u64,
    profile: Profile,
    deduplicator: Deduplicator,
    spill: Arc<Spill>,
    scratch: Scratch,
    map: Vec<NodeId>,
    map_bytes: Vec<u8>,
    dropped: Vec<bool>,
    losers: Vec<EventRef>,
}

impl Committer {
    /// An empty committer for about as many events as are `expected`; `hasher` is that of the
    /// batches' ids. Rows wait in `spill`, keys where `scratch` says.
    pub fn new(hasher: RandomState, spill: Arc<Spill>, scratch: Scratch, expected: usize) -> Self {
        let mut deduplicator = Deduplicator::new(scratch.dir.clone(), scratch.table_bytes);
        let epochs = Epochs::new(scratch.dir.clone(), scratch.table_bytes);
        deduplicator.reserve(expected);
        let mut facts = Vec::new();
        // What is not used of it is never touched. Where there is no room, it grows as it can.
        let _ = facts.try_reserve_exact(expected / 2);
        let mut ids = Ids::new(hasher);
        ids.reserve(expected / 4);
        Self {
            ids,
            facts,
            epochs,
            segments: Vec::new(),
            duplicates: 0,
            profile: Profile::default(),
            deduplicator,
            spill,
            scratch,
            map: Vec::new(),
            map_bytes: Vec::new(),
            dropped: Vec::new(),
            losers: Vec::new(),
        }
    }

    /// Takes over what `batch` holds, of which the rows and rejects are `stored` already.
    ///
    /// # Errors
    /// When the numbers of its ids, the keys of its events, or what makes room for it, cannot be spilled.
    pub fn commit(&mut self, batch: &Batch, stored: StoredBatch) -> io::Result<()> {
        self.make_room(batch)?;
        self.ids.absorb(&batch.ids, &mut self.map);
        self.map_bytes.clear();
        for id in &self.map {
            self.map_bytes.extend_from_slice(&id.to_raw().to_le_bytes());
        }
        let ids = self.spill.keep(&[&self.map_bytes])?;
        self.segments.push(Segment {
            place: batch.place,
            lines: batch.lines,
            dead: Vec::new(),
            forgotten: Vec::new(),
            revoked: false,
            epoch: self.epochs.len(),
            ids,
            stored,
        });
        self.tell_duplicates(batch)?;
        self.take_facts(batch);
        for &(message, content) in &batch.profiles {
            self.profile.see(message, content);
        }
        Ok(())
    }

    /// Makes room in memory for what `batch` brings. Keys go to disk first: they are the most, and are
    /// read once more. Then the epoch ends.
    fn make_room(&mut self, batch: &Batch) -> io::Result<()> {
        let Self { ids, facts, deduplicator, scratch, .. } = self;
        let grown_facts = if facts.len() + batch.facts.len() <= facts.capacity() {
            facts.len() + batch.facts.len()
        } else {
            2 * facts.len() + batch.facts.len()
        };
        let id_bytes = ids.bytes_with(batch.ids.len(), batch.ids.texts().len());
        // An id is sorted by twelve bytes more before it is written, and ranked by four.
        let sort_bytes = (ids.len() + batch.ids.len()) * 20;
        let bytes = id_bytes + sort_bytes + grown_facts * size_of::<Fact>();
        if bytes + deduplicator.bytes() > scratch.table_bytes {
            deduplicator.spill()?;
            if bytes + deduplicator.bytes() > scratch.table_bytes && !ids.is_empty() {
                return self.end_epoch();
            }
        }
        deduplicator.set_budget(scratch.table_bytes.saturating_sub(bytes));
        Ok(())
    }

    /// Writes the ids and facts of the epoch to disk, and begins the next.
    fn end_epoch(&mut self) -> io::Result<()> {
        self.epochs.end(&self.ids, &mut self.facts)?;
        self.ids.clear();
        self.facts.clear();
        Ok(())
    }

    fn tell_duplicates(&mut self, batch: &Batch) -> io::Result<()> {
        let Self { segments, deduplicator, dropped, duplicates, losers, .. } = self;
        let current = segments.len() - 1;
        let entries = (0_u32..).zip(&batch.marks).filter_map(|(row, mark)| {
            let event = EventRef::new(current, row);
            mark.dedup.map(|key| Entry { key, rank: mark.rank, event })
        });
        losers.clear();
        deduplicator.pass(entries, |event| place_of(segments, event), losers)?;
        dropped.clear();
        dropped.resize(batch.marks.len(), false);
        for loser in &*losers {
            *duplicates += 1;
            let segment = &mut segments[loser.segment()];
            segment.dead.push(loser.row());
            if loser.segment() == current {
                dropped[loser.row() as usize] = true;
            } else {
                segment.revoked = true;
            }
        }
        Ok(())
    }

    fn take_facts(&mut self, batch: &Batch) {
        let current = self.segments.len() - 1;
        let kept = batch.facts.iter().filter(|fact| !self.dropped[fact.row as usize]);
        self.facts.extend(kept.map(|fact| Fact {
            key: batch.marks[fact.row as usize].key,
            source: self.map[fact.source.index()],
            target: self.map[fact.target.index()],
            event: EventRef::new(current, fact.row).to_raw(),
        }));
    }

    /// Whether ids and facts are too many for the second phase to have them in memory: it lists what
    /// is known of each id, and what each fact ties, while these are there.
    fn is_too_large(&self) -> bool {
        let (ids, facts) = (self.ids.len(), self.facts.len());
        let listed = ids * LISTED_ID_BYTES + facts * (size_of::<Fact>() + size_of::<Link>());
        self.ids.bytes() + listed > self.scratch.table_bytes
    }

    /// After the last batch: tells the duplicates whose keys wait on disk, takes back the facts of
    /// duplicates, carries out `deletions` and puts the segments in order.
    ///
    /// # Errors
    /// When the run was interrupted, or when what was spilled cannot be read or spilled again.
    pub fn settle(
        mut self,
        deletions: &Deletions,
        pool: &ThreadPool,
        watch: &dyn Watch,
    ) -> Result<Committed, Error> {
        if !self.epochs.is_empty() || self.is_too_large() {
            self.end_epoch().map_err(Error::Spill)?;
            self.ids = Ids::new(RandomState::new());
            self.facts = Vec::new();
        }
        let mut deduplicator = std::mem::take(&mut self.deduplicator);
        let taken = self.ids.bytes() + self.facts.len() * size_of::<Fact>();
        deduplicator.set_budget(self.scratch.table_bytes.saturating_sub(taken));
        self.tell_late_duplicates(deduplicator, pool, watch)?;
        for segment in &mut self.segments {
            segment.dead.sort_unstable();
        }
        let Self { ids, facts, epochs, mut segments, duplicates, profile, spill, scratch, .. } =
            self;
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
        Ok(Committed { ids, facts, store, duplicates, profile, scratch })
    }

    /// Takes a part for each thread at once; together they have the memory that the table had.
    fn tell_late_duplicates(
        &mut self,
        deduplicator: Deduplicator,
        pool: &ThreadPool,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        let at_once = deduplicator.parts_at_once(pool.current_num_threads());
        let mut parts = deduplicator.into_parts(at_once).into_iter();
        while parts.len() > 0 {
            if watch.stopped() {
                return Err(Error::Interrupted);
            }
            let segments = &self.segments;
            let some: Vec<_> = parts.by_ref().take(at_once).collect();
            let losers: io::Result<Vec<_>> = pool.install(|| {
                let tell = |part: Part| part.losers(&|event| place_of(segments, event));
                some.into_par_iter().map(tell).collect()
            });
            for loser in losers.map_err(Error::Spill)?.into_iter().flatten() {
                self.duplicates += 1;
                let segment = &mut self.segments[loser.segment()];
                segment.dead.push(loser.row());
                segment.revoked = true;
            }
        }
        Ok(())
    }
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
