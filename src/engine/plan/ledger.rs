//! Each period's count against the limit, and the fate of each minute's raw signals.

use std::ops::AddAssign;

use super::service::{Bucket, deliver};
use super::{Calendar, Period, Span, Terms, Trend, Usage, Volume};

/// Past so many periods between the first and the last event, those without events are left out.
const MOST_PERIODS: usize = 10_000;

/// What the raw signals of one minute came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All were accepted, at once or by a retry.
    Accepted,
    /// All were lost.
    Lost,
    /// Only the first ones were accepted, in order of received time, then event time, then signal
    /// id.
    Partial {
        /// How many were accepted.
        accepted: u64,
    },
}

/// What all periods came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Raw signals that were accepted, at once or by a retry; those without a time always are.
    pub accepted: u64,
    /// Raw signals that were refused when they arrived: `retried` + `lost`.
    pub over: u64,
    /// Refused ones that a retry saved.
    pub retried: u64,
    /// Refused ones that nothing saved.
    pub lost: u64,
}

/// Neighbouring minutes whose raw signals were not all accepted.
#[derive(Clone, Copy, Debug)]
struct Gap {
    first: i64,
    last: i64,
    /// Not zero only of a single minute.
    accepted: u64,
}

/// What a volume of raw signals costs under the terms of a plan.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// From the first period with a raw signal to the last, in order; those between without one
    /// too, unless there are more than 10,000.
    pub periods: Vec<Usage>,
    /// Over all periods.
    pub totals: Totals,
    /// Raw signals without a time, which belong to no period.
    pub undated: u64,
    /// Where the counts are heading, of two periods or more.
    pub trend: Option<Trend>,
    /// In order, apart from each other.
    gaps: Vec<Gap>,
}

impl Ledger {
    /// Settles `volume` under `terms`.
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

    /// What became of the raw signals that arrived in `minute`.
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

    /// The index of the period that `minute` lies in.
    pub fn period_of(&self, minute: i64) -> Option<usize> {
        let at = self.periods.partition_point(|usage| usage.period.end <= minute);
        self.periods.get(at).filter(|usage| usage.period.contains(minute)).map(|_| at)
    }

    /// What a plan of `limit` raw signals a period allows in `span`, evenly spread over the period
    /// that the middle of the span lies in.
    #[allow(clippy::cast_precision_loss)] // for a line in a picture
    pub fn allowance(&self, span: &Span, limit: Option<u64>) -> Option<f64> {
        let minutes = span.end - span.start;
        let at = self.period_of(span.start + minutes / 2)?;
        let period = &self.periods.get(at)?.period;
        Some(limit? as f64 * minutes as f64 / period.minutes() as f64)
    }

    /// Adds up what was counted by the minute, by period index; what lies in no period is left
    /// out.
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

/// The periods from the first bucket to the last.
fn periods(calendar: &Calendar, buckets: &[Bucket]) -> Vec<Period> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Vec::new() };
    let mut periods = vec![calendar.containing(first.minute)];
    while let Some(period) = periods.last()
        && period.end <= last.minute
        && let Some(next) = calendar.following(period)
    {
        if periods.len() == MOST_PERIODS {
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

/// The minutes of `buckets` that were not all accepted; lost ones with only quiet minutes between
/// them are one gap.
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
