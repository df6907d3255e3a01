//! Repeatable random numbers: Vigna's `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>, public
//! domain).

/// Spreads the bits of `x` evenly; a pure function.
#[inline]
pub fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A stream of random numbers.
pub struct Random(u64);

impl Random {
    /// Creates the stream for `seed`.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Returns the next number.
    #[inline]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Returns a number from 0 up to `end`, excluded; 0 if `end` is 0.
    #[inline]
    pub fn below(&mut self, end: u64) -> u64 {
        // The high half of the product needs no division, and its bias is negligible for small
        // ends.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// Returns `true` with a probability of `share` percent.
    #[inline]
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// Returns one of `items`, which must not be empty.
    #[inline]
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}
