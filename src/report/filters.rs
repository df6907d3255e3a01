//! The counts of destination filters in reports.

use schemars::JsonSchema;
use serde::Serialize;

use crate::filter::destination::{Condition, Count, Counts, DestinationFilters, Filter};

/// What the filters of a file did. Events that an allow list or `--where` removed do not reach
/// them.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the sum of that name over the filters
pub struct Filters {
    /// The path of the file.
    pub file: String,
    pub dropped: u64,
    pub sampled_out: u64,
    pub invalid: u64,
    pub unrecognised: u64,
    /// Events that were sent without some of their fields; each counts once.
    pub changed: u64,
    /// Whether the counts are an estimate: for a sample without a path, Segment picks events at
    /// random where this program takes a hash.
    pub estimate: bool,
    /// The filters, in the order of the file.
    pub by_filter: Vec<FilterCount>,
}

/// What one filter did.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct FilterCount {
    /// The title of the filter.
    pub title: String,
    /// The position of the filter in the file, from 1.
    pub number: usize,
    /// `enabled`, `disabled`, or `invalid` if the `if` does not compile.
    pub state: &'static str,
    /// Events that the filter dropped.
    pub dropped: u64,
    /// Events that were not in the filter's sample.
    pub sampled_out: u64,
    /// Events that were not sent because the filter's `if` does not compile.
    pub invalid: u64,
    /// Events that Segment no longer recognises as events after the filter.
    pub unrecognised: u64,
    /// Events that were sent without the fields that the filter removed.
    pub changed: u64,
}

impl Filters {
    /// Returns the counts of the filters of `file`.
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
    /// Returns the number of events that the filter affected.
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
