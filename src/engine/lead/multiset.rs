//! A multiset for values of which mostly the same few repeat.

use crate::engine::counts::sum_up;

/// So many different things are looked through; more are put in order now and then.
const FEW: usize = 16;

/// How often each of several things was added.
#[derive(Clone, Debug)]
pub struct Multiset<T> {
    counts: Vec<(T, u64)>,
    /// So many of them are in order, each thing once.
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

    /// Adds `thing` so many times.
    pub fn add_count(&mut self, thing: T, more: u64) {
        // The last one first; where there are many, no other.
        let looked_at = if self.counts.len() <= FEW { FEW } else { 1 };
        let mut latest = self.counts.iter_mut().rev().take(looked_at);
        if let Some((_, count)) = latest.find(|(known, _)| *known == thing) {
            *count += more;
            return;
        }
        self.counts.push((thing, more));
        if self.counts.len() > 2 * self.sorted + FEW {
            self.settle();
        }
    }

    /// Puts the things in order, each with all of its count.
    pub fn settle(&mut self) {
        sum_up(&mut self.counts);
        self.sorted = self.counts.len();
    }

    /// The things and their counts; in order and each once when the multiset is settled.
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
            multiset.settle();
            prop_assert_eq!(multiset.as_slice(), &expected.into_iter().collect::<Vec<_>>()[..]);
        }
    }
}
