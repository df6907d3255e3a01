//! Assigns ids and events to buckets.

use xxhash_rust::xxh3::xxh3_64;

use crate::engine::exchange::event_row::EventRow;

/// The number of characters from which on an integer may not be exact as a double.
const LONG_INTEGER: usize = 16;

/// Returns the bucket of an id or e-mail: its XXH3 (64 bits, seed 0) modulo `buckets`.
///
/// A long integer is hashed as the nearest double. The content hash writes numbers as doubles, so
/// that two events can be duplicates although their ids, as numbers, have different digits.
pub fn bucket_of(id: &str, buckets: u32) -> u32 {
    modulo(hash(id), buckets)
}

fn hash(id: &str) -> u64 {
    let digits = id.strip_prefix('-').unwrap_or(id);
    if id.len() >= LONG_INTEGER
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = id.parse::<f64>()
    {
        return xxh3_64(&number.to_bits().to_le_bytes());
    }
    xxh3_64(id.as_bytes())
}

#[allow(clippy::cast_possible_truncation)] // below `buckets`
fn modulo(hash: u64, buckets: u32) -> u32 {
    (hash % u64::from(buckets.max(1))) as u32
}

/// Returns the bucket of a content hash or another deduplication key.
pub fn bucket_of_hash(key: u128, buckets: u32) -> u32 {
    modulo(xxh3_64(&key.to_be_bytes()), buckets)
}

/// Returns the bucket of the visitor of `row`: that of its anonymous id, or else of its user id, or
/// else of its content hash, which spreads events without ids evenly. Blocked ids are ignored.
pub(super) fn bucket_of_row(row: &EventRow<'_>, buckets: u32) -> u32 {
    match row.visitor().or_else(|| row.user()) {
        Some(id) => bucket_of(id, buckets),
        None => bucket_of_hash(row.key.signal_id, buckets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_one_double_are_of_one_bucket() {
        let of = |id| hash(id);
        assert_eq!(of("9223372036854775808"), of("9223372036854776000"));
        assert_ne!(of("7"), of("07"));
        assert_ne!(of("1234567890123456"), of("1234567890123457"));
        // Other programs store buckets, so the hash must never change.
        assert_eq!(of("a"), xxh3_64(b"a"));
        let of_buckets: Vec<_> = [1, 7, 1_000].map(|buckets| bucket_of("a", buckets)).into();
        assert_eq!(of_buckets[0], 0);
        assert!(of_buckets[1] < 7 && of_buckets[2] < 1_000);
    }
}
