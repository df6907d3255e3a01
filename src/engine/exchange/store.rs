//! The store of the blocks of an input between the two phases: rows, rejects and ids of each.

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

/// A committed batch.
#[derive(Debug)]
pub struct Segment {
    /// The position of the block.
    pub place: Place,
    /// The number of lines of the block.
    pub lines: u64,
    /// The duplicate rows; sorted once all batches are committed.
    pub dead: Vec<u32>,
    /// The other rows that are covered by deletion requests, sorted.
    pub forgotten: Vec<u32>,
    /// Whether rows became duplicates after their facts were stored.
    pub(in crate::engine) revoked: bool,
    /// The epoch in which the batch was committed.
    pub(in crate::engine) epoch: usize,
    /// For each id of the batch, its number in the run, or its number in the epoch until all
    /// batches are committed.
    pub(in crate::engine) ids: Piece,
    pub(in crate::engine) stored: StoredBatch,
}

impl Segment {
    /// Reads the rows and ids from `spill`; `buffers` hold them if they are read from a file.
    ///
    /// # Errors
    /// Returns an error if the spill cannot be read.
    pub(in crate::engine) fn read<'a>(
        &'a self,
        spill: &'a Spill,
        buffers: &'a mut Buffers,
    ) -> io::Result<SegmentView<'a>> {
        let StoredBatch { piece, rows, rejects, ids: count } = &self.stored;
        let ids = spill.read(&self.ids, &mut buffers.ids)?;
        let (rows, rest) = spill.read(piece, &mut buffers.rows)?.split_at(*rows);
        let (ends, texts) = rest[*rejects..].split_at(*count * 4);
        // Ids are JSON strings, so this never fails.
        let texts = from_utf8(texts).unwrap_or_default();
        Ok(SegmentView { ids, ends: ends.as_chunks().0, texts, rows })
    }
}

/// The stored rows and rejects of a batch, and the texts of its ids.
#[derive(Debug)]
pub struct StoredBatch {
    piece: Piece,
    /// The number of bytes of rows.
    rows: usize,
    /// The number of bytes of rejects.
    rejects: usize,
    /// The number of ids.
    ids: usize,
}

impl StoredBatch {
    /// Stores the rows and rejects of `batch`, and the texts of `ids` if they are needed later, in
    /// `spill`.
    ///
    /// # Errors
    /// Returns an error if the spill cannot be written.
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

/// Buffers for the bytes of segments, which can be reused.
#[derive(Debug, Default)]
pub struct Buffers {
    ids: Vec<u8>,
    rows: Vec<u8>,
}

/// The rows and ids of a segment.
#[derive(Clone, Copy, Debug)]
pub struct SegmentView<'a> {
    ids: &'a [u8],
    /// The end offset of the text of each id, little-endian.
    ends: &'a [[u8; 4]],
    texts: &'a str,
    /// The encoded rows.
    pub rows: &'a [u8],
}

impl<'a> SegmentView<'a> {
    /// Creates a view of `rows`. For each id, `ids` has its number in the run, in four bytes, and
    /// `ends` has the end of its text in `texts`.
    pub(in crate::engine) fn new(
        rows: &'a [u8],
        ids: &'a [u8],
        (ends, texts): (&'a [[u8; 4]], &'a str),
    ) -> Self {
        Self { ids, ends, texts, rows }
    }

    /// Returns the text of the id with number `id` in the batch; empty if texts were not stored.
    #[inline]
    pub fn text(&self, id: NodeId) -> &'a str {
        let end =
            |place: usize| self.ends.get(place).map_or(0, |&end| u32::from_le_bytes(end) as usize);
        let start = id.index().checked_sub(1).map_or(0, end);
        self.texts.get(start..end(id.index())).unwrap_or_default()
    }

    /// Returns the number in the run of the id with number `id` in the batch.
    #[inline]
    pub fn id(&self, id: NodeId) -> Option<NodeId> {
        let raw = self.ids.get(id.index() * 4..)?.first_chunk()?;
        Some(NodeId::from_raw(u32::from_le_bytes(*raw)))
    }
}

/// All segments of an input, in input order.
#[derive(Debug)]
pub struct Store {
    segments: Vec<Segment>,
    spill: Arc<Spill>,
}

impl Store {
    /// Creates a store of `segments`, whose data is in `spill`.
    pub(in crate::engine) fn new(mut segments: Vec<Segment>, spill: Arc<Spill>) -> Self {
        segments.sort_unstable_by_key(|segment| segment.place);
        Self { segments, spill }
    }

    /// Returns the segments, in input order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Returns the spill with the data of the segments.
    pub fn spill(&self) -> &Spill {
        &self.spill
    }

    /// Reads the rows and ids of `segment`; `buffers` hold them if they are read from a file.
    ///
    /// # Errors
    /// Returns an error if the spill cannot be read.
    pub fn read<'a>(
        &'a self,
        segment: &'a Segment,
        buffers: &'a mut Buffers,
    ) -> io::Result<SegmentView<'a>> {
        segment.read(&self.spill, buffers)
    }

    /// Reads the rejects of `segment`, as encoded by [`Rejects`](super::rejects::Rejects); `buffer`
    /// holds them if they are read from a file.
    ///
    /// # Errors
    /// Returns an error if the spill cannot be read.
    pub fn rejects<'a>(
        &'a self,
        segment: &'a Segment,
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        let StoredBatch { piece, rows, rejects, .. } = &segment.stored;
        self.spill.read_range(piece, *rows..rows + rejects, buffer)
    }

    /// Calls `work` with the number and the data of each segment, on all threads of `pool`, and
    /// `write` with the results in input order. Returns the states of the workers.
    ///
    /// # Errors
    /// Returns an error if `watch` has cancelled the job or the spill cannot be read, or returns
    /// the first error of `work` or `write`.
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

/// Returns for each segment the number of lines of its file that precede it.
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

/// Rows that are left out in addition to duplicates, by segment.
#[derive(Debug)]
pub struct Dropped(Vec<Vec<u32>>);

impl Dropped {
    /// Creates the set of `rows` by segment.
    pub fn new(mut rows: Vec<Vec<u32>>) -> Self {
        for rows in &mut rows {
            rows.sort_unstable();
        }
        Self(rows)
    }

    /// Returns whether `row` of `segment` is in the set.
    pub fn has(&self, segment: usize, row: u32) -> bool {
        self.0.get(segment).is_some_and(|rows| rows.binary_search(&row).is_ok())
    }

    /// Returns the rows of `segment` in the set and those in `dead`, sorted.
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
