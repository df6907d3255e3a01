//! A k-way merge of sorted sequences.

use std::io;

/// A position in a sorted sequence.
pub trait Cursor {
    /// Advances to the next item; returns whether there is one.
    ///
    /// # Errors
    /// Returns an error if the item cannot be read.
    fn advance(&mut self) -> io::Result<bool>;

    /// Returns whether the current item comes before that of `other`.
    fn is_before(&self, other: &Self) -> bool;
}

/// Merges sorted sequences into one.
#[derive(Debug)]
pub struct Merge<C> {
    /// A binary min-heap of the sequences that are not at their end.
    heap: Vec<C>,
}

impl<C: Cursor> Merge<C> {
    /// Creates a merge of sequences that have not been advanced yet.
    ///
    /// # Errors
    /// Returns an error if the first item of a sequence cannot be read.
    pub fn new(cursors: impl IntoIterator<Item = C>) -> io::Result<Self> {
        let mut heap = Vec::new();
        for mut cursor in cursors {
            if cursor.advance()? {
                heap.push(cursor);
            }
        }
        let mut merge = Self { heap };
        for place in (0..merge.heap.len() / 2).rev() {
            merge.sink(place);
        }
        Ok(merge)
    }

    /// Returns the sequence with the next item, or `None` after the last.
    #[inline]
    pub fn first(&mut self) -> Option<&mut C> {
        self.heap.first_mut()
    }

    /// Advances past the next item.
    ///
    /// # Errors
    /// Returns an error if the item after it cannot be read.
    #[inline]
    pub fn advance(&mut self) -> io::Result<()> {
        if let Some(first) = self.heap.first_mut()
            && !first.advance()?
        {
            self.heap.swap_remove(0);
        }
        self.sink(0);
        Ok(())
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let left = 2 * place + 1;
            let Some(mut least) = self.heap.get(left).map(|_| left) else { return };
            if let Some(right) = self.heap.get(left + 1)
                && right.is_before(&self.heap[left])
            {
                least = left + 1;
            }
            if !self.heap[least].is_before(&self.heap[place]) {
                return;
            }
            self.heap.swap(least, place);
            place = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Numbers {
        rest: std::vec::IntoIter<u32>,
        item: u32,
    }

    impl Cursor for Numbers {
        fn advance(&mut self) -> io::Result<bool> {
            let next = self.rest.next();
            self.item = next.unwrap_or_default();
            Ok(next.is_some())
        }

        fn is_before(&self, other: &Self) -> bool {
            self.item < other.item
        }
    }

    proptest! {
        #[test]
        fn items_come_in_order(mut runs: Vec<Vec<u32>>) {
            for run in &mut runs {
                run.sort_unstable();
            }
            let mut expected = runs.concat();
            expected.sort_unstable();
            let numbers = |run: Vec<u32>| Numbers { rest: run.into_iter(), item: 0 };
            let mut merge = Merge::new(runs.into_iter().map(numbers)).unwrap();
            let mut merged = Vec::new();
            while let Some(first) = merge.first() {
                merged.push(first.item);
                merge.advance().unwrap();
            }
            prop_assert_eq!(merged, expected);
        }
    }
}
