//! A multiset for sequences in which few values repeat most of the time.

use crate::engine::counts::sum_up;

/// The number of distinct values up to which all are compared on insertion; larger multisets are
/// sorted from time to time.
const FEW: usize = 16;

/// Values with their counts.
#[derive(Clone, Debug)]
pub struct Multiset<T> {
    counts: Vec<(T, u64)>,
    /// The number of leading entries that are sorted and distinct.
    sorted: usize,
}

impl<T> Default for Multiset<T> {
    fn default() -> Self {
        Self { counts: Vec::new(), sorted: 0 }
    }
}

impl<T: Ord + Copy> Multiset<T> {
    /// Adds `thing` once.
    pub fn add(&mut self, thing: T) {
        self.add_count(thing, 1);
    }

    /// Adds `thing` `more` times.
    pub fn add_count(&mut self, thing: T, more: u64) {
        // The last entry is compared first, and in large multisets it is the only one.
        let looked_at = if self.counts.len() <= FEW { FEW } else { 1 };
        let mut latest = self.counts.iter_mut().rev().take(looked_at);
        if let Some((_, count)) = latest.find(|(known, _)| *known == thing) {
            *count += more;
            return;
        }
        self.counts.push((thing, more));
        if self.counts.len() > 2 * self.sorted + FEW {
            self.sort();
        }
    }

    /// Sorts the values and merges equal ones.
    pub fn sort(&mut self) {
        sum_up(&mut self.counts);
        self.sorted = self.counts.len();
    }

    /// Returns the memory outside of the struct, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<(T, u64)>()
    }

    /// Returns the values with their counts; sorted and distinct after [`sort`](Self::sort).
    pub fn as_slice(&self) -> &[(T, u64)] {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn counts_each_thing(things in proptest::collection::vec(0_u32..60, 0..400)) {
            let (mut multiset, mut expected) = (Multiset::default(), BTreeMap::new());
            for &thing in &things {
                multiset.add(thing);
                *expected.entry(thing).or_insert(0) += 1;
            }
            multiset.sort();
            prop_assert_eq!(multiset.as_slice(), &expected.into_iter().collect::<Vec<_>>()[..]);
        }
    }
}
