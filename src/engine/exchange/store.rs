//! The blocks of an input as they wait between the two phases: rows, rejects and ids of each.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use rayon::ThreadPool;
use simdutf8::basic::from_utf8;

use super::ordered::in_order;
use super::spill::{Piece, Spill};
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
    /// Rows that are duplicates, sorted once all is committed.
    pub dead: Vec<u32>,
    /// Of the others, those that a deletion request covers, sorted.
    pub forgotten: Vec<u32>,
    /// Some of them became so only after their facts were taken.
    pub(in crate::engine) revoked: bool,
    /// The epoch that it came in.
    pub(in crate::engine) epoch: usize,
    /// The number in the run of each id of the batch; until all is committed, that in the epoch.
    pub(in crate::engine) ids: Piece,
    pub(in crate::engine) stored: StoredBatch,
}

impl Segment {
    /// Its bytes, which wait in `spill`; `buffers` hold them where they were spilled.
    ///
    /// # Errors
    /// When the spill cannot be read.
    pub(in crate::engine) fn read<'a>(
        &'a self,
        spill: &'a Spill,
        buffers: &'a mut Buffers,
    ) -> io::Result<SegmentView<'a>> {
        let StoredBatch { piece, rows, rejects, ids: count } = &self.stored;
        let ids = spill.read(&self.ids, &mut buffers.ids)?;
        let (rows, rest) = spill.read(piece, &mut buffers.rows)?.split_at(*rows);
        let (ends, texts) = rest[*rejects..].split_at(*count * 4);
        // Ids come from JSON strings, so this never fails.
        let texts = from_utf8(texts).unwrap_or_default();
        Ok(SegmentView { ids, ends: ends.as_chunks().0, texts, rows })
    }
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
        let (rows, rejects) = (batch.rows.as_bytes(), batch.rejects.as_bytes());
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
}

impl<'a> SegmentView<'a> {
    /// A view of `rows`, whose ids have the numbers `ids` elsewhere, four bytes each, and the texts
    /// `texts`, each to its end in `ends`.
    pub(in crate::engine) fn new(
        rows: &'a [u8],
        ids: &'a [u8],
        (ends, texts): (&'a [[u8; 4]], &'a str),
    ) -> Self {
        Self { ids, ends, texts, rows }
    }

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

/// All segments of an input, in its order, and where their bytes wait.
#[derive(Debug)]
pub struct Store {
    segments: Vec<Segment>,
    spill: Arc<Spill>,
}

impl Store {
    /// The `segments`, whose bytes wait in `spill`.
    pub(in crate::engine) fn new(mut segments: Vec<Segment>, spill: Arc<Spill>) -> Self {
        segments.sort_unstable_by_key(|segment| segment.place);
        Self { segments, spill }
    }

    /// The segments, in the order of the input.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Where the rows wait.
    pub fn spill(&self) -> &Spill {
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
        segment.read(&self.spill, buffers)
    }

    /// The rejects of `segment`, as [`Rejects`](super::rejects::Rejects) encodes them; `buffer` holds
    /// them where they were spilled.
    ///
    /// # Errors
    /// When the spill cannot be read.
    pub fn rejects<'a>(
        &'a self,
        segment: &'a Segment,
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        let StoredBatch { piece, rows, rejects, .. } = &segment.stored;
        self.spill.read_range(piece, *rows..rows + rejects, buffer)
    }

    /// Calls `work` with the number and the bytes of each segment, on all threads of `pool`, and
    /// `write` with the results in the order of the input. Returns the workers' states.
    ///
    /// # Errors
    /// When `watch` has stopped it, when the spill cannot be read, or the first error of `work` or
    /// `write`.
    pub fn each<S: Send, T: Send>(
        &self,
        pool: &ThreadPool,
        watch: &dyn Watch,
        start: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize, &SegmentView<'_>) -> Result<T, Error> + Sync,
        write: impl FnMut(T) -> Result<(), Error> + Send,
    ) -> Result<Vec<S>, Error> {
        let start = || (start(), Buffers::default());
        let work = |(state, buffers): &mut (S, Buffers), number: usize| {
            if watch.stopped() {
                return Err(Error::Interrupted);
            }
            let view = self.read(&self.segments[number], buffers).map_err(Error::Spill)?;
            work(state, number, &view)
        };
        let workers = in_order(pool, self.segments.len(), start, work, write)?;
        Ok(workers.into_iter().map(|(state, _)| state).collect())
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

/// Rows that are to be left out beside duplicates, sorted, by segment.
#[derive(Debug)]
pub struct Dropped(Vec<Vec<u32>>);

impl Dropped {
    /// Those `rows` of each segment.
    pub fn new(mut rows: Vec<Vec<u32>>) -> Self {
        for rows in &mut rows {
            rows.sort_unstable();
        }
        Self(rows)
    }

    /// Whether `row` of `segment` is among them.
    pub fn has(&self, segment: usize, row: u32) -> bool {
        self.0.get(segment).is_some_and(|rows| rows.binary_search(&row).is_ok())
    }

    /// Those of `segment` and the `dead` ones, sorted.
    pub fn with<'d>(&self, segment: usize, dead: &'d [u32]) -> Cow<'d, [u32]> {
        let own = self.0.get(segment).map_or(&[][..], Vec::as_slice);
        if own.is_empty() {
            return Cow::Borrowed(dead);
        }
        let mut all = [own, dead].concat();
        all.sort_unstable();
        all.dedup();
        Cow::Owned(all)
    }
}
