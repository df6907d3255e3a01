//! Deduplication of more keys than fit into memory: keys are written to disk, partitioned by hash,
//! and each partition is deduplicated by itself.
//!
//! Duplicates have the same key, so that they are in the same partition. Which of them is kept
//! depends on their contents and positions, not on the order in which they are seen. The result is
//! therefore that of a single table.

use std::io;
use std::sync::Arc;

use ahash::RandomState;

use crate::engine::EventRef;
use crate::engine::dedup::{Dedup, Entry, Rank, Verdict};
use crate::engine::exchange::spill::{Piece, Spill};
use crate::time::Time;

/// Entries that do not fit are divided into partitions by this many bits of a hash.
pub(super) const PART_BITS: u32 = 6;
/// The depth at which partitions are not partitioned again: there are fewer events than partitions
/// of this depth.
const MAX_DEPTH: u32 = 8;
/// The minimum memory for a partition, however small the budget.
pub(super) const MIN_PART_BYTES: usize = 2 << 20;
/// The size of an entry on disk.
const RECORD_BYTES: usize = 48;
/// The bounds of the size of pieces that are written at once.
const MIN_PIECE_BYTES: usize = RECORD_BYTES * 85;
const MAX_PIECE_BYTES: usize = RECORD_BYTES * 5461;
/// The inverse of the share of the budget for buffers of entries that are not written yet.
const PIECES_SHARE: usize = 32;

/// Finds duplicates: at once while all keys fit into a budget, otherwise at the end.
#[derive(Debug, Default)]
pub struct Deduplicator {
    budget_bytes: usize,
    depth: u32,
    part_bits: u32,
    spill: Arc<Spill>,
    storage: Storage,
    hashes: Vec<u32>,
}

#[derive(Debug)]
enum Storage {
    Table(Dedup),
    Parts(Parts),
}

impl Default for Storage {
    fn default() -> Self {
        Self::Table(Dedup::default())
    }
}

impl Deduplicator {
    /// Creates a deduplicator that keeps up to `budget_bytes` in memory. Beyond that, all entries
    /// are written to `spill`, in partitions by `part_bits` bits of a hash, at least one.
    pub fn new(spill: Arc<Spill>, budget_bytes: usize, part_bits: u32) -> Self {
        Self { budget_bytes, part_bits, spill, ..Self::default() }
    }

    /// Reserves memory for `entries` entries, if they fit into the budget.
    pub fn reserve(&mut self, entries: usize) {
        if let Storage::Table(dedup) = &mut self.storage
            && dedup.has_room(entries, self.budget_bytes)
        {
            dedup.reserve(entries);
        }
    }

    fn at_depth(depth: u32, spill: Arc<Spill>, budget_bytes: usize) -> Self {
        Self { depth, ..Self::new(spill, budget_bytes, PART_BITS) }
    }

    /// Adds `entries`, and appends to `losers` the events, of these and earlier entries, that are
    /// found to be duplicates; none if entries are on disk. `place_of` returns the position of an
    /// event in the input.
    ///
    /// # Errors
    /// Returns an error if entries cannot be written to disk.
    pub fn pass<P: Ord>(
        &mut self,
        entries: impl Iterator<Item = Entry> + Clone,
        place_of: impl Fn(EventRef) -> P,
        losers: &mut Vec<EventRef>,
    ) -> io::Result<()> {
        self.make_room(entries.clone().count())?;
        match &mut self.storage {
            Storage::Table(dedup) => {
                self.hashes.clear();
                dedup.hash(entries.clone().map(|entry| entry.key), &mut self.hashes);
                for (entry, &hash) in entries.zip(&self.hashes) {
                    match dedup.see(entry, hash, &place_of) {
                        Verdict::Kept => {}
                        Verdict::Duplicate => losers.push(entry.event),
                        Verdict::Replaces(other) => losers.push(other),
                    }
                }
                Ok(())
            }
            Storage::Parts(parts) => entries.into_iter().try_for_each(|entry| parts.put(entry)),
        }
    }

    /// Changes the budget.
    pub fn set_budget(&mut self, budget_bytes: usize) {
        self.budget_bytes = budget_bytes;
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        match &self.storage {
            Storage::Table(dedup) => dedup.bytes(),
            Storage::Parts(parts) => parts.piece_bytes * parts.buffers.len(),
        }
    }

    /// Moves the entries to disk if `more` entries do not fit.
    fn make_room(&mut self, more: usize) -> io::Result<()> {
        match &self.storage {
            Storage::Table(dedup) if !dedup.has_room(more, self.budget_bytes) => self.spill(),
            Storage::Table(_) | Storage::Parts(_) => Ok(()),
        }
    }

    /// Moves the entries to disk, unless they are already there.
    ///
    /// # Errors
    /// Returns an error if entries cannot be written to disk.
    pub fn spill(&mut self) -> io::Result<()> {
        let Storage::Table(dedup) = &mut self.storage else { return Ok(()) };
        if self.depth == MAX_DEPTH {
            return Ok(());
        }
        self.spill.expect((dedup.entries() * RECORD_BYTES) as u64)?;
        let entries = std::mem::take(dedup).into_entries();
        let mut parts =
            Parts::new(self.depth, Arc::clone(&self.spill), self.budget_bytes, self.part_bits);
        for entry in entries {
            parts.put(entry)?;
        }
        self.storage = Storage::Parts(parts);
        Ok(())
    }

    /// Returns the partitions on disk; empty if all duplicates have been found. Each of them is
    /// deduplicated in `budget_bytes`.
    pub fn into_parts(self, budget_bytes: usize) -> Vec<Part> {
        match self.storage {
            Storage::Table(_) => Vec::new(),
            Storage::Parts(parts) => parts.finish(budget_bytes),
        }
    }
}

/// Entries on disk, partitioned by a hash of their keys.
#[derive(Debug)]
struct Parts {
    /// Seeded randomly, so that the entries of a partition have different hashes when it is
    /// partitioned again.
    hasher: RandomState,
    depth: u32,
    spill: Arc<Spill>,
    part_bits: u32,
    piece_bytes: usize,
    buffers: Vec<PartBuffer>,
}

/// The entries of one partition.
#[derive(Debug, Default)]
struct PartBuffer {
    written: Vec<Piece>,
    unwritten: Vec<u8>,
}

impl Parts {
    fn new(depth: u32, spill: Arc<Spill>, budget_bytes: usize, part_bits: u32) -> Self {
        let parts = 1 << part_bits;
        let piece_bytes = budget_bytes / PIECES_SHARE / parts / RECORD_BYTES * RECORD_BYTES;
        Self {
            hasher: RandomState::new(),
            depth,
            spill,
            part_bits,
            piece_bytes: piece_bytes.clamp(MIN_PIECE_BYTES, MAX_PIECE_BYTES),
            buffers: (0..parts).map(|_| PartBuffer::default()).collect(),
        }
    }

    fn put(&mut self, entry: Entry) -> io::Result<()> {
        let part = self.hasher.hash_one(entry.key) >> (u64::BITS - self.part_bits);
        #[allow(clippy::cast_possible_truncation)] // it has few bits
        let PartBuffer { written, unwritten } = &mut self.buffers[part as usize];
        // Reserved at once: a buffer grown by doubling could be twice as large.
        unwritten.reserve_exact(self.piece_bytes - unwritten.len());
        write(entry, unwritten);
        if unwritten.len() >= self.piece_bytes {
            written.push(self.spill.keep(&[unwritten])?);
            unwritten.clear();
        }
        Ok(())
    }

    fn finish(self, budget_bytes: usize) -> Vec<Part> {
        let Self { depth, spill, buffers, .. } = self;
        let part = |PartBuffer { mut written, unwritten }| {
            if !unwritten.is_empty() {
                written.push(Piece::Memory(unwritten.into()));
            }
            let spill = Arc::clone(&spill);
            // An empty partition would be divided into empty partitions.
            (!written.is_empty()).then_some(Part {
                budget_bytes,
                depth: depth + 1,
                spill,
                pieces: written,
            })
        };
        buffers.into_iter().filter_map(part).collect()
    }
}

/// A partition: it has all duplicates of each of its entries.
#[derive(Debug)]
pub struct Part {
    budget_bytes: usize,
    depth: u32,
    spill: Arc<Spill>,
    pieces: Vec<Piece>,
}

impl Part {
    /// Returns the events that are duplicates. `place_of` returns the position of an event in the
    /// input.
    ///
    /// # Errors
    /// Returns an error if entries cannot be read, or cannot be written again if the partition is
    /// too large.
    pub fn losers<P: Ord>(self, place_of: &impl Fn(EventRef) -> P) -> io::Result<Vec<EventRef>> {
        let Self { budget_bytes, depth, spill, pieces } = self;
        let mut deduplicator = Deduplicator::at_depth(depth, Arc::clone(&spill), budget_bytes);
        let (mut losers, mut buffer) = (Vec::new(), Vec::new());
        for piece in pieces {
            let (records, _) = spill.read(&piece, &mut buffer)?.as_chunks();
            deduplicator.pass(records.iter().map(read), place_of, &mut losers)?;
        }
        drop(buffer);
        for part in deduplicator.into_parts(budget_bytes) {
            losers.append(&mut part.losers(place_of)?);
        }
        Ok(losers)
    }
}

#[allow(clippy::cast_possible_truncation)] // the lower half of the key
fn write(entry: Entry, bytes: &mut Vec<u8>) {
    let Entry { key, rank: Rank { received, time, content }, event } = entry;
    let times = [received, time].map(|time| time.to_raw().cast_unsigned());
    let words = [key as u64, (key >> 64) as u64, times[0], times[1], content, event.to_raw()];
    for word in words {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
}

fn read(record: &[u8; RECORD_BYTES]) -> Entry {
    let mut words = [0; RECORD_BYTES / 8];
    for (word, bytes) in words.iter_mut().zip(record.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let [low, high, received, time, content, event] = words;
    let [received, time] = [received, time].map(|raw| Time::from_raw(raw.cast_signed()));
    Entry {
        key: u128::from(high) << 64 | u128::from(low),
        rank: Rank { received, time, content },
        event: EventRef::from_raw(event),
    }
}

#[cfg(test)]
mod tests;
