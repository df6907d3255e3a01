//! How large the parts of an object are.

/// The first parts. Stores want 5 MiB at least.
const FIRST_BYTES: usize = 8 << 20;
/// So many parts have one size, then it doubles.
const PARTS_OF_A_SIZE: usize = 1000;
/// How often it doubles: the largest parts have 2 GiB, and Azure takes 4,000 MiB.
const MOST_DOUBLINGS: usize = 8;

/// The size of the part with this number from 0. They grow, so that the 10,000 parts that an object
/// may have hold the largest object that there may be, and those of a small one take little memory.
pub(super) fn part_bytes(number: usize) -> usize {
    FIRST_BYTES << (number / PARTS_OF_A_SIZE).min(MOST_DOUBLINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_hold_the_largest_object_of_a_store() {
        let sizes: Vec<usize> = (0..10_000).map(part_bytes).collect();
        assert!(sizes.iter().sum::<usize>() >= 5 << 40, "S3 has objects of 5 TiB");
        assert!(sizes.is_sorted() && sizes[0] >= 5 << 20 && sizes[9_999] <= 4000 << 20);
        assert!(sizes[..1000].iter().all(|&bytes| bytes == sizes[0]));
    }
}
