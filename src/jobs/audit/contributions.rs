//! What each unit of events contributes to leads.

use std::io;
use std::sync::Arc;

use super::fit::Unit;
use crate::engine::exchange::key_counts::KeyCounts;
use crate::engine::exchange::spill::Spill;
use crate::engine::identity::ids::NodeId;
use crate::event::CallType;
use crate::jobs::audit::event_counts::NONE;

/// The number of bits of a unit in a key.
const UNIT_BITS: u32 = 40;
/// In place of a unit: events that are no unit.
const NO_UNIT: u64 = u64::MAX >> (u64::BITS - UNIT_BITS);

/// Scored signals by lead, rule and unit, and which units identify each lead; on disk where they are
/// many.
#[derive(Debug)]
pub struct Contributions {
    signals: KeyCounts,
    sources: KeyCounts,
}

impl Contributions {
    /// Creates empty counts. Up to about `budget_bytes` are kept in memory, more in `spill`.
    pub fn new(spill: &Arc<Spill>, budget_bytes: usize) -> Self {
        let half = || KeyCounts::new(Arc::clone(spill), budget_bytes / 2);
        Self { signals: half(), sources: half() }
    }

    /// Counts a scored signal of `lead`.
    ///
    /// # Errors
    /// Returns an error if counts cannot be written to disk.
    pub fn signal(&mut self, lead: NodeId, rule: Option<u32>, unit: Unit) -> io::Result<()> {
        let group = u64::from(lead.to_raw()) << 32 | u64::from(rule.unwrap_or(NONE));
        self.signals.add(u128::from(group) << UNIT_BITS | u128::from(number(unit)), 1)
    }

    /// Notes that an event of `unit`, or of no unit, identifies `lead`.
    ///
    /// # Errors
    /// Returns an error if counts cannot be written to disk.
    pub fn source(&mut self, lead: NodeId, unit: Option<Unit>) -> io::Result<()> {
        let unit = unit.map_or(NO_UNIT, number);
        self.sources.add(u128::from(lead.to_raw()) << UNIT_BITS | u128::from(unit), 1)
    }

    /// Adds the counts of `other`, which has the same spill.
    ///
    /// # Errors
    /// Returns an error if counts cannot be written to disk.
    pub fn absorb(&mut self, other: Self) -> io::Result<()> {
        self.signals.absorb(other.signals)?;
        self.sources.absorb(other.sources)
    }

    /// Calls `see` for each lead that only events of one unit identify.
    ///
    /// # Errors
    /// Returns an error if counts cannot be read back.
    pub fn each_single_source(&self, mut see: impl FnMut(Unit)) -> io::Result<()> {
        let mut open: Option<(u128, Option<Unit>)> = None;
        self.sources.each(|key, _| match &mut open {
            Some((lead, unit)) if *lead == key >> UNIT_BITS => *unit = None,
            _ => {
                let before = open.replace((key >> UNIT_BITS, unit_of(key)));
                before.and_then(|(_, unit)| unit).into_iter().for_each(&mut see);
            }
        })?;
        open.and_then(|(_, unit)| unit).into_iter().for_each(see);
        Ok(())
    }

    /// Calls `see` for each lead and each rule that scores signals of it, with the number of signals
    /// of each unit.
    ///
    /// # Errors
    /// Returns an error if counts cannot be read back.
    pub fn each_score(&self, mut see: impl FnMut(u32, &[(Unit, u64)])) -> io::Result<()> {
        let (mut open, mut units) = (None, Vec::new());
        #[allow(clippy::cast_possible_truncation)] // the lower half
        let rule = |group: u128| group as u32;
        self.signals.each(|key, count| {
            let group = key >> UNIT_BITS;
            if let Some(before) = open.replace(group).filter(|&before| before != group) {
                see(rule(before), &units);
                units.clear();
            }
            units.extend(unit_of(key).map(|unit| (unit, count)));
        })?;
        if let Some(last) = open {
            see(rule(last), &units);
        }
        Ok(())
    }
}

/// A unit as a number of [`UNIT_BITS`].
fn number(Unit { call, name, by }: Unit) -> u64 {
    let which = if call == CallType::Track { name } else { by };
    (call as u64) << 32 | u64::from(which)
}

/// The unit in a key, if there is one.
#[allow(clippy::cast_possible_truncation)] // bits of a number
fn unit_of(key: u128) -> Option<Unit> {
    let number = key as u64 & NO_UNIT;
    let call = *CallType::ALL.get((number >> 32) as usize)?;
    let which = number as u32;
    Some(Unit::of(call, which, which))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn contributions_are_those_of_maps_in_memory_and_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let units: Vec<Unit> = (0..20_u32)
            .flat_map(|n| [CallType::Track, CallType::Page, CallType::Group].map(|c| (c, n)))
            .map(|(call, n)| Unit::of(call, n, n + 100))
            .collect();
        for budget_bytes in [0, usize::MAX] {
            let spill = Arc::new(Spill::new(dir.path().to_owned(), 0));
            let mut all = Contributions::new(&spill, budget_bytes);
            let mut other = Contributions::new(&spill, budget_bytes);
            let mut scores: BTreeMap<_, BTreeMap<Unit, u64>> = BTreeMap::new();
            let mut sources: BTreeMap<u32, BTreeSet<Option<Unit>>> = BTreeMap::new();
            for step in 0..30_000_u32 {
                let some = if step % 2 == 0 { &mut all } else { &mut other };
                let (lead, rule) = (step * 7 % 3001, (step % 3 > 0).then_some(step % 3));
                let unit = units[(step * step) as usize % units.len()];
                some.signal(NodeId::from_raw(lead), rule, unit).unwrap();
                let by_unit = scores.entry((lead, rule.unwrap_or(NONE))).or_default();
                *by_unit.entry(unit).or_default() += 1;
                if step % 10 == 0 {
                    let unit = (step % 40 > 0).then_some(unit);
                    some.source(NodeId::from_raw(lead), unit).unwrap();
                    sources.entry(lead).or_default().insert(unit);
                }
            }
            all.absorb(other).unwrap();
            let mut found = Vec::new();
            all.each_score(|rule, units| found.push((rule, units.to_vec()))).unwrap();
            let expected = scores.into_iter().map(|((_, rule), units)| {
                let mut units: Vec<_> = units.into_iter().collect();
                units.sort_by_key(|&(unit, _)| number(unit));
                (rule, units)
            });
            assert_eq!(found, expected.collect::<Vec<_>>());
            let mut single = Vec::new();
            all.each_single_source(|unit| single.push(unit)).unwrap();
            let only = sources.into_values().filter(|units| units.len() == 1);
            assert_eq!(single, only.flatten().flatten().collect::<Vec<_>>());
        }
    }
}
