//! The trend of the raw signals.

use super::{Calendar, Period, Usage};
use crate::rules::PeriodLength;

/// Returns how many periods ahead a trend is extrapolated: ten years.
fn horizon(every: PeriodLength) -> usize {
    match every {
        PeriodLength::Month => 120,
        PeriodLength::Day => 3_653,
    }
}

/// A straight line through the counts of the periods.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// The change of raw signals from one period to the next.
    pub change: f64,
    /// The number of periods that the line is fitted to.
    pub periods: usize,
    /// The label of the period in which the line reaches the limit, the last period of the data at
    /// the earliest; `None` if it does not within ten years.
    pub reached_in: Option<String>,
}

impl Trend {
    /// Fits a least-squares line to the complete periods of `usages`, whose events lie between the
    /// minutes `first` and `last`. Returns `None` for fewer than two periods, or if empty periods
    /// were left out.
    ///
    /// The first period is complete if its first event is within a 24th of the period's length from
    /// its beginning, about a day for a month and an hour for a day; likewise the last period, its
    /// last event and its end. Incomplete periods are left out rather than scaled, since events are
    /// seldom spread evenly. If fewer than two complete periods remain, all are used.
    pub(super) fn of(
        usages: &[Usage],
        (first, last): (i64, i64),
        limit: Option<u64>,
        calendar: &Calendar,
    ) -> Option<Self> {
        let adjoin = |pair: &[Usage]| pair[0].period.end == pair[1].period.start;
        let (Some(head), Some(tail)) = (usages.first(), usages.last()) else { return None };
        if usages.len() < 2 || !usages.windows(2).all(adjoin) {
            return None;
        }
        let is_near = |minutes: i64, period: &Period| minutes <= period.minutes() / 24;
        let first_is_complete = is_near(first.saturating_sub(head.period.start), &head.period);
        let last_is_complete = is_near(tail.period.end.saturating_sub(last), &tail.period);
        let from = usize::from(!first_is_complete);
        let to = usages.len() - usize::from(!last_is_complete);
        let complete = if to >= from + 2 { from..to } else { 0..usages.len() };
        let line = Line::fit(complete.clone().map(|at| (at, usages[at].raw_signals)));
        let reached_in = limit.and_then(|limit| {
            if tail.reached.is_some() {
                return Some(tail.period.label());
            }
            // A complete period that did not reach the limit cannot reach it later.
            let at = (to..usages.len() + horizon(calendar.every()))
                .find(|&at| line.reaches(at, limit))?;
            label(calendar, &tail.period, at + 1 - usages.len())
        });
        Some(Self { change: line.slope, periods: complete.len(), reached_in })
    }
}

/// Returns the label of the period `steps` after `period`.
fn label(calendar: &Calendar, period: &Period, steps: usize) -> Option<String> {
    let period = (0..steps).try_fold(*period, |period, _| calendar.following(&period))?;
    Some(period.label())
}

struct Line {
    slope: f64,
    mean: (f64, f64),
}

impl Line {
    /// Fits a line to at least two points with different first members.
    #[allow(clippy::cast_precision_loss)] // a trend needs no more than 53 bits
    fn fit(points: impl Iterator<Item = (usize, u64)> + Clone) -> Self {
        let points = points.map(|(x, y)| (x as f64, y as f64));
        let count = points.clone().count() as f64;
        let sum = points.clone().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x, sum.1 + y));
        let mean = (sum.0 / count, sum.1 / count);
        let (both, square) = points.fold((0.0, 0.0), |(both, square), (x, y)| {
            let (dx, dy) = (x - mean.0, y - mean.1);
            (both + dx * dy, square + dx * dx)
        });
        Self { slope: both / square, mean }
    }

    #[allow(clippy::cast_precision_loss)]
    fn reaches(&self, x: usize, limit: u64) -> bool {
        let limit = limit as f64;
        let value = self.mean.1 + self.slope * (x as f64 - self.mean.0);
        // Rounding errors must not miss a limit that lies on the line.
        value + limit * 1e-9 >= limit
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::plan::{Ledger, Terms, Trend, Volume};
    use crate::rules::PeriodLength;
    use crate::time::Time;

    fn trend(limit: u64, every: PeriodLength, counts: &[(&str, u64)]) -> Option<Trend> {
        let mut volume = Volume::default();
        for (at, count) in counts {
            volume.add(Volume::minute_of(Time::parse(at.as_bytes()).unwrap()).unwrap(), *count);
        }
        Ledger::new(&volume, &Terms::of(limit, every, "UTC")).trend
    }

    fn months(limit: u64, counts: &[(&str, u64)]) -> Option<(f64, usize, Option<String>)> {
        trend(limit, PeriodLength::Month, counts)
            .map(|trend| (trend.change, trend.periods, trend.reached_in))
    }

    const FULL: [(&str, u64); 5] = [
        ("2025-01-01T00:00:00Z", 500),
        ("2025-01-20T00:00:00Z", 500),
        ("2025-02-10T00:00:00Z", 1_200),
        ("2025-03-10T00:00:00Z", 1_300),
        ("2025-03-31T23:00:00Z", 100),
    ];

    #[test]
    fn the_limit_is_reached_where_the_line_through_the_months_meets_it() {
        assert_eq!(months(2_000, &FULL), Some((200.0, 3, Some("2025-06".into()))));
        assert_eq!(months(2_001, &FULL), Some((200.0, 3, Some("2025-07".into()))));
        assert_eq!(months(1_401, &FULL), Some((200.0, 3, Some("2025-04".into()))));
    }

    #[test]
    fn a_last_month_that_is_not_over_is_left_out_of_the_line() {
        let with_part = [&FULL[..], &[("2025-04-02T00:00:00Z", 70)]].concat();
        assert_eq!(months(2_000, &with_part), Some((200.0, 3, Some("2025-06".into()))));
        assert_eq!(months(1_600, &with_part), Some((200.0, 3, Some("2025-04".into()))));
    }

    #[test]
    fn a_first_month_that_begins_late_is_left_out_of_the_line() {
        let counts = [&[("2024-12-30T00:00:00Z", 7)], &FULL[..]].concat();
        assert_eq!(months(2_000, &counts), Some((200.0, 3, Some("2025-06".into()))));
    }

    #[test]
    fn incomplete_months_are_used_where_there_are_no_others() {
        let counts = [
            ("2025-01-10T00:00:00Z", 100),
            ("2025-02-10T00:00:00Z", 200),
            ("2025-03-10T00:00:00Z", 300),
        ];
        assert_eq!(months(500, &counts), Some((100.0, 3, Some("2025-05".into()))));
    }

    #[test]
    fn a_month_without_events_counts_as_none() {
        let counts = [("2025-01-01T00:00:00Z", 400), ("2025-03-31T23:59:00Z", 200)];
        assert_eq!(months(500, &counts), Some((-100.0, 3, None)));
    }

    #[test]
    fn a_limit_that_was_reached_in_the_last_month_is_reached_in_that_month() {
        assert_eq!(months(1_400, &FULL), Some((200.0, 3, Some("2025-03".into()))));
    }

    #[test]
    fn a_limit_further_than_ten_years_ahead_is_not_reached() {
        assert_eq!(months(1_400 + 200 * 120, &FULL), Some((200.0, 3, Some("2035-03".into()))));
        assert_eq!(months(1_400 + 200 * 120 + 1, &FULL), Some((200.0, 3, None)));
    }

    #[test]
    fn without_a_limit_only_the_change_is_known() {
        assert_eq!(months(0, &FULL), Some((200.0, 3, None)));
    }

    #[test]
    fn one_period_has_no_trend() {
        assert_eq!(months(10, &FULL[..2]), None);
        assert_eq!(months(10, &[]), None);
    }

    #[test]
    fn days_have_a_trend_too() {
        let counts = [("2025-02-27T12:00:00Z", 10), ("2025-02-28T12:00:00Z", 20)];
        let trend = trend(25, PeriodLength::Day, &counts).unwrap();
        assert_eq!((trend.change, trend.reached_in), (10.0, Some("2025-03-01".into())));
    }
}
