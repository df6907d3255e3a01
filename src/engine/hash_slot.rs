//! The slot of a hash table for an entry of a list: its place in the list, and enough of its
//! hash to grow the table without looking at the entry.

/// The place of an entry, and the upper half of its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub hash: u32,
    pub place: u32,
}

/// The half of a hash that slots keep.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the upper half
pub(crate) fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Both halves of a hash, of which only `upper` is known.
#[inline]
pub(crate) fn spread(upper: u32) -> u64 {
    u64::from(upper) << 32 | u64::from(upper)
}
