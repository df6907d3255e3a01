//! Findings about event names: those that are scored and dropped, those that pass without use, and
//! those that differ only in spelling.

use std::collections::BTreeMap;

use super::{Kind, events, has_rules, percent, quoted};
use crate::event::CallType;
use crate::event::word::{CLICKS, NOISE, has};
use crate::jobs::audit::event_counts::{NONE, Traits};
use crate::jobs::audit::report::{Finding, Severity};
use crate::jobs::audit::source_line::Sightings;
use crate::jobs::audit::summary::Evidence;
use crate::nearest::plain;

/// The percentage of the passing events from which an unmapped name is noise, whatever it is
/// called.
const NOISY_PERCENT: u64 = 20;
/// The percentage from which a name that sounds like noise is noise.
const NOISY_NAME_PERCENT: u64 = 1;
/// The maximum number of events of a rare name, and the number of passing events from which a name
/// can be rare.
const RARE: u64 = 2;
const RARE_AMONG: u64 = 10_000;
/// An event name with its counts.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    /// The call.
    pub call: CallType,
    /// The name.
    pub event: &'a str,
    /// All events of the name.
    pub all: Sightings,
    /// The events that pass the filter.
    pub kept: Sightings,
    /// The number of events that pass and that a rule maps.
    pub used: u64,
    /// The events that do not pass and that a rule scores, by rule.
    pub lost: BTreeMap<u32, Sightings>,
}

/// Returns all names, in order.
pub fn names<'a>(evidence: &'a Evidence<'_>) -> Vec<Named<'a>> {
    let event_counts = evidence.event_counts();
    let mut names: Vec<Named<'a>> = (0..event_counts.len())
        .map(|number| {
            let (call, event) = event_counts.name(u32::try_from(number).unwrap_or(NONE));
            let (all, kept) = (Sightings::default(), Sightings::default());
            Named { call, event, all, kept, used: 0, lost: BTreeMap::new() }
        })
        .collect();
    let rules = &evidence.facts.engine.rules.rules;
    for (key, seen) in event_counts.cells() {
        let of_name = &mut names[key.name as usize];
        of_name.all += *seen;
        let score = rules.get(key.rule as usize).map_or(0, |rule| rule.score);
        if key.traits.has(Traits::AFTER) {
            of_name.kept += *seen;
            of_name.used += if key.rule == NONE { 0 } else { seen.count };
        } else if score != 0 {
            *of_name.lost.entry(key.rule).or_default() += *seen;
        }
    }
    names.sort_unstable_by(|a, b| (a.call, a.event).cmp(&(b.call, b.event)));
    names
}

/// Reports events that a rule scores and the filter drops.
pub fn scored_and_dropped(evidence: &Evidence<'_>, names: &[Named<'_>]) -> Vec<(Kind, Finding)> {
    let kind = Kind::ScoredEventDropped;
    let rules = &evidence.facts.engine.rules.rules;
    let scored = names.iter().filter(|named| !named.lost.is_empty());
    let finding = |named: &Named<'_>| {
        let mut sum = Sightings::default();
        named.lost.values().for_each(|seen| sum += *seen);
        let by_rule = named.lost.iter().filter_map(|(&rule, seen)| {
            let rule = rules.get(rule as usize)?;
            Some(format!("{} by `{}` ({})", seen.count, rule.id, rule.score))
        });
        let message = format!(
            "the filter drops {} of {} {} that rules score: {}",
            sum.count,
            events(named.all.count),
            quoted(named.event),
            by_rule.collect::<Vec<_>>().join(", "),
        );
        let finding = Finding {
            help: Some(match named.call {
                CallType::Track => {
                    format!("let {} pass, or take it out of the rules", quoted(named.event))
                }
                call => format!("let these {}s pass, or take them out of the rules", call.name()),
            }),
            call: Some(named.call.name()),
            event: Some(named.event.to_owned()),
            count: sum.count,
            of: named.all.count,
            examples: evidence.examples(&sum),
            ..kind.finding(Severity::Warning, message)
        };
        (kind, finding)
    };
    scored.map(finding).collect()
}

fn passing(names: &[Named<'_>]) -> u64 {
    names.iter().map(|named| named.kept.count).sum()
}

/// Reports track events that pass although no rule maps them.
pub fn unmapped(evidence: &Evidence<'_>, names: &[Named<'_>]) -> Vec<(Kind, Finding)> {
    if !has_rules(evidence) {
        return Vec::new();
    }
    let kind = Kind::AllowedUnmapped;
    let all = passing(names);
    let idle = names
        .iter()
        .filter(|named| named.call == CallType::Track && named.kept.count > 0 && named.used == 0);
    let finding = |named: &Named<'_>| {
        let message = format!(
            "{}: {}, {} of what passes, and no rule maps any",
            quoted(named.event),
            events(named.kept.count),
            percent(named.kept.count, all),
        );
        let finding = Finding {
            help: Some("write a rule for it, or do not let it pass".into()),
            ..about(evidence, kind, named, all, message)
        };
        (kind, finding)
    };
    idle.map(finding).collect()
}

fn about(
    evidence: &Evidence<'_>,
    kind: Kind,
    named: &Named<'_>,
    of: u64,
    message: String,
) -> Finding {
    Finding {
        call: Some(named.call.name()),
        event: Some(named.event.to_owned()),
        count: named.kept.count,
        of,
        examples: evidence.examples(&named.kept),
        ..kind.finding(Severity::Warning, message)
    }
}

/// Reports track events that pass although no rule uses them, and that are noise or rare.
pub fn rare_or_noisy(evidence: &Evidence<'_>, names: &[Named<'_>]) -> Vec<(Kind, Finding)> {
    let kind = Kind::RareOrNoisy;
    let all = passing(names);
    let mut found = Vec::new();
    let idle = names
        .iter()
        .filter(|named| named.call == CallType::Track && named.kept.count > 0 && named.used == 0);
    for named in idle {
        let at_least =
            |share: u64| u128::from(named.kept.count) * 100 >= u128::from(all) * u128::from(share);
        let sounds = is_noise(named.event);
        let noisy = (sounds && at_least(NOISY_NAME_PERCENT))
            || (has_rules(evidence) && at_least(NOISY_PERCENT));
        let rare = named.kept.count <= RARE && all >= RARE_AMONG;
        let (severity, what) = match (noisy, sounds, rare) {
            (true, true, _) => (Severity::Warning, "sounds like clicks, checks or errors"),
            (true, false, _) => (Severity::Warning, "comes in masses"),
            (_, _, true) => (Severity::Note, "hardly ever comes"),
            _ => continue,
        };
        let message = format!(
            "{} {what} and serves no rule: {}, {} of what passes",
            quoted(named.event),
            events(named.kept.count),
            percent(named.kept.count, all),
        );
        let finding = about(evidence, kind, named, all, message);
        found.push((kind, Finding { severity, ..finding }));
    }
    found
}

/// Returns `true` if a word of `name` denotes clicks, automatic checks or errors.
fn is_noise(name: &str) -> bool {
    has(name, &NOISE) || has(name, &CLICKS)
}

/// Reports names that differ only in case, spaces and punctuation.
pub fn near_duplicates(evidence: &Evidence<'_>, names: &[Named<'_>]) -> Vec<(Kind, Finding)> {
    let kind = Kind::NearDuplicateNames;
    let mut groups: BTreeMap<String, Vec<&Named<'_>>> = BTreeMap::new();
    for named in names.iter().filter(|named| named.call == CallType::Track) {
        let plain = plain(named.event);
        if !plain.is_empty() {
            groups.entry(plain).or_default().push(named);
        }
    }
    let finding = |mut group: Vec<&Named<'_>>| {
        group.sort_by_key(|named| std::cmp::Reverse(named.all.count));
        let (mut sum, mut first) = (Sightings::default(), Sightings::default());
        for named in &group {
            sum.count += named.all.count;
            named.all.source_lines().take(1).for_each(|source_line| first.keep(source_line));
        }
        let dropped = group.iter().filter(|named| named.kept.count == 0).count();
        let differs = dropped > 0 && dropped < group.len();
        let listed: Vec<String> = group
            .iter()
            .take(4)
            .map(|named| format!("{} {}", quoted(named.event), named.all.count))
            .collect();
        let more = group.len().saturating_sub(listed.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let fate = if differs { "; the filter keeps some and drops others" } else { "" };
        let message = format!("names that look like one event: {}{more}{fate}", listed.join(", "));
        let severity = if differs { Severity::Warning } else { Severity::Note };
        let finding = Finding {
            help: Some("choose one name, and until then allow and map all of them".into()),
            call: Some(CallType::Track.name()),
            event: group.first().map(|named| named.event.to_owned()),
            count: sum.count,
            of: sum.count,
            examples: evidence.examples(&first),
            ..kind.finding(severity, message)
        };
        (kind, finding)
    };
    groups.into_values().filter(|group| group.len() > 1).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_a_whole_word() {
        for name in ["Button Clicked", "health_check", "ErrorRaised", "Ping"] {
            assert!(is_noise(name), "{name}");
        }
        for name in ["Shipping Started", "Clickstream Plan Bought", "Healthcare Lead", "Terror"] {
            assert!(!is_noise(name), "{name}");
        }
    }
}
