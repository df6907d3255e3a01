//! The usage of a plan: counts of raw signals by minute compared with the plan's limits.
//!
//! A plan accepts a limited number of raw signals in each period. Beyond it, the service answers
//! 429, and Segment retries the delivery for four hours. [`Ledger`] computes from a [`Volume`] and
//! the [`Terms`] of a plan how much of each period was used, refused, retried and lost.

mod calendar;
mod ledger;
mod mix;
mod service;
mod span;
mod terms;
mod timeframe;
mod tracked;
mod trend;
mod volume;

pub use calendar::{Calendar, Period, time_of};
pub use ledger::{Ledger, Totals, Verdict};
pub use mix::PeriodMix;
pub use service::Usage;
pub use span::{Span, SpanUnit, Spans};
pub use terms::Terms;
pub use timeframe::Timeframe;
pub use tracked::TrackedUsers;
pub use trend::Trend;
pub use volume::Volume;

/// How close a count is to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Light {
    /// Under 80 % of the limit, or no limit.
    Green,
    /// At least 80 % of the limit.
    Amber,
    /// The limit is reached.
    Red,
}

impl Light {
    /// Returns the light of `count` against `limit`; `None` is unlimited.
    pub fn of(count: u64, limit: Option<u64>) -> Self {
        match limit {
            Some(limit) if count >= limit => Self::Red,
            Some(limit) if u128::from(count) * 10 >= u128::from(limit) * 8 => Self::Amber,
            _ => Self::Green,
        }
    }

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Light;

    #[test]
    fn the_light_changes_at_80_and_100_percent() {
        let light = |count, limit| Light::of(count, Some(limit)).name();
        assert_eq!(light(0, 10), "green");
        assert_eq!(light(79_999, 100_000), "green");
        assert_eq!(light(80_000, 100_000), "amber");
        assert_eq!(light(99_999, 100_000), "amber");
        assert_eq!(light(100_000, 100_000), "red");
        assert_eq!(light(0, 1), "green");
        assert_eq!(light(1, 1), "red");
        assert_eq!(light(u64::MAX / 2, u64::MAX), "green");
    }

    #[test]
    fn without_a_limit_the_light_is_green() {
        assert_eq!(Light::of(u64::MAX, None), Light::Green);
    }
}
