//! Hash table slots for entries that live in a separate list: the index of the entry, and enough of
//! its hash to grow the table without reading the entry.

/// The index of an entry, with the upper half of its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub hash: u32,
    pub place: u32,
}

/// Returns the half of a hash that slots keep.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the upper half
pub(crate) fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Returns a 64-bit hash whose halves are both `upper`, the half that slots keep. The table is
/// probed with it, as the lower half is not kept.
#[inline]
pub(crate) fn spread(upper: u32) -> u64 {
    u64::from(upper) << 32 | u64::from(upper)
}
