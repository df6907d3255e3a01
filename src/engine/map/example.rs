//! Counters that keep the first few occurrences, with their positions in the input.

use std::ops::AddAssign;

use ahash::AHashMap;

use super::batch::Place;
use crate::engine::exchange::store::{Segment, lines_before};
use crate::source::Files;

/// The number of occurrences that a counter keeps.
const KEPT: usize = 3;

/// The position of a record, which orders as the input does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The block of the record.
    pub place: Place,
    /// The line in the block, from 0.
    pub line: u64,
    /// The number of the record in the block, from 1. Several records can share a line.
    pub record: u64,
}

/// A counter with its first few occurrences, and a value shown for each of them.
#[derive(Clone, Debug)]
pub struct Examples<T> {
    count: u64,
    /// At most [`KEPT`], in input order.
    first: Vec<(Position, T)>,
}

impl<T> Default for Examples<T> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

impl<T> Examples<T> {
    /// Creates a counter of `count` occurrences, none of which is kept.
    pub(in crate::engine) fn counted(count: u64) -> Self {
        Self { count, first: Vec::new() }
    }

    /// Counts an occurrence; calls `show` only if it is among the first.
    pub fn see(&mut self, at: Position, show: impl FnOnce() -> T) {
        self.count += 1;
        let is_late = self.first.last().is_some_and(|(last, _)| *last <= at);
        if self.first.len() < KEPT || !is_late {
            self.keep(at, show());
        }
    }

    /// Keeps the occurrence if it is among the first. Several of one record stay in call order.
    fn keep(&mut self, at: Position, shown: T) {
        let place = self.first.partition_point(|(kept, _)| *kept <= at);
        self.first.insert(place, (at, shown));
        self.first.truncate(KEPT);
    }

    /// Returns the number of occurrences.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the first few occurrences, in input order.
    pub fn first(&self) -> &[(Position, T)] {
        &self.first
    }
}

impl<T> AddAssign for Examples<T> {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        for (at, shown) in other.first {
            self.keep(at, shown);
        }
    }
}

/// Converts positions in blocks to line numbers of files, once all blocks are known.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    files: Files,
    before: AHashMap<Place, u64>,
}

impl Lines {
    /// Creates the line index of `files`, whose committed blocks are `segments`.
    pub fn new(files: Files, segments: &[Segment]) -> Self {
        let places = segments.iter().map(|segment| segment.place);
        Self { files, before: places.zip(lines_before(segments)).collect() }
    }

    /// Creates the line index of `files` from the number of lines of each block.
    pub fn of_blocks(files: Files, mut blocks: Vec<(Place, u64)>) -> Self {
        blocks.sort_unstable();
        let (mut file, mut sum) = (None, 0);
        let before = |(place, lines): (Place, u64)| {
            if file.replace(place.file) != Some(place.file) {
                sum = 0;
            }
            sum += lines;
            (place, sum - lines)
        };
        Self { files, before: blocks.into_iter().map(before).collect() }
    }

    /// Returns the file name of `place` and the line number in the file, from 1, of the line
    /// `line_in_block`, from 0.
    pub fn of(&self, place: Place, line_in_block: u64) -> (String, u64) {
        let before = self.before.get(&place).copied().unwrap_or(0);
        (self.files.name(place.file), before + line_in_block + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(line: u64) -> Position {
        Position {
            place: Place { block: u32::try_from(line / 4).unwrap(), ..Place::default() },
            line,
            record: 0,
        }
    }

    proptest! {
        #[test]
        fn the_first_are_kept_for_any_number_of_workers(
            lines in proptest::collection::btree_set(0_u64..100, 0..20),
            workers in 1_usize..4,
        ) {
            let mut parts = vec![Examples::default(); workers];
            for (turn, &line) in lines.iter().rev().enumerate() {
                parts[turn % workers].see(at(line), || line);
            }
            let mut sum = Examples::default();
            for part in parts {
                sum += part;
            }
            let first: Vec<u64> = sum.first().iter().map(|(_, line)| *line).collect();
            prop_assert_eq!(first, lines.iter().copied().take(KEPT).collect::<Vec<_>>());
            prop_assert_eq!(sum.count(), lines.len() as u64);
        }
    }
}
