//! The smallest change to a filter that makes the plan suffice: which further events to drop, and
//! what that would lose.
//!
//! Events are dropped in [units](Unit): the track events of a name, the page or screen calls that
//! one line matches, the group calls, the alias calls. Identify calls are never dropped, because
//! without them there are no leads.

mod advise;
mod choose;
mod rewrite;

pub use advise::advise;
pub use choose::{Candidate, Shared, choose};
pub use rewrite::{Target, condition, rewritten};

use std::io;

use ahash::{AHashMap, AHashSet};

use crate::engine::Engine;
use crate::engine::exchange::row::{Field, Row};
use crate::engine::exchange::store::{Dropped, SegmentView};
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::{Ledger, Volume};
use crate::error::Error;
use crate::event::CallType;
use crate::jobs::audit::event_counts::NONE;
use crate::jobs::audit::line_set::LineSets;
use crate::jobs::audit::origins::RowOrigins;
use crate::jobs::audit::scenario::{Resources, Scenario};
use crate::jobs::audit::signal_sums::SignalSums;
use crate::jobs::audit::source_line::{Sightings, SourceLine};
use crate::rules::Rule;

/// A group of events that are dropped or kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unit {
    /// The call.
    pub call: CallType,
    /// The number of the name, for track events.
    pub name: u32,
    /// The [set of lines](crate::jobs::audit::line_set) that match, for page and screen calls.
    pub by: u32,
}

impl Unit {
    /// Returns the unit of an event of `call` whose name has the number `name` and that the lines
    /// `by` match.
    pub fn of(call: CallType, name: u32, by: u32) -> Self {
        let (name, by) = match call {
            CallType::Track => (name, NONE),
            CallType::Page | CallType::Screen => (NONE, by),
            CallType::Identify | CallType::Group | CallType::Alias => (NONE, NONE),
        };
        Self { call, name, by }
    }

    /// Returns the units of the single lines in the set of this unit. Returns `None` if the unit
    /// does not belong to several lines.
    fn of_each_line(self, line_sets: &LineSets) -> Option<Vec<Self>> {
        let lines = line_sets.several(self.by)?;
        Some(lines.iter().map(|&by| Self { by, ..self }).collect())
    }
}

/// Raw signals by unit and period, and those beyond the limits of the plan.
#[derive(Debug, Default)]
pub struct Uses {
    /// The raw signals of each unit in each period, including duplicates.
    pub units: AHashMap<Unit, Vec<u64>>,
    /// The raw signals of each period after the minute in which its limit was reached.
    pub over: Vec<Sightings>,
}

impl Uses {
    /// Counts the rows of `scenario`.
    ///
    /// # Errors
    /// Returns an error if the audit was interrupted or if spilled data cannot be read.
    pub fn count(
        scenario: &Scenario,
        resources: Resources<'_>,
        ledger: &Ledger,
    ) -> Result<Self, Error> {
        let periods = ledger.periods.len();
        let see = |uses: &mut Self, row: &Row<'_>, origins: RowOrigins<'_>, number: u32| {
            let (unit, line) = unit_of(row, origins, number, resources.names);
            let Some(minute) = minute_of(row, resources.engine) else { return };
            let Some(period) = ledger.period_of(minute) else { return };
            uses.units.entry(unit).or_insert_with(|| vec![0; periods])[period] += 1;
            if ledger.periods[period].reached.is_some_and(|reached| reached < minute) {
                uses.over.resize(periods, Sightings::default());
                uses.over[period].see(SourceLine { place: origins.place, line });
            }
        };
        let parts = each_row(scenario, resources, see)?;
        let mut sum = Self { over: vec![Sightings::default(); periods], ..Self::default() };
        for part in parts {
            for (unit, counts) in part.units {
                let sums = sum.units.entry(unit).or_insert_with(|| vec![0; periods]);
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            sum.over.iter_mut().zip(part.over).for_each(|(sum, seen)| *sum += seen);
        }
        Ok(sum)
    }

    /// Returns the raw signals that several units share.
    pub fn shared(&self, line_sets: &LineSets) -> Vec<Shared> {
        let shared = |(unit, by_period): (&Unit, &Vec<u64>)| {
            let units = unit.of_each_line(line_sets)?;
            Some(Shared { units, by_period: by_period.clone() })
        };
        let mut all: Vec<Shared> = self.units.iter().filter_map(shared).collect();
        all.sort_unstable();
        all
    }

    /// Returns what each unit would save and lose with the events that belong to it alone. Units
    /// that occur only in `shared` are included.
    ///
    /// # Errors
    /// Returns an error if counts cannot be read back from disk.
    pub fn candidates(
        &self,
        shared: &[Shared],
        line_sets: &LineSets,
        signal_sums: &SignalSums,
        rules: &[Rule],
    ) -> io::Result<Vec<Candidate>> {
        let alone = self.units.iter().filter(|(unit, _)| {
            unit.call != CallType::Identify && line_sets.several(unit.by).is_none()
        });
        let candidate =
            |unit, by_period| Candidate { unit, by_period, leads_lost: 0, score_lost: 0 };
        let mut by_unit: AHashMap<Unit, Candidate> =
            alone.map(|(&unit, by_period)| (unit, candidate(unit, by_period.clone()))).collect();
        for Shared { units, by_period } in shared {
            for &unit in units {
                let nothing = || candidate(unit, vec![0; by_period.len()]);
                by_unit.entry(unit).or_insert_with(nothing);
            }
        }
        let Some(contributions) = &signal_sums.contributions else {
            return Ok(in_order(by_unit));
        };
        contributions.each_single_source(|unit| {
            if let Some(candidate) = by_unit.get_mut(&unit) {
                candidate.leads_lost += 1;
            }
        })?;
        contributions.each_score(|rule, units| {
            let Some(terms) = rules.get(rule as usize) else { return };
            let total: u64 = units.iter().map(|(_, count)| count).sum();
            let within = |count: u64| terms.limit.map_or(count, |limit| count.min(limit.into()));
            for (unit, count) in units {
                let Some(candidate) = by_unit.get_mut(unit) else { continue };
                let lost = within(total) - within(total - count);
                let lost = i64::try_from(lost).unwrap_or(i64::MAX);
                candidate.score_lost =
                    candidate.score_lost.saturating_add(terms.score.saturating_mul(lost));
            }
        })?;
        Ok(in_order(by_unit))
    }
}

fn in_order(by_unit: AHashMap<Unit, Candidate>) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = by_unit.into_values().collect();
    all.sort_unstable_by_key(|candidate| candidate.unit);
    all
}

/// Returns the rows of `scenario` that dropping `units` removes, and the raw signals that remain. A
/// row that belongs to several units is removed if all of them are dropped.
///
/// # Errors
/// Returns an error if the audit was interrupted or if spilled data cannot be read.
pub fn without(
    scenario: &Scenario,
    resources: Resources<'_>,
    units: &AHashSet<Unit>,
    line_sets: &LineSets,
) -> Result<(Dropped, Volume), Error> {
    #[derive(Default)]
    struct Part {
        rows: Vec<(usize, u32)>,
        volume: Volume,
    }
    let segments = scenario.store.segments();
    let by_place: AHashMap<_, usize> =
        segments.iter().enumerate().map(|(number, segment)| (segment.place, number)).collect();
    let see = |part: &mut Part, row: &Row<'_>, origins: RowOrigins<'_>, number: u32| {
        let (unit, _) = unit_of(row, origins, number, resources.names);
        let is_dropped = match unit.of_each_line(line_sets) {
            Some(all) => all.iter().all(|unit| units.contains(unit)),
            None => units.contains(&unit),
        };
        if is_dropped {
            let segment = by_place.get(&origins.place).copied();
            part.rows.extend(segment.map(|segment| (segment, number)));
        } else {
            let received = row.head.key.received.or(row.head.key.time);
            if resources.engine.counts(received) {
                part.volume.count(received);
            }
        }
    };
    let mut dropped = vec![Vec::new(); segments.len()];
    let mut volume = Volume::default();
    for part in each_row(scenario, resources, see)? {
        for (segment, row) in part.rows {
            dropped[segment].push(row);
        }
        volume += part.volume;
    }
    Ok((Dropped::new(dropped), volume))
}

/// Returns the minute in which a row was received, if it lies in the window.
fn minute_of(row: &Row<'_>, engine: &Engine) -> Option<i64> {
    let received = row.head.key.received.or(row.head.key.time);
    Volume::minute_of(received).filter(|_| engine.counts(received))
}

/// Returns the unit of a row, and the row's line in the block.
fn unit_of(
    row: &Row<'_>,
    origins: RowOrigins<'_>,
    number: u32,
    names: &EventNames<'_>,
) -> (Unit, u32) {
    let (by, line) = origins.of(number);
    let call = row.head.call;
    (Unit::of(call, names.number(call, row.text(Field::Event)), by), line)
}

/// Calls `see` for every row of `scenario`, including duplicates, on all threads, and returns the
/// result of each worker.
fn each_row<T: Default + Send>(
    scenario: &Scenario,
    resources: Resources<'_>,
    see: impl Fn(&mut T, &Row<'_>, RowOrigins<'_>, u32) + Sync,
) -> Result<Vec<T>, Error> {
    let start = || (T::default(), Vec::new());
    let work = |(found, buffer): &mut (T, Vec<u8>), number: usize, view: &SegmentView<'_>| {
        let mut bytes = view.rows;
        let origins = scenario.origins(number, buffer)?;
        for place in 0.. {
            let Some(row) = Row::read(&mut bytes) else { break };
            see(found, &row, origins, place);
        }
        Ok(())
    };
    let Resources { pool, watch, .. } = resources;
    let workers = scenario.store.each(pool, watch, start, work, |()| Ok(()))?;
    Ok(workers.into_iter().map(|(found, _)| found).collect())
}
