//! The first few occurrences of what is counted, with their places in the input.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use ahash::AHashMap;

use super::batch::Place;
use crate::engine::exchange::store::{Segment, lines_before};
use crate::source::{FileId, Input};

/// How many of each kind are kept.
const KEPT: usize = 3;

/// Where an event stands; ordered as the input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The block.
    pub place: Place,
    /// Its line in the block, from 0.
    pub line: u64,
    /// Which record of the block it is, from 1: several can share a line.
    pub record: u64,
}

/// A count, and the first few that were counted with what is shown of them.
#[derive(Clone, Debug)]
pub struct Examples<T> {
    count: u64,
    /// In the order of the input.
    first: Vec<(Position, T)>,
}

impl<T> Default for Examples<T> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

impl<T> Examples<T> {
    /// So many, of which none is shown.
    pub(in crate::engine) fn counted(count: u64) -> Self {
        Self { count, first: Vec::new() }
    }

    /// Counts one more; `show` is called only where it is among the first.
    pub fn see(&mut self, at: Position, show: impl FnOnce() -> T) {
        self.count += 1;
        let is_late = self.first.last().is_some_and(|(last, _)| *last <= at);
        if self.first.len() < KEPT || !is_late {
            self.keep(at, show());
        }
    }

    /// Keeps what stands at `at` if it is among the first. Of one event what came first stays first.
    fn keep(&mut self, at: Position, shown: T) {
        let place = self.first.partition_point(|(kept, _)| *kept <= at);
        self.first.insert(place, (at, shown));
        self.first.truncate(KEPT);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first few, in the order of the input.
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

/// Turns places in blocks into lines of files, once all blocks are known.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    files: BTreeMap<FileId, Input>,
    before: AHashMap<Place, u64>,
}

impl Lines {
    /// The lines of `files`, of which `segments` are the settled blocks.
    pub fn new(files: BTreeMap<FileId, Input>, segments: &[Segment]) -> Self {
        let places = segments.iter().map(|segment| segment.place);
        Self { files, before: places.zip(lines_before(segments)).collect() }
    }

    /// The lines of `files`, whose blocks have so many each.
    pub fn of_blocks(files: BTreeMap<FileId, Input>, mut blocks: Vec<(Place, u64)>) -> Self {
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

    /// The file of `place`, and the line of the file that `line_in_block`, from 0, is, from 1.
    pub fn of(&self, place: Place, line_in_block: u64) -> (&str, u64) {
        let file = self.files.get(&place.file).map_or("", |file| file.display.as_str());
        (file, self.before.get(&place).copied().unwrap_or(0) + line_in_block + 1)
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
        fn the_first_are_kept_whoever_saw_them(
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
