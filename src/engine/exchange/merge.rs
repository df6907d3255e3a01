//! Several sorted sequences as one.

use std::io;

/// A sorted sequence, at one of its items.
pub trait Cursor {
    /// Goes to the next item; whether there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    fn advance(&mut self) -> io::Result<bool>;

    /// Whether its item comes before that of `other`.
    fn is_before(&self, other: &Self) -> bool;
}

/// The items of several sorted sequences in order.
#[derive(Debug)]
pub struct Merge<C> {
    /// A binary heap of the sequences that have an item: none is before the one above it.
    heap: Vec<C>,
}

impl<C: Cursor> Merge<C> {
    /// Merges sequences of which none has been read.
    ///
    /// # Errors
    /// When the first item of one cannot be read.
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

    /// The sequence with the next item; `None` after the last.
    #[inline]
    pub fn first(&mut self) -> Option<&mut C> {
        self.heap.first_mut()
    }

    /// Passes over the next item.
    ///
    /// # Errors
    /// When the one behind it cannot be read.
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
