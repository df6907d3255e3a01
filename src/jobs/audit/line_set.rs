//! Sets of lines of an allow list that take the same pages or screens.
//!
//! What several lines take passes until all of them are changed, so a row keeps the number of its
//! set of lines: that of the line where there is one, else a number behind those of the lines.

use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashMap;

/// The sets of several lines that were met, in any order: a number means nothing outside one audit.
#[derive(Debug, Default)]
pub struct LineSets {
    /// How many lines the list has.
    lines: u32,
    sets: Vec<Arc<[u32]>>,
    numbers: AHashMap<Arc<[u32]>, u32>,
}

impl LineSets {
    /// No sets yet, of a list of so many lines.
    pub fn new(lines: usize) -> Self {
        Self { lines: u32::try_from(lines).unwrap_or(u32::MAX), ..Self::default() }
    }

    /// The lines of the set `number`; `None` where it is no set of several.
    pub fn several(&self, number: u32) -> Option<&[u32]> {
        let place = number.checked_sub(self.lines)?;
        self.sets.get(place as usize).map(|set| &**set)
    }

    /// The number of the set of these `lines`, and the lines to keep beside it.
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

/// What one worker knows of the sets that all workers share.
#[derive(Debug)]
pub struct LineSetNumbers<'a> {
    shared: &'a Mutex<LineSets>,
    known: AHashMap<Arc<[u32]>, u32>,
}

impl<'a> LineSetNumbers<'a> {
    /// Numbers of the sets in `shared`.
    pub fn new(shared: &'a Mutex<LineSets>) -> Self {
        Self { shared, known: AHashMap::new() }
    }

    /// The number of the set of these `lines`, which are sorted; `None` of no line.
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
