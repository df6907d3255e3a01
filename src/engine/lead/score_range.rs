//! Leads by score, in ranges that are the same for every input.

use schemars::JsonSchema;
use serde::Serialize;

/// The lower bound of each range but the first, which has all negative scores. Ranges widen as
/// scores grow, so that both low and high scores are resolved.
const FROM: [i64; 16] = [
    0, 1, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000,
    1_000_000,
];

/// A range of scores and how many leads are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct ScoreRange {
    /// The lowest score; `None` has no lower end.
    pub from: Option<i64>,
    /// The highest score; `None` has no upper end.
    pub to: Option<i64>,
    /// The leads.
    pub leads: u64,
}

/// The number of leads in each range of scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScoreCounts([u64; FROM.len() + 1]);

impl ScoreCounts {
    /// Adds `leads` leads to a range by its name from [`range_of`](Self::range_of).
    pub(in crate::engine) fn add(&mut self, range: &str, leads: u64) {
        let from = range.parse().ok();
        let place = from.map_or(0, |score: i64| FROM.partition_point(|&from| from <= score));
        self.0[place] += leads;
    }

    /// Counts a lead.
    pub fn count(&mut self, score: i64) {
        self.0[FROM.partition_point(|&from| from <= score)] += 1;
    }

    /// Returns the name of the range of `score`: its lowest score, or `below` if it has none.
    pub fn range_of(score: i64) -> String {
        let place = FROM.partition_point(|&from| from <= score);
        place.checked_sub(1).map_or_else(|| "below".to_owned(), |place| FROM[place].to_string())
    }

    /// Returns the ranges from the first with a lead to the last.
    pub fn ranges(&self) -> Vec<ScoreRange> {
        let first = self.0.iter().position(|&leads| leads > 0);
        let last = self.0.iter().rposition(|&leads| leads > 0);
        let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
        let range = |place: usize| ScoreRange {
            from: place.checked_sub(1).map(|place| FROM[place]),
            to: FROM.get(place).map(|from| from - 1),
            leads: self.0[place],
        };
        (first..=last).map(range).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_meet_without_a_gap_and_hold_every_score() {
        let mut counts = ScoreCounts::default();
        assert_eq!(counts.ranges(), []);
        for score in [i64::MIN, -1, 0, 9, 10, i64::MAX] {
            counts.count(score);
        }
        let ranges = counts.ranges();
        assert_eq!((ranges[0].from, ranges[0].to, ranges[0].leads), (None, Some(-1), 2));
        assert_eq!((ranges[1].from, ranges[1].to, ranges[1].leads), (Some(0), Some(0), 1));
        assert_eq!((ranges[2].from, ranges[2].to, ranges[2].leads), (Some(1), Some(9), 1));
        assert_eq!(ranges.last().map(|range| (range.to, range.leads)), Some((None, 1)));
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].to.map(|to| to + 1), pair[1].from);
        }
    }

    #[test]
    fn only_ranges_between_leads_are_listed() {
        let mut counts = ScoreCounts::default();
        counts.count(30);
        counts.count(120);
        let leads: Vec<_> = counts.ranges().iter().map(|range| (range.from, range.leads)).collect();
        assert_eq!(leads, [(Some(25), 1), (Some(50), 0), (Some(100), 1)]);
    }
}
