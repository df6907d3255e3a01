//! What destination filters did, as the report tells it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::filter::destination::{Condition, Count, Counts, DestinationFilters, Filter};

/// What the filters of a file did. Events that an allow list or `--where` took out never came to them.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the sum of that name over the filters
pub struct Filters {
    /// The file.
    pub file: String,
    pub dropped: u64,
    pub sampled_out: u64,
    pub invalid: u64,
    pub unrecognised: u64,
    /// Events that were sent without something that they had; each counts once.
    pub changed: u64,
    /// Whether Segment draws lots where a hash was taken here: a sample without a path.
    pub estimate: bool,
    /// In the order of the file.
    pub by_filter: Vec<FilterCount>,
}

/// What one filter did.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct FilterCount {
    /// Its title.
    pub title: String,
    /// Its place in the file, from 1.
    pub number: usize,
    /// `enabled`, `disabled`, or `invalid`: its `if` does not compile.
    pub state: &'static str,
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

impl Filters {
    /// What the filters of `file` did.
    pub fn new(file: String, filters: &DestinationFilters, counts: &Counts) -> Self {
        let none = Count::default();
        let of = |place: usize| counts.by_filter().get(place).copied().unwrap_or(none);
        let by_filter = filters.filters().iter().enumerate();
        let mut sum = Count::default();
        for (place, _) in by_filter.clone() {
            sum += of(place);
        }
        let Count { dropped, sampled_out, invalid, unrecognised, .. } = sum;
        Self {
            file,
            dropped,
            sampled_out,
            invalid,
            unrecognised,
            changed: counts.changed,
            estimate: filters.is_estimate(),
            by_filter: by_filter.map(|(place, filter)| row(filter, of(place))).collect(),
        }
    }
}

impl FilterCount {
    /// Events that it did anything to.
    pub fn total(&self) -> u64 {
        self.dropped + self.sampled_out + self.invalid + self.unrecognised + self.changed
    }
}

fn row(filter: &Filter, count: Count) -> FilterCount {
    let Count { dropped, sampled_out, invalid, unrecognised, changed } = count;
    FilterCount {
        title: filter.title.to_string(),
        number: filter.number,
        state: match filter.condition {
            Condition::When(_) => "enabled",
            Condition::Disabled => "disabled",
            Condition::Invalid(_) => "invalid",
        },
        dropped,
        sampled_out,
        invalid,
        unrecognised,
        changed,
    }
}
