//! A small set for sequences in which few values repeat most of the time.

use smallvec::SmallVec;

/// A set with fast insertion, whose values are sorted by [`sort`](Self::sort).
#[derive(Clone, Debug)]
pub struct Set<T: Copy> {
    /// The last added value, which is the most likely to be added again.
    last: Option<T>,
    values: SmallVec<[T; 4]>,
    sorted: usize,
}

impl<T: Copy> Default for Set<T> {
    fn default() -> Self {
        Self { last: None, values: SmallVec::new(), sorted: 0 }
    }
}

impl<T: Ord + Copy> Set<T> {
    /// Adds `value`.
    pub fn insert(&mut self, value: T) {
        if self.last.replace(value) == Some(value) || self.values.first() == Some(&value) {
            return;
        }
        // Sets of fewer than eight values have no duplicates; larger ones are sorted when their
        // size has doubled.
        if self.values.len() < 8 && self.values.contains(&value) {
            return;
        }
        self.values.push(value);
        if self.values.len() > 2 * self.sorted + 8 {
            self.sort();
        }
    }

    /// Adds all values of `other`.
    pub fn extend(&mut self, other: &Self) {
        other.values.iter().for_each(|&value| self.insert(value));
    }

    /// Sorts the values and removes duplicates.
    pub fn sort(&mut self) {
        self.values.sort_unstable();
        self.values.dedup();
        self.sorted = self.values.len();
    }

    /// Returns the memory outside of the struct, in bytes.
    pub fn heap_bytes(&self) -> usize {
        if self.values.spilled() { self.values.capacity() * size_of::<T>() } else { 0 }
    }

    /// Returns the values; sorted and distinct after [`sort`](Self::sort).
    pub fn as_slice(&self) -> &[T] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn holds_each_value_once(values in proptest::collection::vec(0_u32..60, 0..300)) {
            let mut set = Set::default();
            for &value in &values {
                set.insert(value);
            }
            set.sort();
            let expected: std::collections::BTreeSet<u32> = values.into_iter().collect();
            prop_assert_eq!(set.as_slice(), &expected.into_iter().collect::<Vec<_>>()[..]);
        }
    }
}
