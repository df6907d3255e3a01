//! Estimates the number of distinct values in bounded memory.

use datasketches::hll::{HllType, HllUnion};

/// The base-2 logarithm of the number of registers in a sketch; each is a byte.
const LG_REGISTERS: u8 = 12;
/// The standard error of an estimate, relative to the true count: 1.04 divided by the square root
/// of the number of registers (Flajolet et al., 2007).
pub const STANDARD_ERROR: f64 = 1.04 / 64.0;
/// The approximate count up to which a sketch lists the hashes, so that its count is exact except
/// for collisions of 26-bit hashes.
pub const EXACT_UP_TO: u64 = 300;

/// Counts distinct hashes in a `HyperLogLog` sketch of at most 4 KiB. The count depends neither on
/// the order of the hashes nor on how they were divided between sketches.
#[derive(Debug, Default)]
pub struct Distinct(Option<HllUnion>);

impl Distinct {
    /// Adds a hash.
    #[inline]
    pub fn see(&mut self, hash: u64) {
        if self.0.is_none() {
            self.0 = HllUnion::new(LG_REGISTERS).ok();
        }
        if let Some(sketch) = &mut self.0 {
            sketch.update_value(hash);
        }
    }

    /// Adds all hashes of `other`.
    pub fn absorb(&mut self, other: Self) {
        match (&mut self.0, other.0) {
            (Some(sketch), Some(other)) => sketch.update(&other.to_sketch(HllType::Hll8)),
            (None, other) => self.0 = other,
            (Some(_), None) => {}
        }
    }

    /// Returns the approximate number of distinct hashes.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, |sketch| sketch.composite_estimate().round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    fn seen(things: impl IntoIterator<Item = u64>) -> Distinct {
        let mut distinct = Distinct::default();
        for thing in things {
            distinct.see(xxh3_64(&thing.to_le_bytes()));
        }
        distinct
    }

    #[test]
    fn few_are_counted_and_many_are_estimated_within_the_stated_error() {
        assert_eq!(Distinct::default().count(), 0);
        for count in [1, 2, 7, 100, EXACT_UP_TO] {
            assert_eq!(seen((0..count).chain(0..count)).count(), count);
        }
        for count in [1_000_u64, 30_000, 400_000] {
            let error = seen(0..count).count().abs_diff(count);
            // Four standard errors. The hashes are always the same, so the test cannot fail by
            // chance.
            #[allow(clippy::cast_precision_loss)]
            let most = count as f64 * STANDARD_ERROR * 4.0;
            #[allow(clippy::cast_precision_loss)]
            let error = error as f64;
            assert!(error < most, "{count}: {error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn neither_order_nor_division_matters(
            mut things in prop::collection::vec(0_u64..4_000, 0..3_000),
            cut in 0_usize..3_000,
        ) {
            let whole = seen(things.iter().copied()).count();
            let mut parts = seen(things[cut.min(things.len())..].iter().copied());
            parts.absorb(seen(things[..cut.min(things.len())].iter().copied()));
            prop_assert_eq!(parts.count(), whole);
            things.reverse();
            prop_assert_eq!(seen(things).count(), whole);
        }
    }
}
