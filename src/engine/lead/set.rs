//! A small set for values of which mostly the same few repeat.

use smallvec::SmallVec;

/// A set; cheap to add to, sorted once it is [settled](Self::settle).
#[derive(Clone, Debug)]
pub struct Set<T: Copy> {
    /// The one that was added last: mostly it is added again.
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
        // Small sets stay exact; large ones are sorted whenever they have doubled.
        if self.values.len() < 8 && self.values.contains(&value) {
            return;
        }
        self.values.push(value);
        if self.values.len() > 2 * self.sorted + 8 {
            self.settle();
        }
    }

    /// Adds all values of `other`.
    pub fn extend(&mut self, other: &Self) {
        other.values.iter().for_each(|&value| self.insert(value));
    }

    /// Leaves each value once, in order.
    pub fn settle(&mut self) {
        self.values.sort_unstable();
        self.values.dedup();
        self.sorted = self.values.len();
    }

    /// The values; sorted once the set is settled.
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
            set.settle();
            let expected: std::collections::BTreeSet<u32> = values.into_iter().collect();
            prop_assert_eq!(set.as_slice(), &expected.into_iter().collect::<Vec<_>>()[..]);
        }
    }
}
