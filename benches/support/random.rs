//! Repeatable randomness: Vigna's `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>, public domain).

/// Spreads the bits of `x` evenly; the same in, the same out.
#[inline]
pub fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A stream of random numbers.
pub struct Random(u64);

impl Random {
    /// The stream that `seed` names.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The next number.
    #[inline]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from 0 up to, not including, `end`; 0 where that is none.
    #[inline]
    pub fn below(&mut self, end: u64) -> u64 {
        // The high half of the product: no division, and no bias worth the name for small ends.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// True so many times in a hundred.
    #[inline]
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// One of `items`, which are not empty.
    #[inline]
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}
