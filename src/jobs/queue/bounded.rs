//! A map from names to values with a bounded number of names, whatever the input contains.

use std::ops::AddAssign;

use ahash::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;
use xxhash_rust::xxh3::xxh3_64;

use super::distinct::Distinct;

/// The maximum length of a name that is kept, in bytes.
const LONGEST: usize = 512;
/// The number of digits from which a name looks machine-made, and the maximum length of a word that
/// does not.
const DIGITS: usize = 4;
const LONGEST_WORD: usize = 40;

/// A value that counts occurrences.
pub trait Weight {
    /// Returns the number of occurrences.
    fn weight(&self) -> u64;
}

/// The values of at most `MOST` names. The names that are kept come first in an order that depends
/// only on the names (fewer path steps first, then names that people choose, then by bytes). So
/// they depend neither on the order of the input nor on the number of workers, and their values are
/// complete.
#[derive(Debug)]
pub struct Bounded<V, const MOST: usize> {
    values: HashMap<String, V, RandomState>,
    /// The last name that is kept; later names are rejected.
    last: Option<String>,
    rest: Rest,
}

/// What is known about the names that are not kept.
#[derive(Debug, Default)]
pub struct Rest {
    /// The approximate number of these names.
    pub names: Distinct,
    /// The number of their occurrences.
    pub count: u64,
}

impl Rest {
    fn add(&mut self, name: &str, count: u64) {
        self.names.see(xxh3_64(name.as_bytes()));
        self.count += count;
    }
}

impl<V, const MOST: usize> Default for Bounded<V, MOST> {
    fn default() -> Self {
        Self { values: HashMap::default(), last: None, rest: Rest::default() }
    }
}

impl<V: Default + Weight + AddAssign, const MOST: usize> Bounded<V, MOST> {
    /// Returns the value of `name`. If `name` is not kept, counts it as one of the rest and returns
    /// `None`.
    #[inline]
    pub fn get(&mut self, name: &str) -> Option<&mut V> {
        self.get_for(name, 1)
    }

    fn get_for(&mut self, name: &str, count: u64) -> Option<&mut V> {
        if self.values.len() >= MOST * 2 {
            self.trim();
        }
        let Self { values, last, rest } = self;
        match values.entry_ref(name) {
            EntryRef::Occupied(kept) => Some(kept.into_mut()),
            EntryRef::Vacant(free) => {
                let is_late = last.as_deref().is_some_and(|last| rank(name) > rank(last));
                if is_late || name.len() > LONGEST {
                    rest.add(name, count);
                    return None;
                }
                Some(free.insert(V::default()))
            }
        }
    }

    /// Removes all but the first `MOST` names.
    fn trim(&mut self) {
        if self.values.len() <= MOST {
            return;
        }
        let mut names: Vec<String> = self.values.keys().cloned().collect();
        let (_, last, _) = names.select_nth_unstable_by(MOST - 1, |a, b| rank(a).cmp(&rank(b)));
        let last = std::mem::take(last);
        let rest = &mut self.rest;
        self.values.retain(|name, value| {
            let stays = rank(name) <= rank(&last);
            if !stays {
                rest.add(name, value.weight());
            }
            stays
        });
        self.last = Some(last);
    }

    /// Returns the kept names in order, and the counts of the rest.
    pub fn into_sorted(mut self) -> (Vec<(String, V)>, Rest) {
        self.trim();
        let mut sorted: Vec<(String, V)> = self.values.into_iter().collect();
        sorted.sort_unstable_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)));
        (sorted, self.rest)
    }
}

impl<V: Default + Weight + AddAssign, const MOST: usize> AddAssign for Bounded<V, MOST> {
    fn add_assign(&mut self, other: Self) {
        for (name, value) in other.values {
            if let Some(kept) = self.get_for(&name, value.weight()) {
                *kept += value;
            }
        }
        self.rest.names.absorb(other.rest.names);
        self.rest.count += other.rest.count;
    }
}

/// Returns the sort key of a name: the names with the smallest keys are kept.
fn rank(name: &str) -> (usize, bool, &str) {
    let depth = name.bytes().filter(|&byte| byte == b'.').count();
    (depth, is_machine_made(name), name)
}

/// Returns `true` if a word of `name` looks like an id rather than a name that a person chose.
pub(super) fn is_machine_made(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    digits >= DIGITS || name.split('.').any(|word| word.len() > LONGEST_WORD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Default, PartialEq)]
    struct Count(u64);

    impl Weight for Count {
        fn weight(&self) -> u64 {
            self.0
        }
    }

    impl AddAssign for Count {
        fn add_assign(&mut self, other: Self) {
            self.0 += other.0;
        }
    }

    fn counted(names: &[String]) -> Bounded<Count, 8> {
        let mut counts: Bounded<Count, 8> = Bounded::default();
        for name in names {
            if let Some(count) = counts.get(name) {
                count.0 += 1;
            }
        }
        counts
    }

    fn told(counts: Bounded<Count, 8>) -> (Vec<(String, Count)>, u64, u64) {
        let (kept, rest) = counts.into_sorted();
        (kept, rest.names.count(), rest.count)
    }

    #[test]
    fn names_that_people_gave_stay_among_a_million_ids() {
        let mut names: Vec<String> =
            (0..20_000).map(|id| format!("properties.by_id.7f{id:06}")).collect();
        names.push("properties.email".into());
        names.insert(0, "properties.email".into());
        let (kept, rest, times) = told(counted(&names));
        assert_eq!(kept[0], ("properties.email".into(), Count(2)));
        assert_eq!((kept.len(), times), (8, 20_000 - 7));
        assert!(rest.abs_diff(20_000 - 7) < 1_000, "{rest}");
    }

    #[test]
    fn a_giant_name_is_one_of_the_rest() {
        let (kept, rest, times) = told(counted(&["x".repeat(LONGEST + 1), "a".into()]));
        assert_eq!((kept, rest, times), (vec![("a".into(), Count(1))], 1, 1));
    }

    proptest! {
        #[test]
        fn neither_order_nor_division_matters(
            mut names in prop::collection::vec("[ab]{1,2}(\\.[a-c0-9]{1,5})?", 0..200),
            cut in 0_usize..200,
        ) {
            let whole = told(counted(&names));
            prop_assert_eq!(
                whole.0.iter().map(|(_, count)| count.0).sum::<u64>() + whole.2,
                names.len() as u64
            );
            let cut = cut.min(names.len());
            let mut parts = counted(&names[cut..]);
            parts += counted(&names[..cut]);
            prop_assert_eq!(&told(parts), &whole);
            names.reverse();
            prop_assert_eq!(&told(counted(&names)), &whole);
        }
    }
}
