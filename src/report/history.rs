//! What became of raw signals as time went on.

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::plan::{Ledger, Span, SpanUnit, Spans, time_of};
use crate::engine::resolve::cold_time::{COLD_FROM_MS, ColdTimes};
use crate::engine::resolve::history::{self, Fates};

/// What became of raw signals in each span of time, by the clock that the plan counts by: the time
/// of receipt, else that of the event.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct History {
    /// How long a span is: `day`, or longer where the inputs span more than 110 days.
    pub unit: SpanUnit,
    /// From the first raw signal to the last.
    pub spans: Vec<HistorySpan>,
    /// Raw signals without a time, those that no event can have, and a few so far from all others
    /// that these would be lost among empty spans.
    pub outside: Fates,
}

/// One span.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct HistorySpan {
    /// `2025-07-01` of a day or of the Monday of a week, `2025-07` of a month, `2025` of a year.
    pub span: String,
    /// When it begins.
    pub start: String,
    /// When the next one begins.
    pub end: String,
    /// What the plan allows in it: the limit of its period, evenly spread; `null` is no limit.
    pub allowance: Option<f64>,
    /// Its raw signals.
    #[serde(flatten)]
    pub fates: Fates,
}

impl History {
    /// What was counted in `spans`, against a plan of `limit` raw signals a period.
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

    /// All raw signals.
    pub fn total(&self) -> Fates {
        let mut total = self.outside;
        self.spans.iter().for_each(|span| total += span.fates);
        total
    }
}

/// Rehydrated signals that were cold for a similar time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct ColdRange {
    /// The shortest time in the range; `null` for signals without a time.
    pub from_seconds: Option<i64>,
    /// The end of the range, excluded; `null` for the longest range and for signals without a time.
    pub to_seconds: Option<i64>,
    /// The signals.
    pub signals: u64,
}

/// Every range of durations, the shortest first, and last the signals without a time.
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
