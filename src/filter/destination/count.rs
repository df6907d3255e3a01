//! Counts of what each filter did.

use std::ops::AddAssign;

use super::{Cause, Dropped, Verdict};

/// What one filter did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Events that it dropped.
    pub dropped: u64,
    /// Events that were not in its sample.
    pub sampled_out: u64,
    /// Events that were not sent because its `if` does not compile.
    pub invalid: u64,
    /// Events that were no events of Segment's any more after it.
    pub unrecognised: u64,
    /// Events that were sent without what it took out.
    pub changed: u64,
}

/// What all filters did.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    by_filter: Vec<Count>,
    /// Events that were sent without something that they had.
    pub changed: u64,
}

impl Counts {
    /// Zeros for so many filters; nothing is allocated later.
    pub fn new(filters: usize) -> Self {
        Self { by_filter: vec![Count::default(); filters], changed: 0 }
    }

    /// What each filter did, in the order of the filters.
    pub fn by_filter(&self) -> &[Count] {
        &self.by_filter
    }

    /// Counts one event.
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

/// Whether a filter makes any difference, over many events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Events that reached it and of which its `if` is true.
    pub held: u64,
    /// Whether it dropped an event or took something out of one.
    pub acted: bool,
}

impl AddAssign for Effect {
    fn add_assign(&mut self, other: Self) {
        self.held += other.held;
        self.acted |= other.acted;
    }
}
