//! Counts of the effects of each filter.

use std::ops::AddAssign;

use super::{Cause, Dropped, Verdict};

/// The number of events that one filter affected, by effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Events that the filter dropped.
    pub dropped: u64,
    /// Events that were not in the filter's sample.
    pub sampled_out: u64,
    /// Events that were not sent because the filter's `if` does not compile.
    pub invalid: u64,
    /// Events that were no longer Segment events after the filter.
    pub unrecognised: u64,
    /// Events that were sent without the members that the filter removed.
    pub changed: u64,
}

/// The counts of all filters.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    by_filter: Vec<Count>,
    /// Events that were sent without some of their members.
    pub changed: u64,
}

impl Counts {
    /// Creates the counts of all filters from those of each, in the order of the filters, and the
    /// number of events that were changed.
    pub fn of_filters(by_filter: Vec<Count>, changed: u64) -> Self {
        Self { by_filter, changed }
    }

    /// Creates zero counts for `filters` filters, so that nothing is allocated later.
    pub fn new(filters: usize) -> Self {
        Self { by_filter: vec![Count::default(); filters], changed: 0 }
    }

    /// Returns the counts of each filter, in the order of the filters.
    pub fn by_filter(&self) -> &[Count] {
        &self.by_filter
    }

    /// Counts the verdict of one event.
    pub fn add(&mut self, verdict: Verdict<'_>) {
        match verdict {
            Verdict::Untouched => {}
            Verdict::Changed(by) => {
                self.changed += 1;
                for &filter in by {
                    self.of(filter).changed += 1;
                }
            }
            Verdict::Dropped(Dropped { filter, cause, .. }) => {
                let count = self.of(filter);
                *match cause {
                    Cause::Dropped => &mut count.dropped,
                    Cause::Sampled => &mut count.sampled_out,
                    Cause::Invalid => &mut count.invalid,
                    Cause::Unrecognised => &mut count.unrecognised,
                } += 1;
            }
        }
    }

    fn of(&mut self, filter: usize) -> &mut Count {
        if self.by_filter.len() <= filter {
            self.by_filter.resize(filter + 1, Count::default());
        }
        &mut self.by_filter[filter]
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.dropped += other.dropped;
        self.sampled_out += other.sampled_out;
        self.invalid += other.invalid;
        self.unrecognised += other.unrecognised;
        self.changed += other.changed;
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        for (filter, count) in other.by_filter.into_iter().enumerate() {
            *self.of(filter) += count;
        }
    }
}

/// The effect of a filter over many events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The number of events that reached the filter and for which its `if` holds.
    pub held: u64,
    /// Whether the filter dropped an event or removed something from one.
    pub acted: bool,
}

impl AddAssign for Effect {
    fn add_assign(&mut self, other: Self) {
        self.held += other.held;
        self.acted |= other.acted;
    }
}
