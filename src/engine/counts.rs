//! Lists of values with their counts.

/// Sorts the values and merges equal ones, whose counts are added.
pub(crate) fn sum_up<T: Ord + Copy>(counts: &mut Vec<(T, u64)>) {
    counts.sort_unstable_by_key(|&(thing, _)| thing);
    counts.dedup_by(|(thing, count), (kept, sum)| {
        let same = thing == kept;
        *sum += if same { *count } else { 0 };
        same
    });
}
