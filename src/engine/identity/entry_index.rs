//! Dense indexes for ids that have an entry in a list: all ids, or only those with facts.

use std::ops::Range;

use super::all_ids::AllIds;
use super::ids::NodeId;

/// Indexes of ids, in the order of their numbers.
#[derive(Debug)]
pub enum EntryIndex {
    /// All ids have an entry, at the index of their number; this is how many there are.
    All(u32),
    /// Few of many ids have an entry.
    Some(SparseIndex),
}

/// Indexes for few of many ids: a bit for each id, and the number of bits set before each word.
#[derive(Debug)]
pub struct SparseIndex {
    words: Vec<u64>,
    before: Vec<u32>,
    len: u32,
    /// The numbers of e-mails, which need no entry.
    emails: Range<u32>,
}

impl EntryIndex {
    /// Creates empty indexes for `ids`. If these are in memory, all of them have an entry.
    pub fn new(ids: &AllIds) -> Self {
        match ids {
            #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
            AllIds::Memory(ids) => Self::All(ids.len() as u32),
            AllIds::Disk(_) => Self::Some(SparseIndex {
                words: vec![0; ids.len().div_ceil(64)],
                before: Vec::new(),
                len: 0,
                emails: ids.email_numbers(),
            }),
        }
    }

    /// Returns the number of entries.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::All(len) => *len as usize,
            Self::Some(some) => some.len as usize,
        }
    }

    /// Adds an entry for `id`, whose number must be larger than those before; returns its index.
    pub fn push(&mut self, id: NodeId) -> usize {
        match self {
            Self::All(_) => id.index(),
            Self::Some(some) => {
                some.words[id.index() / 64] |= 1 << (id.index() % 64);
                some.len += 1;
                some.len as usize - 1
            }
        }
    }

    /// Completes the indexes, once all entries are added.
    pub fn finish(&mut self) {
        let Self::Some(some) = self else { return };
        let mut sum = 0;
        let before = |word: &u64| {
            let before = sum;
            sum += word.count_ones();
            before
        };
        some.before = some.words.iter().map(before).collect();
    }

    /// Returns the index of `id`, if it has an entry.
    #[inline]
    pub fn position(&self, id: NodeId) -> Option<usize> {
        match self {
            Self::All(_) => Some(id.index()),
            Self::Some(some) => {
                let word = *some.words.get(id.index() / 64)?;
                let bit = 1 << (id.index() % 64);
                let before = || some.before[id.index() / 64] + (word & (bit - 1)).count_ones();
                (word & bit != 0).then(|| before() as usize)
            }
        }
    }

    /// Returns whether `id` is an e-mail without an entry.
    #[inline]
    pub fn is_email(&self, id: NodeId) -> bool {
        match self {
            Self::All(_) => false,
            Self::Some(some) => some.emails.contains(&id.to_raw()),
        }
    }

    /// Returns the ids with an entry, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        let (all, words) = match self {
            Self::All(len) => (0..*len, &[][..]),
            Self::Some(some) => (0..0, &*some.words),
        };
        let bits = |(place, &word): (u32, &u64)| {
            let rest = move |rest: &u64| Some(rest & (rest - 1)).filter(|&rest| rest != 0);
            let set = std::iter::successors(Some(word).filter(|&word| word != 0), rest);
            set.map(move |rest| place * 64 + rest.trailing_zeros())
        };
        all.chain((0..).zip(words).flat_map(bits)).map(NodeId::from_raw)
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::All(_) => 0,
            Self::Some(some) => some.words.len() * 8 + some.before.len() * 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn few_ids_have_places_in_order(numbers in proptest::collection::btree_set(0_u32..500, 0..80)) {
            let some = SparseIndex { words: vec![0; 8], before: Vec::new(), len: 0, emails: 500..512 };
            let mut index = EntryIndex::Some(some);
            for (place, &number) in numbers.iter().enumerate() {
                prop_assert_eq!(index.push(NodeId::from_raw(number)), place);
            }
            index.finish();
            let places = numbers.iter().map(|&number| index.position(NodeId::from_raw(number)));
            prop_assert!(places.eq((0..numbers.len()).map(Some)));
            let others = (0..512).filter(|number| !numbers.contains(number));
            prop_assert!(others.map(NodeId::from_raw).all(|id| index.position(id).is_none()));
            prop_assert!(index.ids().map(NodeId::to_raw).eq(numbers.iter().copied()));
            prop_assert_eq!(index.len(), numbers.len());
        }
    }
}
