//! How many different things there are, in little memory.

use datasketches::hll::{HllType, HllUnion};

/// A sketch has two to this power registers, of a byte each.
const LG_REGISTERS: u8 = 12;
/// The standard error of an estimate, as a share of the true count: 1.04 over the square root of
/// the number of registers (Flajolet et al., 2007).
pub const STANDARD_ERROR: f64 = 1.04 / 64.0;
/// Up to about so many, a sketch lists what it has seen, and its count is exact but for chance
/// collisions of 26-bit hashes.
pub const LISTED: u64 = 300;

/// Counts different hashes: a `HyperLogLog` sketch of at most 4 KiB. What it says depends neither
/// on the order in which they came nor on how they were divided between sketches.
#[derive(Debug, Default)]
pub struct Distinct(Option<HllUnion>);

impl Distinct {
    /// Sees something of this hash.
    #[inline]
    pub fn see(&mut self, hash: u64) {
        if self.0.is_none() {
            self.0 = HllUnion::new(LG_REGISTERS).ok();
        }
        if let Some(sketch) = &mut self.0 {
            sketch.update_value(hash);
        }
    }

    /// Sees all that `other` has seen.
    pub fn absorb(&mut self, other: Self) {
        match (&mut self.0, other.0) {
            (Some(sketch), Some(other)) => sketch.update(&other.to_sketch(HllType::Hll8)),
            (None, other) => self.0 = other,
            (Some(_), None) => {}
        }
    }

    /// About how many different hashes it has seen.
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
        for count in [1, 2, 7, 100, LISTED] {
            assert_eq!(seen((0..count).chain(0..count)).count(), count);
        }
        for count in [1_000_u64, 30_000, 400_000] {
            let error = seen(0..count).count().abs_diff(count);
            // Four standard errors: chance has no say, since the hashes are always the same.
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
