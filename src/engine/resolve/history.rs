//! Raw signals by span of time and outcome.

use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::Serialize;

use super::cold_time::ColdTimes;
use super::row::ResolvedRow;
use super::visit::Visit;
use crate::engine::identity::Resolution;
use crate::engine::plan::Spans;

/// The outcome of a raw signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A signal that was kept.
    Resolved(Resolution),
    /// An identify, group or alias call that was kept, or an event removed by a deletion request.
    Other,
    /// A duplicate of an earlier event.
    Duplicate,
}

/// Raw signals by what became of them; each is in one member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[allow(missing_docs)] // each is the count of that name
pub struct Fates {
    pub direct: u64,
    pub known: u64,
    pub rehydrated: u64,
    pub cold: u64,
    /// Identify, group and alias calls, and events that deletion requests take out.
    pub other: u64,
    pub duplicates: u64,
}

impl Fates {
    fn add(&mut self, fate: Fate) {
        let count = match fate {
            Fate::Resolved(Resolution::Direct) => &mut self.direct,
            Fate::Resolved(Resolution::Known) => &mut self.known,
            Fate::Resolved(Resolution::Rehydrated) => &mut self.rehydrated,
            Fate::Resolved(Resolution::Cold) => &mut self.cold,
            Fate::Other => &mut self.other,
            Fate::Duplicate => &mut self.duplicates,
        };
        *count += 1;
    }

    /// Returns the number of all raw signals.
    pub fn total(&self) -> u64 {
        self.direct + self.known + self.rehydrated + self.cold + self.other + self.duplicates
    }
}

impl AddAssign for Fates {
    fn add_assign(&mut self, other: Self) {
        self.direct += other.direct;
        self.known += other.known;
        self.rehydrated += other.rehydrated;
        self.cold += other.cold;
        self.other += other.other;
        self.duplicates += other.duplicates;
    }
}

/// The counts of each of some [`Spans`]. Histories of parts of the input add up to that of the
/// whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The counts of each span, in order.
    pub spans: Vec<Fates>,
    /// Raw signals without a time, and outside of all spans.
    pub outside: Fates,
    /// The index of the span of the last raw signal, which is likely that of the next.
    latest: usize,
}

impl History {
    /// Creates a history with all counts 0.
    pub fn new(spans: &Spans) -> Self {
        let count = spans.as_slice().len();
        Self { spans: vec![Fates::default(); count], ..Self::default() }
    }

    /// Counts a raw signal that arrived in `minute`.
    #[inline]
    pub fn count(&mut self, spans: &Spans, minute: Option<i64>, fate: Fate) {
        let position = minute.and_then(|minute| spans.position(minute, self.latest));
        match position.and_then(|position| Some((position, self.spans.get_mut(position)?))) {
            Some((position, fates)) => {
                self.latest = position;
                fates.add(fate);
            }
            None => self.outside.add(fate),
        }
    }

    /// Returns the sums over all spans and the raw signals outside of them.
    pub fn total(&self) -> Fates {
        let mut total = self.outside;
        self.spans.iter().for_each(|&fates| total += fates);
        total
    }
}

/// [`History::default`] is the neutral element.
impl AddAssign for History {
    fn add_assign(&mut self, mut other: Self) {
        if self.spans.len() < other.spans.len() {
            std::mem::swap(&mut self.spans, &mut other.spans);
        }
        for (sum, fates) in self.spans.iter_mut().zip(other.spans) {
            *sum += fates;
        }
        self.outside += other.outside;
    }
}

/// A visitor that counts outcomes by span of time. Each thread has its own.
#[derive(Debug)]
pub struct HistoryCounter<'a> {
    spans: &'a Spans,
    /// The outcomes of rows in the window.
    pub history: History,
    /// The times for which rehydrated signals were cold.
    pub cold_times: ColdTimes,
}

impl<'a> HistoryCounter<'a> {
    /// Creates a visitor with all counts 0.
    pub fn new(spans: &'a Spans) -> Self {
        Self { spans, history: History::new(spans), cold_times: ColdTimes::default() }
    }

    #[inline]
    fn record(&mut self, row: &ResolvedRow<'_>, fate: Fate) {
        if row.in_window {
            self.history.count(self.spans, row.minute, fate);
        }
    }
}

impl Visit for HistoryCounter<'_> {
    fn event(&mut self, row: &ResolvedRow<'_>) {
        if !row.row.head.call.is_signal() {
            self.record(row, Fate::Other);
        }
    }

    fn signal(&mut self, row: &ResolvedRow<'_>) {
        let resolution = row.resolution();
        self.record(row, Fate::Resolved(resolution));
        if let Some(owner) = row.owner
            && resolution == Resolution::Rehydrated
        {
            self.cold_times.count(row.row.head.key.time, owner.tied);
        }
    }

    fn duplicate(&mut self, row: &ResolvedRow<'_>) {
        self.record(row, Fate::Duplicate);
    }

    fn forgotten(&mut self, row: &ResolvedRow<'_>) {
        self.record(row, Fate::Other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{Calendar, Volume};
    use crate::rules::PeriodLength;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    const DAY: i64 = 24 * 60;
    /// 2025-01-01.
    const START: i64 = 20_089 * DAY;

    fn spans() -> Spans {
        let mut volume = Volume::default();
        volume.add(START, 1);
        volume.add(START + 2 * DAY, 1);
        Spans::new(&[&volume], &Calendar::new(TimeZone::UTC, PeriodLength::Day))
    }

    fn fate(number: usize) -> Fate {
        [
            Fate::Resolved(Resolution::Direct),
            Fate::Resolved(Resolution::Known),
            Fate::Resolved(Resolution::Rehydrated),
            Fate::Resolved(Resolution::Cold),
            Fate::Other,
            Fate::Duplicate,
        ][number % 6]
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole_in_any_order(
            events in prop::collection::vec((prop::option::of(-3..6_i64), 0..6_usize), 0..60),
            at in 0..60_usize,
        ) {
            let spans = spans();
            let count = |events: &[(Option<i64>, usize)]| {
                let mut history = History::new(&spans);
                for &(day, number) in events {
                    history.count(&spans, day.map(|day| START + day * DAY + 7), fate(number));
                }
                history
            };
            let (one, other) = events.split_at(at.min(events.len()));
            let mut sum = History::default();
            sum += count(other);
            sum += count(one);
            let whole = count(&events);
            prop_assert_eq!((&sum.spans, sum.outside), (&whole.spans, whole.outside));
            prop_assert_eq!(whole.total().total(), events.len() as u64);
            let inside = events.iter().filter(|(day, _)| day.is_some_and(|day| (0..3).contains(&day)));
            prop_assert_eq!(whole.spans.iter().map(Fates::total).sum::<u64>(), inside.count() as u64);
        }
    }
}
