//! The usage of each period, and which raw signals of each minute were accepted.

use std::ops::AddAssign;

use super::service::{Bucket, deliver};
use super::{Calendar, Period, Span, Terms, Trend, Usage, Volume};

/// The number of periods from which on those without events are left out.
const MAX_PERIODS: usize = 10_000;

/// The outcome of the raw signals of one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All were accepted, at once or by a retry.
    Accepted,
    /// All were lost.
    Lost,
    /// Only the first ones were accepted, in order of received time, event time and signal id.
    Partial {
        /// The number of accepted ones.
        accepted: u64,
    },
}

/// Sums over all periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Raw signals accepted at once or by a retry. Those without a time are always accepted.
    pub accepted: u64,
    /// Raw signals refused on arrival: `retried` + `lost`.
    pub over: u64,
    /// Refused raw signals that a retry delivered.
    pub retried: u64,
    /// Refused raw signals that were never delivered.
    pub lost: u64,
}

/// Consecutive minutes whose raw signals were not all accepted.
#[derive(Clone, Copy, Debug)]
struct Gap {
    first: i64,
    last: i64,
    /// The accepted raw signals; 0 unless `first` equals `last`.
    accepted: u64,
}

/// The usage of a plan by a volume of raw signals.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The periods from the first raw signal to the last, in order. Periods without one are
    /// included, unless there are more than 10,000 periods.
    pub periods: Vec<Usage>,
    /// The sums over all periods.
    pub totals: Totals,
    /// Raw signals without a time, which are in no period.
    pub undated: u64,
    /// The trend of the counts; `None` for fewer than two periods.
    pub trend: Option<Trend>,
    /// In order and disjoint.
    gaps: Vec<Gap>,
}

impl Ledger {
    /// Computes the usage of `volume` under `terms`.
    pub fn new(volume: &Volume, terms: &Terms) -> Self {
        let mut buckets: Vec<Bucket> = volume
            .by_minute()
            .into_iter()
            .map(|(minute, count)| Bucket { minute, count, accepted: 0 })
            .collect();
        let periods = periods(&terms.calendar, &buckets);
        let usages = deliver(&mut buckets, &periods, terms.raw_signals);
        let sum = |part: fn(&Usage) -> u64| usages.iter().map(part).sum::<u64>();
        let lost = sum(|usage| usage.lost);
        let totals = Totals {
            accepted: volume.total() - lost,
            over: sum(|usage| usage.over),
            retried: sum(|usage| usage.retried),
            lost,
        };
        let trend = buckets.first().zip(buckets.last()).and_then(|(first, last)| {
            let span = (first.minute, last.minute);
            Trend::of(&usages, span, terms.raw_signals, &terms.calendar)
        });
        let gaps = gaps(&buckets);
        Self { periods: usages, totals, undated: volume.undated, trend, gaps }
    }

    /// Returns the outcome of the raw signals that arrived in `minute`.
    pub fn verdict(&self, minute: i64) -> Verdict {
        let after = self.gaps.partition_point(|gap| gap.first <= minute);
        match after.checked_sub(1).map(|at| self.gaps[at]) {
            Some(gap) if minute <= gap.last => match gap.accepted {
                0 => Verdict::Lost,
                accepted => Verdict::Partial { accepted },
            },
            _ => Verdict::Accepted,
        }
    }

    /// Returns the index of the period that contains `minute`.
    pub fn period_of(&self, minute: i64) -> Option<usize> {
        let at = self.periods.partition_point(|usage| usage.period.end <= minute);
        self.periods.get(at).filter(|usage| usage.period.contains(minute)).map(|_| at)
    }

    /// Returns how many raw signals `limit` raw signals per period allow in `span`, if the limit of
    /// the period in the middle of the span is spread evenly.
    #[allow(clippy::cast_precision_loss)] // precise enough for a chart
    pub fn allowance(&self, span: &Span, limit: Option<u64>) -> Option<f64> {
        let minutes = span.end - span.start;
        let at = self.period_of(span.start + minutes / 2)?;
        let period = &self.periods.get(at)?.period;
        Some(limit? as f64 * minutes as f64 / period.minutes() as f64)
    }

    /// Adds up `counts` by minute to sums by period index. Minutes outside of all periods are
    /// ignored.
    pub fn by_period<T>(&self, counts: impl IntoIterator<Item = (i64, T)>) -> Vec<T>
    where
        T: AddAssign + Default,
    {
        let mut sums: Vec<T> = self.periods.iter().map(|_| T::default()).collect();
        for (minute, count) in counts {
            if let Some(at) = self.period_of(minute) {
                sums[at] += count;
            }
        }
        sums
    }
}

/// Returns the periods from the first bucket to the last.
fn periods(calendar: &Calendar, buckets: &[Bucket]) -> Vec<Period> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Vec::new() };
    let mut periods = vec![calendar.containing(first.minute)];
    while let Some(period) = periods.last()
        && period.end <= last.minute
        && let Some(next) = calendar.following(period)
    {
        if periods.len() == MAX_PERIODS {
            return periods_with_events(calendar, buckets);
        }
        periods.push(next);
    }
    periods
}

fn periods_with_events(calendar: &Calendar, buckets: &[Bucket]) -> Vec<Period> {
    let mut periods: Vec<Period> = Vec::new();
    for bucket in buckets {
        if periods.last().is_none_or(|period| period.end <= bucket.minute) {
            periods.push(calendar.containing(bucket.minute));
        }
    }
    periods
}

/// Returns the minutes of `buckets` that were not all accepted. Lost minutes with only empty
/// minutes between them are one gap.
fn gaps(buckets: &[Bucket]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut follows_a_loss = false;
    for &Bucket { minute, count, accepted } in buckets {
        let is_loss = accepted == 0;
        match gaps.last_mut() {
            Some(gap) if is_loss && follows_a_loss => gap.last = minute,
            _ if accepted < count => gaps.push(Gap { first: minute, last: minute, accepted }),
            _ => {}
        }
        follows_a_loss = is_loss;
    }
    gaps
}

#[cfg(test)]
mod tests;
