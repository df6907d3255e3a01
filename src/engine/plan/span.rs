//! Spans of time for charts: days, or weeks, months or years if the history is longer.

use schemars::JsonSchema;
use serde::Serialize;

use super::calendar::{Calendar, Period};
use super::volume::Volume;
use crate::time::{DAY_MS, MINUTE_MS, Time};

/// The maximum number of spans; longer histories get longer spans.
const MAX_SPANS: usize = 110;
/// The inverse of the share of raw signals that may lie outside of the spans at each end, if that
/// makes the spans shorter. A single wrong clock would otherwise turn days into years.
const OUTLIER_DIVISOR: u64 = 1_000;
/// The maximum number of days of a week and a month.
const WEEK: usize = 7;
const MONTH: usize = 31;

/// How long a span is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanUnit {
    /// From midnight to midnight.
    #[default]
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl SpanUnit {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Returns the shortest unit that divides `days` into at most [`MAX_SPANS`] spans.
    fn of(days: usize) -> Self {
        match days {
            days if days <= MAX_SPANS => Self::Day,
            days if days <= (MAX_SPANS - 1) * WEEK => Self::Week,
            days if days <= (MAX_SPANS - 1) * MONTH => Self::Month,
            _ => Self::Year,
        }
    }
}

/// One span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// `2025-07-01` for a day or the Monday of a week, `2025-07` for a month, `2025` for a year.
    pub label: String,
    /// The first minute, since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// The first minute of the next span.
    pub end: i64,
}

/// Consecutive spans without gaps, from the first raw signal to the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    unit: SpanUnit,
    spans: Vec<Span>,
}

impl Spans {
    /// Divides the time of all `volumes` by the days of `calendar`. Implausible times
    /// ([`Time::is_plausible`]) are left out, and so are a few outliers if that makes the spans
    /// shorter.
    pub fn new(volumes: &[&Volume], calendar: &Calendar) -> Self {
        let counts = counts(volumes);
        let (Some(&(first, _)), Some(&(last, _))) = (counts.first(), counts.last()) else {
            return Self::default();
        };
        let (from, to) = without_outliers(&counts);
        let unit = |from, to| SpanUnit::of(days_between(from, to));
        let (whole, trimmed) = (unit(first, last), unit(from, to));
        let (from, to, unit) =
            if whole == trimmed { (first, last, whole) } else { (from, to, trimmed) };
        Self { unit, spans: divide(&days(&calendar.daily(), from, to), unit) }
    }

    /// Returns the unit of the spans.
    pub fn unit(&self) -> SpanUnit {
        self.unit
    }

    /// Returns the spans, in order.
    pub fn as_slice(&self) -> &[Span] {
        &self.spans
    }

    /// Returns the index of the span that contains `minute`. The span at `guess` is tried first.
    #[inline]
    pub fn position(&self, minute: i64, guess: usize) -> Option<usize> {
        let has = |span: &Span| (span.start..span.end).contains(&minute);
        if self.spans.get(guess).is_some_and(has) {
            return Some(guess);
        }
        let at = self.spans.partition_point(|span| span.end <= minute);
        self.spans.get(at).filter(|span| has(span)).map(|_| at)
    }
}

/// Returns the counts of plausible minutes, in order of time.
fn counts(volumes: &[&Volume]) -> Vec<(i64, u64)> {
    let is_plausible = |minute: i64| {
        Time::from_millis(minute.saturating_mul(MINUTE_MS)).is_some_and(Time::is_plausible)
    };
    let all = volumes.iter().flat_map(|volume| volume.by_minute());
    let mut counts: Vec<_> = all.filter(|&(minute, _)| is_plausible(minute)).collect();
    counts.sort_unstable();
    counts
}

/// Returns the first and the last minute without the outliers at each end.
fn without_outliers(counts: &[(i64, u64)]) -> (i64, i64) {
    let outliers = counts.iter().map(|&(_, count)| count).sum::<u64>() / OUTLIER_DIVISOR;
    let inner = |mut counts: Box<dyn Iterator<Item = &(i64, u64)> + '_>| {
        let mut passed = 0;
        let found = counts.find(|&&(_, count)| {
            passed += count;
            passed > outliers
        });
        found.map_or(0, |&(minute, _)| minute)
    };
    (inner(Box::new(counts.iter())), inner(Box::new(counts.iter().rev())))
}

/// Returns the maximum number of days that two minutes can span.
fn days_between(from: i64, to: i64) -> usize {
    let day = DAY_MS / MINUTE_MS;
    usize::try_from((to - from) / day + 2).unwrap_or(0)
}

/// Returns the days from that of the minute `from` to that of the minute `to`.
fn days(calendar: &Calendar, from: i64, to: i64) -> Vec<Period> {
    let mut days = vec![calendar.containing(from)];
    while let Some(day) = days.last()
        && day.end <= to
        && let Some(next) = calendar.following(day)
    {
        days.push(next);
    }
    days
}

fn divide(days: &[Period], unit: SpanUnit) -> Vec<Span> {
    let name = |day: &Period| {
        let date = day.first_day();
        match unit {
            SpanUnit::Day => date.to_string(),
            SpanUnit::Week => {
                let since_monday = date.weekday().to_monday_zero_offset();
                let monday = date.checked_sub(jiff::Span::new().days(since_monday));
                monday.unwrap_or(date).to_string()
            }
            SpanUnit::Month => date.strftime("%Y-%m").to_string(),
            SpanUnit::Year => date.strftime("%Y").to_string(),
        }
    };
    let of_span = days.chunk_by(|a, b| name(a) == name(b));
    of_span
        .map(|days| Span {
            label: name(&days[0]),
            start: days[0].start,
            end: days[days.len() - 1].end,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::PeriodLength;
    use jiff::tz::TimeZoneDatabase;

    fn spans(zone: &str, counts: &[(&str, u64)]) -> Spans {
        let mut volume = Volume::default();
        for &(text, count) in counts {
            let time = Time::parse(text.as_bytes()).unwrap();
            volume.add(Volume::minute_of(time).unwrap(), count);
        }
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        Spans::new(&[&volume], &Calendar::new(zone, PeriodLength::Month))
    }

    fn labels(spans: &Spans) -> Vec<&str> {
        spans.as_slice().iter().map(|span| &*span.label).collect()
    }

    #[test]
    fn days_begin_at_local_midnight_and_quiet_ones_are_there() {
        let spans = spans("Europe/Berlin", &[("2025-03-29T22:59Z", 1), ("2025-03-31T22:00Z", 1)]);
        assert_eq!(labels(&spans), ["2025-03-29", "2025-03-30", "2025-03-31", "2025-04-01"]);
        // Clocks go forward on the 30th.
        let hours: Vec<_> =
            spans.as_slice().iter().map(|span| (span.end - span.start) / 60).collect();
        assert_eq!(hours, [24, 23, 24, 24]);
    }

    #[test]
    fn longer_histories_have_longer_spans_and_never_too_many() {
        for (last, unit, first, count) in [
            ("2025-04-20", SpanUnit::Day, "2025-01-01", 110),
            ("2025-04-21", SpanUnit::Week, "2024-12-30", 17),
            ("2026-12-31", SpanUnit::Week, "2024-12-30", 105),
            ("2031-12-31", SpanUnit::Month, "2025-01", 84),
            ("2099-12-31", SpanUnit::Year, "2025", 75),
        ] {
            let spans = spans("UTC", &[("2025-01-01T12:00Z", 1), (last, 1)]);
            let found = (spans.unit(), labels(&spans)[0], spans.as_slice().len());
            assert_eq!(found, (unit, first, count), "{last}");
            assert!(spans.as_slice().len() <= MAX_SPANS);
            assert!(spans.as_slice().windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }

    #[test]
    fn a_few_outliers_and_implausible_times_do_not_lengthen_the_spans() {
        let spans = spans(
            "UTC",
            &[
                ("1970-01-01", 5_000),
                ("2007-01-01", 3),
                ("2025-01-01", 2_000),
                ("2025-01-03", 2_000),
                ("2090-01-01", 4),
            ],
        );
        assert_eq!(labels(&spans), ["2025-01-01", "2025-01-02", "2025-01-03"]);
        let minute = |text: &str| {
            Time::parse(text.as_bytes()).unwrap().millis().unwrap().div_euclid(MINUTE_MS)
        };
        for guess in 0..4 {
            assert_eq!(spans.position(minute("2025-01-02T23:59:00Z"), guess), Some(1));
            assert_eq!(spans.position(minute("2025-01-04T00:00:00Z"), guess), None);
            assert_eq!(spans.position(minute("2007-01-01"), guess), None);
        }
    }

    #[test]
    fn nothing_has_no_spans() {
        assert_eq!(spans("UTC", &[]), Spans::default());
        assert_eq!(spans("UTC", &[("0001-01-01", 9)]), Spans::default());
    }
}
