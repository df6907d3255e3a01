//! Draws events by day as a line of bars.

use jiff::civil::Date;

use super::report::{DayCount, Name};

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The character of a column without events.
const NOTHING: char = ' ';
/// The number of events out of a thousand that may be before the first day shown, so that a wrong
/// clock does not stretch the line.
const PER_MILLE_BEFORE: u64 = 5;

/// The days that lines show, and the number of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
    columns: usize,
}

impl Span {
    /// Returns the span of all `names`, for lines of at most `columns` columns, or `None` if no
    /// event has a time.
    pub fn new(names: &[Name], columns: usize) -> Option<Self> {
        let mut days: Vec<(Date, u64)> =
            names.iter().flat_map(|name| &name.days).filter_map(dated).collect();
        days.sort_unstable();
        let total: u64 = days.iter().map(|(_, count)| count).sum();
        let mut before = 0;
        let first = days.iter().find(|(_, count)| {
            before += count;
            before * 1000 > total * PER_MILLE_BEFORE
        });
        let (first, last) = (first?.0, days.last()?.0);
        Some(Self { first, last, columns: columns.max(1) })
    }

    fn days(self) -> usize {
        days_between(self.first, self.last) + 1
    }

    /// Returns the number of days in a column.
    pub fn step(self) -> usize {
        self.days().div_ceil(self.columns)
    }

    /// Returns the line of `days`, scaled so that its highest column has a full bar.
    pub fn line(self, days: &[DayCount]) -> String {
        let step = self.step();
        let mut sums = vec![0_u64; self.days().div_ceil(step)];
        for (day, count) in days.iter().filter_map(dated).filter(|(day, _)| *day >= self.first) {
            if let Some(sum) = sums.get_mut(days_between(self.first, day) / step) {
                *sum += count;
            }
        }
        let most = sums.iter().copied().max().unwrap_or(0).max(1);
        let bar = |&sum: &u64| match sum {
            0 => NOTHING,
            sum => {
                let at = u128::from(sum) * BARS.len() as u128 / u128::from(most);
                BARS[usize::try_from(at).unwrap_or(0).clamp(1, BARS.len()) - 1]
            }
        };
        sums.iter().map(bar).collect()
    }
}

fn dated(day: &DayCount) -> Option<(Date, u64)> {
    day.day.parse().ok().map(|date| (date, day.count))
}

fn days_between(first: Date, day: Date) -> usize {
    usize::try_from(day.duration_since(first).as_hours() / 24).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(days: &[(&str, u64)]) -> Name {
        let day = |&(day, count): &(&str, u64)| DayCount { day: day.into(), count };
        Name { days: days.iter().map(day).collect(), ..Name::default() }
    }

    #[test]
    fn a_column_is_a_day_or_several() {
        let name = name(&[("2025-02-27", 1), ("2025-02-28", 8), ("2025-03-02", 4)]);
        let names = std::slice::from_ref(&name);
        let span = Span::new(names, 10).unwrap();
        assert_eq!((span.step(), span.line(&name.days)), (1, "▁█ ▄".into()));
        let span = Span::new(names, 2).unwrap();
        assert_eq!((span.step(), span.line(&name.days)), (2, "█▃".into()));
        assert_eq!(Span::new(&[Name::default()], 9), None);
    }

    #[test]
    fn a_wrong_clock_does_not_stretch_the_line() {
        let name = name(&[("1970-01-01", 1), ("2025-03-01", 500), ("2025-03-02", 1)]);
        let span = Span::new(std::slice::from_ref(&name), 9).unwrap();
        assert_eq!(span.line(&name.days), "█▁");
    }
}
