//! The one place where batches meet: duplicates are told, ids numbered, facts and rows kept.
//!
//! Batches may come in any order. Whatever is decided here is decided by what the events say, or,
//! between events alike in every way, by where they stood; so the order changes nothing.

use std::io;
use std::sync::Arc;

use ahash::{AHashMap, RandomState};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use simdutf8::basic::from_utf8;

use crate::engine::EventRef;
use crate::engine::dedup::Entry;
use crate::engine::dedup::partition::{Deduplicator, Part};
use crate::engine::exchange::spill::{Piece, Scratch, Spill};
use crate::engine::identity::fact::Fact;
use crate::engine::identity::ids::{Ids, NodeId};
use crate::engine::map::batch::{Batch, Place};
use crate::engine::watch::Watch;
use crate::error::Error;

/// What is kept of a batch until the second phase.
#[derive(Debug)]
pub struct Segment {
    /// Where its block stands.
    pub place: Place,
    /// How many lines the block has.
    pub lines: u64,
    /// Rows that are duplicates.
    pub dead: Vec<u32>,
    /// Some of them became so only after their facts were taken.
    revoked: bool,
    ids: Piece,
    kept: StoredBatch,
}

/// The rows and rejects of a batch and the texts of its ids, where they wait.
#[derive(Debug)]
pub struct StoredBatch {
    piece: Piece,
    /// How many bytes of them are rows.
    rows: usize,
    /// How many bytes are rejects.
    rejects: usize,
    /// How many ids there are.
    ids: usize,
}

impl StoredBatch {
    /// Keeps those of `batch` in `spill`, and the texts of `ids`, if they are ever asked for.
    ///
    /// # Errors
    /// When they cannot be spilled.
    pub fn new(batch: &Batch, ids: Option<&Ids>, spill: &Spill) -> io::Result<Self> {
        let (rows, rejects) = (batch.rows.as_bytes(), batch.rejects.as_slice());
        let ends: Vec<_> = ids.into_iter().flat_map(Ids::ends).map(u32::to_le_bytes).collect();
        let texts = ids.map_or("", Ids::texts).as_bytes();
        Ok(Self {
            piece: spill.keep(&[rows, rejects, ends.as_flattened(), texts])?,
            rows: rows.len(),
            rejects: rejects.len(),
            ids: ends.len(),
        })
    }
}

/// Buffers for the bytes of one segment after the other.
#[derive(Debug, Default)]
pub struct Buffers {
    ids: Vec<u8>,
    rows: Vec<u8>,
}

/// A segment's bytes, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct SegmentView<'a> {
    ids: &'a [u8],
    /// Where the text of each id ends.
    ends: &'a [[u8; 4]],
    texts: &'a str,
    /// Its rows.
    pub rows: &'a [u8],
    /// Its rejects.
    pub rejects: &'a [u8],
}

impl<'a> SegmentView<'a> {
    /// The text of the id that has number `id` in the batch, where it was kept.
    #[inline]
    pub fn text(&self, id: NodeId) -> &'a str {
        let end =
            |place: usize| self.ends.get(place).map_or(0, |&end| u32::from_le_bytes(end) as usize);
        let start = id.index().checked_sub(1).map_or(0, end);
        self.texts.get(start..end(id.index())).unwrap_or_default()
    }

    /// The number in the run of the id that has number `id` in the batch.
    #[inline]
    pub fn id(&self, id: NodeId) -> Option<NodeId> {
        let raw = self.ids.get(id.index() * 4..)?.first_chunk()?;
        Some(NodeId::from_raw(u32::from_le_bytes(*raw)))
    }
}

/// Room is made beforehand for no more events than this.
const MOST_EXPECTED: usize = 1 << 24;
/// What a usual event takes in an input.
const EVENT_BYTES: u64 = 1024;

/// About how many events an input of so many bytes has; compressed ones have more.
pub fn expected_events(bytes: Option<u64>) -> usize {
    usize::try_from(bytes.unwrap_or(0) / EVENT_BYTES).unwrap_or(usize::MAX).min(MOST_EXPECTED)
}

/// What all batches come together in.
#[derive(Debug)]
pub struct Committer {
    /// Every id of the run.
    pub ids: Ids,
    /// Every fact, until [`Committer::settle`] those of duplicates too.
    pub facts: Vec<Fact>,
    /// A segment for each batch; in order once settled.
    pub segments: Vec<Segment>,
    /// How many events were duplicates.
    pub duplicates: u64,
    /// How often message ids and contents do not agree, where that was asked for.
    pub profile: Profile,
    deduplicator: Deduplicator,
    /// Where the rows wait.
    pub(crate) spill: Arc<Spill>,
    map: Vec<NodeId>,
    map_bytes: Vec<u8>,
    dropped: Vec<bool>,
    losers: Vec<EventRef>,
}

impl Committer {
    /// An empty committer for about as many events as are `expected`; `hasher` is that of the
    /// batches' ids. Rows wait in `spill`, keys where `scratch` says.
    pub fn new(hasher: RandomState, spill: Arc<Spill>, scratch: Scratch, expected: usize) -> Self {
        let mut deduplicator = Deduplicator::new(scratch.dir, scratch.key_bytes);
        deduplicator.reserve(expected);
        let mut facts = Vec::new();
        // What is not used of it is never touched. Where there is no room, it grows as it can.
        let _ = facts.try_reserve_exact(expected / 2);
        let mut ids = Ids::new(hasher);
        ids.reserve(expected / 4);
        Self {
            ids,
            facts,
            segments: Vec::new(),
            duplicates: 0,
            profile: Profile::default(),
            deduplicator,
            spill,
            map: Vec::new(),
            map_bytes: Vec::new(),
            dropped: Vec::new(),
            losers: Vec::new(),
        }
    }

    /// Takes over what `batch` holds, of which the rows and rejects are `kept` already.
    ///
    /// # Errors
    /// When the numbers of its ids, or the keys of its events, cannot be spilled.
    pub fn commit(&mut self, batch: &Batch, kept: StoredBatch) -> io::Result<()> {
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
            revoked: false,
            ids,
            kept,
        });
        self.tell_duplicates(batch)?;
        self.take_facts(batch);
        for &(message, content) in &batch.profiles {
            self.profile.see(message, content);
        }
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

    /// After the last batch: tells the duplicates whose keys wait on disk, takes back the facts of
    /// duplicates and puts the segments in order.
    ///
    /// # Errors
    /// When the run was interrupted, or when keys cannot be read or spilled again.
    pub fn settle(&mut self, pool: &ThreadPool, watch: &dyn Watch) -> Result<(), Error> {
        self.tell_late_duplicates(pool, watch)?;
        for segment in &mut self.segments {
            segment.dead.sort_unstable();
        }
        let segments = &self.segments;
        if segments.iter().any(|segment| segment.revoked) {
            self.facts.retain(|fact| {
                let event = EventRef::from_raw(fact.event);
                let segment = &segments[event.segment()];
                !segment.revoked || segment.dead.binary_search(&event.row()).is_err()
            });
        }
        self.segments.sort_unstable_by_key(|segment| segment.place);
        Ok(())
    }

    /// Takes a part for each thread at once; together they have the memory that the table had.
    fn tell_late_duplicates(&mut self, pool: &ThreadPool, watch: &dyn Watch) -> Result<(), Error> {
        let deduplicator = std::mem::take(&mut self.deduplicator);
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

    /// Where the rows wait.
    pub fn keeping(&self) -> &Arc<Spill> {
        &self.spill
    }

    /// The bytes of `segment`; `buffers` hold them where they were spilled.
    ///
    /// # Errors
    /// When the spill cannot be read.
    pub fn read<'a>(
        &'a self,
        segment: &'a Segment,
        buffers: &'a mut Buffers,
    ) -> io::Result<SegmentView<'a>> {
        let StoredBatch { piece, rows, rejects, ids: count } = &segment.kept;
        let ids = self.spill.read(&segment.ids, &mut buffers.ids)?;
        let (rows, rest) = self.spill.read(piece, &mut buffers.rows)?.split_at(*rows);
        let (rejects, rest) = rest.split_at(*rejects);
        let (ends, texts) = rest.split_at(*count * 4);
        // Ids come from JSON strings, so this never fails.
        let texts = from_utf8(texts).unwrap_or_default();
        Ok(SegmentView { ids, ends: ends.as_chunks().0, texts, rows, rejects })
    }
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

/// For each segment, how many lines of its file stand before it.
pub fn lines_before(segments: &[Segment]) -> Vec<u64> {
    let mut before = Vec::with_capacity(segments.len());
    let (mut file, mut lines) = (None, 0);
    for segment in segments {
        if file != Some(segment.place.file) {
            (file, lines) = (Some(segment.place.file), 0);
        }
        before.push(lines);
        lines += segment.lines;
    }
    before
}
