//! The sizes of the parts of multipart uploads.

/// The size of the first parts. Stores require at least 5 MiB.
const FIRST_BYTES: usize = 8 << 20;
/// The number of parts of one size; then the size doubles.
const PARTS_PER_SIZE: usize = 1000;
/// How often the size doubles. The largest parts have 2 GiB; Azure permits 4,000 MiB.
const MAX_DOUBLINGS: usize = 8;

/// Returns the size of the part `number`, counted from 0, in bytes. Sizes grow, so that the 10,000
/// parts of an upload suffice for the largest possible object, while those of small objects take
/// little memory.
pub(super) fn part_bytes(number: usize) -> usize {
    FIRST_BYTES << (number / PARTS_PER_SIZE).min(MAX_DOUBLINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_suffice_for_the_largest_object() {
        let sizes: Vec<usize> = (0..10_000).map(part_bytes).collect();
        assert!(sizes.iter().sum::<usize>() >= 5 << 40, "S3 has objects of 5 TiB");
        assert!(sizes.is_sorted() && sizes[0] >= 5 << 20 && sizes[9_999] <= 4000 << 20);
        assert!(sizes[..1000].iter().all(|&bytes| bytes == sizes[0]));
    }
}
