//! Chooses the units to drop so that every period fits.

use std::cmp::Ordering;

use ahash::AHashMap;

use super::Unit;

/// A unit that could be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The unit.
    pub unit: Unit,
    /// The raw signals that each period would save.
    pub by_period: Vec<u64>,
    /// The number of leads that depend on this unit alone.
    pub leads_lost: u64,
    /// The total score that leads would lose.
    pub score_lost: i64,
}

impl Candidate {
    /// Returns the raw signals saved in all periods.
    pub fn saved(&self) -> u64 {
        self.by_period.iter().sum()
    }

    /// Returns the number of raw signals that the unit saves in periods that need it.
    fn useful(&self, needed: &[u64]) -> u64 {
        useful(&self.by_period, needed)
    }

    /// Returns the cost of dropping the unit. A negative loss of score costs nothing.
    fn cost(&self) -> (u64, u64) {
        (self.leads_lost, u64::try_from(self.score_lost).unwrap_or(0))
    }

    /// Orders the better candidate first: fewer lost leads per useful signal, then less lost score,
    /// then more signals.
    fn compare(&self, other: &Self, needed: &[u64]) -> Ordering {
        let (own, others) = (self.useful(needed), other.useful(needed));
        let ratio = |cost: u64, useful: u64| u128::from(cost) * u128::from(useful);
        let ((leads, score), (other_leads, other_score)) = (self.cost(), other.cost());
        ratio(leads, others)
            .cmp(&ratio(other_leads, own))
            .then_with(|| ratio(score, others).cmp(&ratio(other_score, own)))
            .then_with(|| others.cmp(&own))
            .then_with(|| self.unit.cmp(&other.unit))
    }
}

/// Raw signals that belong to several units: they are saved once all of these are dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// The units.
    pub units: Vec<Unit>,
    /// The raw signals that each period would save.
    pub by_period: Vec<u64>,
}

/// Returns the indices of the `candidates` to drop so that each period saves at least `needed` raw
/// signals, the best first. None of them is superfluous. If all together do not suffice, returns
/// those that save anything.
pub fn choose(candidates: &[Candidate], shared: &[Shared], needed: &[u64]) -> Vec<usize> {
    let choice = Choice::new(candidates, shared, needed);
    let mut open = needed.to_vec();
    let mut chosen: Vec<usize> = Vec::new();
    while open.iter().any(|&needed| needed > 0) {
        let rest = (0..candidates.len()).filter(|place| !chosen.contains(place));
        let useful = rest.filter(|&place| candidates[place].useful(&open) > 0);
        let best = useful.min_by(|&a, &b| candidates[a].compare(&candidates[b], &open));
        match best {
            Some(best) => chosen.push(best),
            None => match choice.best_shared(&chosen, &open) {
                Some(missing) => chosen.extend(missing),
                None => break,
            },
        }
        open = choice.left(&chosen);
    }
    // An early choice may be superfluous after later ones; the most expensive is removed first.
    let mut order = chosen.clone();
    order.sort_by(|&a, &b| candidates[b].compare(&candidates[a], needed));
    for place in order {
        let others: Vec<usize> = chosen.iter().copied().filter(|&other| other != place).collect();
        let left = choice.left(&others);
        if left.iter().zip(&open).all(|(left, open)| left <= open) {
            chosen = others;
        }
    }
    chosen
}

/// The input of a choice.
struct Choice<'a> {
    candidates: &'a [Candidate],
    /// The candidates that share raw signals, by index, and what each period saves without all of
    /// them.
    shared: Vec<(Vec<usize>, &'a [u64])>,
    needed: &'a [u64],
}

impl<'a> Choice<'a> {
    fn new(candidates: &'a [Candidate], shared: &'a [Shared], needed: &'a [u64]) -> Self {
        let places: AHashMap<Unit, usize> =
            candidates.iter().enumerate().map(|(place, found)| (found.unit, place)).collect();
        // Raw signals that belong to a unit that cannot be dropped remain.
        let droppable = |shared: &'a Shared| {
            let units = shared.units.iter().map(|unit| places.get(unit).copied());
            Some((units.collect::<Option<Vec<usize>>>()?, &*shared.by_period))
        };
        Self { candidates, shared: shared.iter().filter_map(droppable).collect(), needed }
    }

    /// Returns what each period still needs once the candidates at `chosen` are dropped.
    fn left(&self, chosen: &[usize]) -> Vec<u64> {
        let alone = chosen.iter().map(|&place| &*self.candidates[place].by_period);
        let together = self.shared.iter().filter(|(places, _)| missing(places, chosen).is_empty());
        let mut open = self.needed.to_vec();
        for saved in alone.chain(together.map(|&(_, saved)| saved)) {
            take(&mut open, saved);
        }
        open
    }

    /// Returns the smallest set of candidates to drop in addition to `chosen` that saves shared raw
    /// signals of a period in `open`.
    fn best_shared(&self, chosen: &[usize], open: &[u64]) -> Option<Vec<usize>> {
        let useful = self.shared.iter().filter(|(_, saved)| useful(saved, open) > 0);
        let missing = useful.map(|(places, _)| missing(places, chosen));
        missing.filter(|missing| !missing.is_empty()).min_by_key(Vec::len)
    }
}

/// Returns the elements of `places` that are not in `chosen`.
fn missing(places: &[usize], chosen: &[usize]) -> Vec<usize> {
    places.iter().copied().filter(|place| !chosen.contains(place)).collect()
}

/// Returns how much of `needed` is covered by `saved`.
fn useful(saved: &[u64], needed: &[u64]) -> u64 {
    saved.iter().zip(needed).map(|(saved, needed)| saved.min(needed)).sum()
}

fn take(needed: &mut [u64], saved: &[u64]) {
    needed
        .iter_mut()
        .zip(saved)
        .for_each(|(needed, saved)| *needed = needed.saturating_sub(*saved));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CallType;
    use proptest::prelude::*;

    fn shared(names: &[u32], by_period: &[u64]) -> Shared {
        let units = names.iter().map(|&name| candidate(name, &[], 0, 0).unit).collect();
        Shared { units, by_period: by_period.to_vec() }
    }

    fn candidate(name: u32, by_period: &[u64], leads_lost: u64, score_lost: i64) -> Candidate {
        let unit = Unit::of(CallType::Track, name, 0);
        Candidate { unit, by_period: by_period.to_vec(), leads_lost, score_lost }
    }

    #[test]
    fn what_costs_nothing_goes_first_and_no_more_than_needed() {
        let candidates = [
            candidate(0, &[50, 0], 0, 100),
            candidate(1, &[5, 5], 0, 0),
            candidate(2, &[30, 30], 1, 0),
            candidate(3, &[9, 9], 0, 0),
        ];
        assert_eq!(choose(&candidates, &[], &[9, 0]), [3]);
        assert_eq!(choose(&candidates, &[], &[14, 0]), [3, 1]);
        assert_eq!(choose(&candidates, &[], &[0, 0]), [0; 0]);
        // The two free ones are superfluous next to the one that is needed anyway.
        assert_eq!(choose(&candidates, &[], &[0, 30]), [2]);
        assert_eq!(choose(&candidates, &[], &[50, 0]), [0]);
    }

    #[test]
    fn where_nothing_suffices_all_that_helps_is_chosen() {
        let candidates = [candidate(0, &[5], 0, 1), candidate(1, &[0], 0, 0)];
        assert_eq!(choose(&candidates, &[], &[9]), [0]);
    }

    #[test]
    fn what_is_shared_is_saved_with_the_last_that_takes_it() {
        let candidates = [candidate(0, &[2], 0, 5), candidate(1, &[3], 0, 9)];
        let both = [shared(&[0, 1], &[4])];
        assert_eq!(choose(&candidates, &both, &[9]), [0, 1]);
        assert_eq!(choose(&candidates, &both, &[3]), [1]);
        // What no single line matches alone is dropped with all its lines, or not at all.
        let nothing_alone = [candidate(0, &[0], 0, 0), candidate(1, &[0], 0, 0)];
        assert_eq!(choose(&nothing_alone, &both, &[1]), [0, 1]);
        assert_eq!(choose(&nothing_alone[..1], &both, &[1]), [0; 0]);
    }

    #[test]
    fn a_negative_score_is_no_loss() {
        let candidates = [candidate(0, &[9], 0, 3), candidate(1, &[9], 0, -10)];
        assert_eq!(choose(&candidates, &[], &[9]), [1]);
    }

    proptest! {
        #[test]
        fn a_choice_fits_where_any_does_and_none_of_it_is_needless(
            candidates in proptest::collection::vec((proptest::collection::vec(0_u64..9, 3), 0_u64..3, -5_i64..20), 0..9),
            sets in proptest::collection::vec((proptest::sample::subsequence((0..9).collect::<Vec<u32>>(), 2..4), proptest::collection::vec(0_u64..9, 3)), 0..4),
            needed in proptest::collection::vec(0_u64..20, 3),
        ) {
            let candidates: Vec<_> = (0..).zip(candidates)
                .map(|(name, (by_period, leads, score))| candidate(name, &by_period, leads, score))
                .collect();
            let sets: Vec<_> = sets.iter().map(|(names, by_period)| shared(names, by_period)).collect();
            let left = |places: &[usize]| {
                let mut open = needed.clone();
                for &place in places {
                    take(&mut open, &candidates[place].by_period);
                }
                let dropped: Vec<Unit> = places.iter().map(|&place| candidates[place].unit).collect();
                for set in sets.iter().filter(|set| set.units.iter().all(|unit| dropped.contains(unit))) {
                    take(&mut open, &set.by_period);
                }
                open
            };
            let chosen = choose(&candidates, &sets, &needed);
            let all: Vec<usize> = (0..candidates.len()).collect();
            prop_assert_eq!(left(&chosen), left(&all));
            for place in &chosen {
                let others: Vec<_> = chosen.iter().copied().filter(|other| other != place).collect();
                prop_assert_ne!(left(&others), left(&chosen));
            }
        }
    }
}
