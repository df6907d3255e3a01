//! A model of the service, which answers 429 beyond the limit of a period, and of Segment, which
//! retries refused deliveries for four hours.

use std::collections::VecDeque;
use std::ops::Range;

use super::Period;
use super::calendar::time_of;
use crate::time::Time;

/// How long Segment retries a refused delivery, in minutes (Segment's documentation of retries in
/// destinations).
const RETRY_MINUTES: i64 = 4 * 60;

/// The usage of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The period.
    pub period: Period,
    /// Raw signals that arrived in the period.
    pub raw_signals: u64,
    /// Deliveries refused in the previous period and accepted by a retry in this one. They count
    /// against its limit.
    pub carried: u64,
    /// Raw signals refused on arrival.
    pub over: u64,
    /// Those of `over` that a retry in the next period delivered.
    pub retried: u64,
    /// Those of `over` that were never delivered.
    pub lost: u64,
    /// The minute in which the limit was reached, if it was.
    pub reached: Option<i64>,
}

impl Usage {
    /// Returns what counts against the limit: arrivals and retries.
    pub fn used(&self) -> u64 {
        self.raw_signals + self.carried
    }

    /// Returns the beginning of the minute in which the limit was reached.
    pub fn reached_time(&self) -> Option<Time> {
        self.reached.map(time_of)
    }
}

/// The deliveries of one minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pub minute: i64,
    pub count: u64,
    /// The number of accepted ones, counted from the first.
    pub accepted: u64,
}

/// Delivers `buckets` in `periods` of `limit` raw signals each, and sets what was accepted. Both
/// are in order of time, and each bucket lies in one of the periods.
pub(super) fn deliver(
    buckets: &mut [Bucket],
    periods: &[Period],
    limit: Option<u64>,
) -> Vec<Usage> {
    let mut service = Service { waiting: VecDeque::new(), limit };
    let mut usages = Vec::with_capacity(periods.len());
    let mut first = 0;
    for (at, &period) in periods.iter().enumerate() {
        let end = first + buckets[first..].partition_point(|bucket| bucket.minute < period.end);
        usages.push(service.serve(buckets, first..end, period));
        first = end;
        // A new period begins after the last one and in the gaps that empty periods left.
        if periods.get(at + 1).is_none_or(|next| next.start != period.end) {
            service.retry(buckets, period.end);
        }
    }
    split_refused(&mut usages, buckets);
    usages
}

struct Service {
    limit: Option<u64>,
    /// The indexes of buckets with refused deliveries that may be retried, oldest first.
    waiting: VecDeque<usize>,
}

impl Service {
    /// Serves `period`: first the retries, then the arrivals of the buckets in `range`.
    fn serve(&mut self, buckets: &mut [Bucket], range: Range<usize>, period: Period) -> Usage {
        let carried = self.retry(buckets, period.start);
        let mut usage =
            Usage { period, raw_signals: 0, carried, over: 0, retried: 0, lost: 0, reached: None };
        let mut room = self.limit.map(|limit| limit - carried);
        usage.reached = (room == Some(0)).then_some(period.start);
        for at in range {
            let bucket = &mut buckets[at];
            let taken = room.map_or(bucket.count, |room| room.min(bucket.count));
            room = room.map(|room| room - taken);
            bucket.accepted = taken;
            usage.raw_signals += bucket.count;
            usage.over += bucket.count - taken;
            if room == Some(0) && usage.reached.is_none() {
                usage.reached = Some(bucket.minute);
            }
            if taken < bucket.count {
                self.waiting.push_back(at);
            }
        }
        usage
    }

    /// Retries refused deliveries that Segment has not given up at `start`, the beginning of a
    /// period; returns the number of accepted ones.
    fn retry(&mut self, buckets: &mut [Bucket], start: i64) -> u64 {
        let given_up_before = start.saturating_sub(RETRY_MINUTES);
        let mut accepted = 0;
        while let Some(&at) = self.waiting.front() {
            let bucket = &mut buckets[at];
            if bucket.minute >= given_up_before {
                let refused = bucket.count - bucket.accepted;
                let taken = self.limit.map_or(refused, |limit| refused.min(limit - accepted));
                bucket.accepted += taken;
                accepted += taken;
                if taken < refused {
                    break;
                }
            }
            self.waiting.pop_front();
        }
        accepted
    }
}

/// Splits the refused raw signals of each period into retried and lost ones.
fn split_refused(usages: &mut [Usage], buckets: &[Bucket]) {
    for bucket in buckets.iter().filter(|bucket| bucket.accepted < bucket.count) {
        let at = usages.partition_point(|usage| usage.period.end <= bucket.minute);
        if let Some(usage) = usages.get_mut(at) {
            usage.lost += bucket.count - bucket.accepted;
        }
    }
    for usage in usages {
        usage.retried = usage.over - usage.lost;
    }
}
