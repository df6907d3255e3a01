//! Counts by event name.
//!
//! There can be as many names as events, for instance if a number is part of each name. The texts
//! are therefore stored back to back, and further counts by name are lists in the order of the
//! names.

use std::cmp::Reverse;
use std::ops::AddAssign;

use ahash::RandomState;
use hashbrown::HashTable;

use crate::engine::hash_slot::{Slot, spread, upper};
use crate::event::CallType;

/// The position of a name in the texts, and its call.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u64,
    len: u32,
    call: CallType,
}

impl Entry {
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // it was a usize
    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

/// Counts by call and event name. Names have indexes from 0 in the order in which they were added.
#[derive(Debug, Default)]
pub struct Names {
    hasher: RandomState,
    table: HashTable<Slot>,
    entries: Vec<Entry>,
    counts: Vec<u64>,
    /// The texts of all names, back to back.
    texts: String,
    /// The index of the name of each call with a fixed name, once it was added.
    fixed: [Option<u32>; CallType::ALL.len()],
}

/// The most frequent names, with the number of others.
#[derive(Debug)]
pub struct Ranked<'a> {
    /// Call, name and count, by descending count, then by call and name.
    pub first: Vec<(CallType, &'a str, u64)>,
    /// The number of names that are not in `first`.
    pub others: u64,
    /// The sum of the counts of those names.
    pub other_count: u64,
}

impl Names {
    /// Adds `count` events with this name; allocates only for a new name.
    #[inline]
    pub fn add(&mut self, call: CallType, name: &str, count: u64) {
        let place = match self.fixed[call as usize] {
            Some(place) if call.fixed_name() == Some(name) => place,
            _ => self.intern(call, name),
        };
        self.counts[place as usize] += count;
    }

    fn intern(&mut self, call: CallType, name: &str) -> u32 {
        let hash = self.hash(call, name);
        if let Some(place) = self.place_hashed(call, name, hash) {
            return place;
        }
        #[allow(clippy::cast_possible_truncation)] // a name is shorter than its 4 GiB record
        let entry = Entry { start: self.texts.len() as u64, len: name.len() as u32, call };
        #[allow(clippy::cast_possible_truncation)] // 2^32 names would take 200 GB
        let place = self.entries.len() as u32;
        self.texts.push_str(name);
        self.entries.push(entry);
        self.counts.push(0);
        self.table.insert_unique(spread(hash), Slot { hash, place }, |slot| spread(slot.hash));
        if call.fixed_name() == Some(name) {
            self.fixed[call as usize] = Some(place);
        }
        place
    }

    #[inline]
    fn hash(&self, call: CallType, name: &str) -> u32 {
        upper(self.hasher.hash_one((call as u8, name)))
    }

    #[inline]
    fn place_hashed(&self, call: CallType, name: &str, hash: u32) -> Option<u32> {
        let same = |slot: &Slot| slot.hash == hash && self.get(slot.place) == (call, name);
        self.table.find(spread(hash), same).map(|slot| slot.place)
    }

    /// Returns the index of a name, or `None` if it was not added.
    #[inline]
    pub fn place(&self, call: CallType, name: &str) -> Option<u32> {
        match self.fixed[call as usize] {
            Some(place) if call.fixed_name() == Some(name) => Some(place),
            _ => self.place_hashed(call, name, self.hash(call, name)),
        }
    }

    /// Returns the call and the name at index `place`.
    #[inline]
    pub fn get(&self, place: u32) -> (CallType, &str) {
        let entry = self.entries[place as usize];
        (entry.call, &self.texts[entry.range()])
    }

    /// Returns the number of names.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns all names with their counts, in the order of their indexes.
    pub fn iter(&self) -> impl Iterator<Item = (CallType, &str, u64)> {
        self.entries
            .iter()
            .zip(&self.counts)
            .map(|(entry, &count)| (entry.call, &self.texts[entry.range()], count))
    }

    /// Returns all names with their counts, by descending count, then by call and name.
    pub fn sorted(&self) -> Vec<(CallType, &str, u64)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_unstable_by_key(|&(call, name, count)| (Reverse(count), call, name));
        all
    }

    /// Returns the `most` most frequent names. Names with a count of 0 are left out.
    pub fn ranked(&self, most: usize) -> Ranked<'_> {
        self.ranked_by(&self.counts, most)
    }

    /// Like [`ranked`](Self::ranked), by other `counts`, which are indexed as names are; missing
    /// ones are 0.
    pub fn ranked_by(&self, counts: &[u64], most: usize) -> Ranked<'_> {
        let count = |place: u32| counts.get(place as usize).copied().unwrap_or(0);
        let key = |&place: &u32| (Reverse(count(place)), self.get(place));
        let mut places: Vec<u32> = (0..).take(self.len()).filter(|&at| count(at) > 0).collect();
        let shown = places.len().min(most);
        if shown < places.len() {
            places.select_nth_unstable_by_key(shown, key);
        }
        let (first, others) = places.split_at_mut(shown);
        first.sort_unstable_by_key(key);
        let named = |&place: &u32| {
            let (call, name) = self.get(place);
            (call, name, count(place))
        };
        Ranked {
            first: first.iter().map(named).collect(),
            others: others.len() as u64,
            other_count: others.iter().map(|&place| count(place)).sum(),
        }
    }
}

impl AddAssign for Names {
    fn add_assign(&mut self, mut other: Self) {
        if self.len() < other.len() {
            std::mem::swap(self, &mut other);
        }
        for (call, name, count) in other.iter() {
            self.add(call, name, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn counted(adds: &[(usize, String, u64)]) -> Names {
        let mut names = Names::default();
        for (call, name, count) in adds {
            names.add(CallType::ALL[*call], name, *count);
        }
        names
    }

    proptest! {
        #[test]
        fn names_are_counted_and_ranked_as_by_a_map(
            adds in prop::collection::vec(
                (0..CallType::ALL.len(), prop_oneof!["[ab]{0,2}", Just("Page Viewed".to_owned())], 0..4_u64),
                0..40,
            ),
            cut in any::<prop::sample::Index>(),
            most in 0..12_usize,
        ) {
            let mut map: BTreeMap<(CallType, &str), u64> = BTreeMap::new();
            for (call, name, count) in &adds {
                *map.entry((CallType::ALL[*call], name)).or_default() += count;
            }
            let mut expected: Vec<_> =
                map.iter().map(|(&(call, name), &count)| (call, name, count)).collect();
            expected.sort_by_key(|&(.., count)| Reverse(count));
            let (one, other) = adds.split_at(cut.index(adds.len() + 1));
            let mut names = counted(one);
            names += counted(other);
            prop_assert_eq!(names.sorted(), expected.clone());
            for &(call, name, count) in &expected {
                let place = names.place(call, name).unwrap();
                prop_assert_eq!(names.get(place), (call, name));
                prop_assert_eq!(names.counts[place as usize], count);
            }
            prop_assert_eq!(names.place(CallType::Track, "another"), None);
            expected.retain(|&(.., count)| count > 0);
            let ranked = names.ranked(most);
            let (first, others) = expected.split_at(expected.len().min(most));
            prop_assert_eq!(ranked.first, first);
            prop_assert_eq!(ranked.others, others.len() as u64);
            prop_assert_eq!(ranked.other_count, others.iter().map(|other| other.2).sum::<u64>());
        }
    }
}
