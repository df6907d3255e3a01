//! Builds the advice: what to drop, what remains, and the allow list that implements it.

use ahash::{AHashMap, AHashSet};

use super::{Candidate, Target, Unit, Uses, choose, condition, rewritten, without};
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::Ledger;
use crate::error::Error;
use crate::event::CallType;
use crate::jobs::audit::Side;
use crate::jobs::audit::event_counts::NONE;
use crate::jobs::audit::lead_lines::Comparison;
use crate::jobs::audit::report::{Change, Drop, Entry};
use crate::jobs::audit::scenario::{Outcome, Resources};
use crate::jobs::audit::signal_sums::SignalCounter;
use crate::jobs::audit::summary::{Facts, LISTED, lead_counts};

/// Returns the smallest change to the filter of `facts` that fits the plan, with the outcome that
/// it leads to.
///
/// # Errors
/// Returns an error if the audit was interrupted or if spilled data cannot be read.
pub fn advise(
    facts: &Facts<'_>,
    resources: Resources<'_>,
    after: &Outcome,
    uses: &Uses,
    scores: &[i64],
) -> Result<Change, Error> {
    let scenario = &facts.ingested.scenarios[Side::After as usize];
    let line_sets = &facts.ingested.line_sets;
    let shared = uses.shared(line_sets);
    let rules = &facts.engine.rules.rules;
    let mut candidates =
        uses.candidates(&shared, line_sets, &after.signal_sums, rules).map_err(Error::Spill)?;
    candidates.retain(|candidate| can_write(facts, candidate.unit, resources.names));
    let limit = facts.terms.raw_signals.unwrap_or(u64::MAX);
    let raw = after.ledger.periods.iter().map(|usage| usage.raw_signals);
    let needed: Vec<u64> = raw.map(|raw| raw.saturating_sub(limit)).collect();
    let chosen = choose(&candidates, &shared, &needed);
    let units: AHashSet<Unit> = chosen.iter().map(|&at| candidates[at].unit).collect();
    let (dropped, volume) = without(scenario, resources, &units, line_sets)?;
    let ledger = Ledger::new(&volume, facts.terms);
    let signal_counter = SignalCounter { scores, contributions: false, active: false };
    let kept_facts = scenario.facts_without(&dropped)?;
    let left = scenario.resolve(resources, ledger, kept_facts, Some(&dropped), signal_counter)?;
    let targets: Vec<Target<'_>> =
        chosen.iter().map(|&at| target(candidates[at].unit, resources.names)).collect();
    let list = facts.filters.after.allow.as_ref();
    let compared = Comparison::new(&after.leads, &left.leads).map_err(Error::Spill)?;
    let drops = |places: &mut dyn Iterator<Item = usize>| -> Vec<Drop> {
        places.take(LISTED).map(|at| drop_of(facts, &candidates[at], resources.names)).collect()
    };
    let is_other = |at: &usize| candidates[*at].saved() > 0 && !chosen.contains(at);
    let mut others: Vec<usize> = (0..candidates.len()).filter(is_other).collect();
    others.sort_by_key(|&at| {
        let candidate = &candidates[at];
        let saved = std::cmp::Reverse(candidate.saved());
        (candidate.leads_lost, candidate.score_lost.max(0), saved, candidate.unit)
    });
    Ok(Change {
        fits: left.ledger.totals.over == 0,
        drop: drops(&mut chosen.iter().copied()),
        raw_signals: remaining(&after.ledger, &left.ledger),
        leads: lead_counts(&left.sums),
        leads_lost: compared.lost,
        score_lost: after.sums.total_score.saturating_sub(left.sums.total_score),
        allow: list.and_then(|list| rewritten(list, &targets)).unwrap_or_default(),
        others: drops(&mut others.into_iter()),
    })
}

/// Returns `true` if a filter without `unit` can be written.
fn can_write(facts: &Facts<'_>, unit: Unit, names: &EventNames<'_>) -> bool {
    let target = target(unit, names);
    match &facts.filters.after.allow {
        Some(list) => rewritten(list, &[target]).is_some(),
        None => condition(&target).is_some(),
    }
}

fn drop_of(facts: &Facts<'_>, candidate: &Candidate, names: &EventNames<'_>) -> Drop {
    let Unit { call, name, by } = candidate.unit;
    let entry = facts.filters.after.allow.as_ref().and_then(|list| list.lines().get(by as usize));
    let target = target(candidate.unit, names);
    Drop {
        call: call.name(),
        event: names.as_slice().get(name as usize).map(|name| (*name).to_owned()),
        entry: entry.map(|line| Entry { number: line.number, text: line.text.to_string() }),
        saved: candidate.saved(),
        leads_lost: candidate.leads_lost,
        score_lost: candidate.score_lost,
        // FQL cannot express in general which pages one line matches.
        fql: if by == NONE { condition(&target) } else { None },
    }
}

fn target<'n>(unit: Unit, names: &EventNames<'n>) -> Target<'n> {
    match unit.call {
        CallType::Track => {
            Target::Track(names.as_slice().get(unit.name as usize).copied().unwrap_or(""))
        }
        call @ (CallType::Page | CallType::Screen) => {
            Target::Pages(call, (unit.by != NONE).then_some(unit.by as usize))
        }
        call => Target::Call(call),
    }
}

/// Returns the raw signals in `after` of each period of `before`.
fn remaining(before: &Ledger, after: &Ledger) -> Vec<u64> {
    let of: AHashMap<i64, u64> =
        after.periods.iter().map(|usage| (usage.period.start, usage.raw_signals)).collect();
    let periods = before.periods.iter();
    periods.map(|usage| of.get(&usage.period.start).copied().unwrap_or(0)).collect()
}
