//! Counts with the first places in the input.

use std::ops::AddAssign;

use crate::engine::map::batch::Place;

/// The number of places kept for each count.
const EXAMPLES: usize = 2;

/// A line of the input, ordered by its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceLine {
    /// The place of the block.
    pub place: Place,
    /// The line in the block, from 0.
    pub line: u32,
}

/// A count and the first places that were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    /// The count.
    pub count: u64,
    first: [Option<SourceLine>; EXAMPLES],
}

impl Sightings {
    /// Counts one more, at `source_line`.
    #[inline]
    pub fn see(&mut self, source_line: SourceLine) {
        self.count += 1;
        self.keep(source_line);
    }

    /// Keeps `source_line` if it is among the first places.
    #[inline]
    pub fn keep(&mut self, source_line: SourceLine) {
        // Most lines arrive in order and come after the last one kept.
        if self.first[EXAMPLES - 1].is_some_and(|last| last <= source_line) || self.has(source_line)
        {
            return;
        }
        let at = self.first.iter().position(|kept| kept.is_none_or(|kept| source_line < kept));
        if let Some(at) = at {
            self.first[at..].rotate_right(1);
            self.first[at] = Some(source_line);
        }
    }

    fn has(&self, source_line: SourceLine) -> bool {
        self.first.contains(&Some(source_line))
    }

    /// Returns the first places, in order.
    pub fn source_lines(&self) -> impl Iterator<Item = SourceLine> + '_ {
        self.first.iter().flatten().copied()
    }
}

impl AddAssign for Sightings {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        other.source_lines().for_each(|source_line| self.keep(source_line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_places_are_kept_whatever_the_order() {
        let source_line =
            |line| SourceLine { place: Place { block: line / 3, ..Place::default() }, line };
        let mut seen = Sightings::default();
        for line in [7, 5, 9, 2, 5, 3] {
            seen.see(source_line(line));
        }
        assert_eq!(seen.count, 6);
        assert_eq!(seen.source_lines().collect::<Vec<_>>(), [source_line(2), source_line(3)]);
        let mut other = Sightings::default();
        other.see(source_line(1));
        other += seen;
        assert_eq!(
            other.source_lines().map(|source_line| source_line.line).collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(other.count, 7);
    }

    #[test]
    fn two_events_of_one_line_are_one_place() {
        let source_line = SourceLine { place: Place::default(), line: 4 };
        let mut seen = Sightings::default();
        seen.see(source_line);
        seen.see(source_line);
        assert_eq!((seen.count, seen.source_lines().count()), (2, 1));
    }
}
