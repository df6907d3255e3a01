//! Where in the input something was seen, and how often.

use std::ops::AddAssign;

use crate::pipeline::batch::Place;

/// How many places are kept of each thing that is counted.
const EXAMPLES: usize = 2;

/// A line of the input; ordered as the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The block.
    pub place: Place,
    /// Its line in the block, from 0.
    pub line: u32,
}

/// A count and the first places in the input that were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sighted {
    /// How often.
    pub count: u64,
    first: [Option<Spot>; EXAMPLES],
}

impl Sighted {
    /// Counts one more.
    #[inline]
    pub fn see(&mut self, spot: Spot) {
        self.count += 1;
        self.keep(spot);
    }

    /// Keeps `spot` if it is among the first.
    #[inline]
    pub fn keep(&mut self, spot: Spot) {
        // Most come in order and lose against the last one.
        if self.first[EXAMPLES - 1].is_some_and(|last| last <= spot) || self.has(spot) {
            return;
        }
        let at = self.first.iter().position(|kept| kept.is_none_or(|kept| spot < kept));
        if let Some(at) = at {
            self.first[at..].rotate_right(1);
            self.first[at] = Some(spot);
        }
    }

    fn has(&self, spot: Spot) -> bool {
        self.first.contains(&Some(spot))
    }

    /// The first places, in order.
    pub fn spots(&self) -> impl Iterator<Item = Spot> + '_ {
        self.first.iter().flatten().copied()
    }
}

impl AddAssign for Sighted {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        other.spots().for_each(|spot| self.keep(spot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_places_are_kept_whatever_the_order() {
        let spot = |line| Spot { place: Place { block: line / 3, ..Place::default() }, line };
        let mut seen = Sighted::default();
        for line in [7, 5, 9, 2, 5, 3] {
            seen.see(spot(line));
        }
        assert_eq!(seen.count, 6);
        assert_eq!(seen.spots().collect::<Vec<_>>(), [spot(2), spot(3)]);
        let mut other = Sighted::default();
        other.see(spot(1));
        other += seen;
        assert_eq!(other.spots().map(|spot| spot.line).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(other.count, 7);
    }

    #[test]
    fn two_events_of_one_line_are_one_place() {
        let spot = Spot { place: Place::default(), line: 4 };
        let mut seen = Sighted::default();
        seen.see(spot);
        seen.see(spot);
        assert_eq!((seen.count, seen.spots().count()), (2, 1));
    }
}
