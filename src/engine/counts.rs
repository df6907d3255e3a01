//! Lists of things and how often each was counted.

/// Puts the things in order, each once and with all of its count.
pub(crate) fn sum_up<T: Ord + Copy>(counts: &mut Vec<(T, u64)>) {
    counts.sort_unstable_by_key(|&(thing, _)| thing);
    counts.dedup_by(|(thing, count), (kept, sum)| {
        let same = thing == kept;
        *sum += if same { *count } else { 0 };
        same
    });
}
