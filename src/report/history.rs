//! Raw signals over time, by what became of them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::plan::{Ledger, Span, SpanUnit, Spans, time_of};
use crate::engine::resolve::cold_time::{COLD_FROM_MS, ColdTimes};
use crate::engine::resolve::history::{self, Fates};

/// What became of the raw signals in each span of time, by the clock that the plan counts by: the
/// time of receipt, or else the time of the event.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct History {
    /// The length of a span: `day`, or longer if the inputs cover more than 110 days.
    pub unit: SpanUnit,
    /// The spans, from the first raw signal to the last.
    pub spans: Vec<HistorySpan>,
    /// Raw signals without a time, with a time that no event can have, or so far from all others
    /// that the chart would consist of empty spans.
    pub outside: Fates,
}

/// A span of time.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct HistorySpan {
    /// The name: `2025-07-01` for a day or for the Monday of a week, `2025-07` for a month, `2025`
    /// for a year.
    pub span: String,
    /// The time at which the span begins.
    pub start: String,
    /// The time at which the next span begins.
    pub end: String,
    /// The number of raw signals that the plan allows in the span: the limit of its period, spread
    /// evenly; `null` is no limit.
    pub allowance: Option<f64>,
    /// The raw signals in the span.
    #[serde(flatten)]
    pub fates: Fates,
}

impl History {
    /// Creates the history from the counts in `spans`, for a plan with `limit` raw signals per
    /// period.
    pub fn new(
        spans: &Spans,
        counted: &history::History,
        ledger: &Ledger,
        limit: Option<u64>,
    ) -> Self {
        let each = spans.as_slice().iter().zip(&counted.spans);
        let span = |(span, &fates): (&Span, &Fates)| HistorySpan {
            span: span.label.clone(),
            start: time_of(span.start).to_string(),
            end: time_of(span.end).to_string(),
            allowance: ledger.allowance(span, limit),
            fates,
        };
        Self { unit: spans.unit(), spans: each.map(span).collect(), outside: counted.outside }
    }

    /// Returns the sum of all spans and of the signals outside them.
    pub fn total(&self) -> Fates {
        let mut total = self.outside;
        self.spans.iter().for_each(|span| total += span.fates);
        total
    }
}

/// Rehydrated signals that were cold for a similar length of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct ColdRange {
    /// The shortest time in the range, in seconds; `null` for signals without a time.
    pub from_seconds: Option<i64>,
    /// The end of the range, excluded, in seconds; `null` for the longest range and for signals
    /// without a time.
    pub to_seconds: Option<i64>,
    /// The number of signals.
    pub signals: u64,
}

/// Returns all ranges of durations, the shortest first, followed by the signals without a time.
pub fn cold_ranges(times: &ColdTimes) -> Vec<ColdRange> {
    let seconds = |place: usize| COLD_FROM_MS.get(place).map(|millis| millis / 1000);
    let ranges = times.counts.iter().enumerate().map(|(place, &signals)| ColdRange {
        from_seconds: seconds(place),
        to_seconds: seconds(place + 1),
        signals,
    });
    let undated = ColdRange { signals: times.undated, ..ColdRange::default() };
    ranges.chain([undated]).collect()
}
