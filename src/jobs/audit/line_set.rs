//! Sets of lines of an allow list that match the same page or screen calls.
//!
//! What several lines match passes until all of them are changed, so a row keeps the number of its
//! set of lines: the index of the line if there is one, otherwise a number above all indices of
//! lines.

use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashMap;

/// The sets of several lines that occurred, in any order: their numbers are valid in one audit
/// only.
#[derive(Debug, Default)]
pub struct LineSets {
    /// The number of lines of the list.
    lines: u32,
    sets: Vec<Arc<[u32]>>,
    numbers: AHashMap<Arc<[u32]>, u32>,
}

impl LineSets {
    /// Creates an empty collection for a list of `lines` lines.
    pub fn new(lines: usize) -> Self {
        Self { lines: u32::try_from(lines).unwrap_or(u32::MAX), ..Self::default() }
    }

    /// Returns the lines of the set `number`, or `None` if it is not a set of several lines.
    pub fn several(&self, number: u32) -> Option<&[u32]> {
        let place = number.checked_sub(self.lines)?;
        self.sets.get(place as usize).map(|set| &**set)
    }

    /// Returns the shared copy of `lines` and the number of their set.
    fn number(&mut self, lines: &[u32]) -> (Arc<[u32]>, u32) {
        if let Some((set, &number)) = self.numbers.get_key_value(lines) {
            return (Arc::clone(set), number);
        }
        let set: Arc<[u32]> = lines.into();
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX).saturating_add(self.lines);
        self.sets.push(Arc::clone(&set));
        self.numbers.insert(Arc::clone(&set), number);
        (set, number)
    }
}

/// A worker's copy of the set numbers, which all workers share.
#[derive(Debug)]
pub struct LineSetNumbers<'a> {
    shared: &'a Mutex<LineSets>,
    known: AHashMap<Arc<[u32]>, u32>,
}

impl<'a> LineSetNumbers<'a> {
    /// Creates an empty copy of `shared`.
    pub fn new(shared: &'a Mutex<LineSets>) -> Self {
        Self { shared, known: AHashMap::new() }
    }

    /// Returns the number of the set of `lines`, which are sorted, or `None` if there are none.
    pub fn of(&mut self, lines: &[u32]) -> Option<u32> {
        if let &[] | &[_] = lines {
            return lines.first().copied();
        }
        if let Some(&number) = self.known.get(lines) {
            return Some(number);
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, number) = shared.number(lines);
        self.known.insert(set, number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_give_a_set_one_number() {
        let shared = Mutex::new(LineSets::new(3));
        let (mut one, mut other) = (LineSetNumbers::new(&shared), LineSetNumbers::new(&shared));
        let first = one.of(&[0, 2]).unwrap();
        let second = other.of(&[0, 1, 2]).unwrap();
        assert_eq!([one.of(&[0, 1, 2]), other.of(&[0, 2])], [Some(second), Some(first)]);
        assert_eq!([one.of(&[1]), one.of(&[])], [Some(1), None]);
        let sets = shared.into_inner().unwrap();
        assert_eq!(sets.several(first), Some(&[0, 2][..]));
        assert_eq!(sets.several(second), Some(&[0, 1, 2][..]));
        assert_eq!([sets.several(2), sets.several(u32::MAX)], [None, None]);
    }
}
