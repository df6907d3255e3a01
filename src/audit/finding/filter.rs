//! Destination filters: expressions that are invalid, and properties that rules would have mapped.

use super::{Kind, events};
use crate::audit::cube::Traits;
use crate::audit::report::{Finding, Severity};
use crate::audit::summary::Evidence;
use crate::audit::taking::{Taking, column};
use crate::event::CallType;

/// Filters whose `if` is invalid: Segment then sends nothing that reaches them.
pub fn invalid(evidence: &Evidence<'_>) -> Vec<(Kind, Finding)> {
    let kind = Kind::InvalidFilter;
    let faults = &evidence.facts.filters.after.faults;
    let finding = |fault: &crate::audit::judge::FilterFault| {
        let dropped =
            evidence.cube().sum(|key| !key.traits.has(Traits::AFTER) && key.by == fault.filter);
        let message = format!(
            "{}; Segment sends no event where a filter is invalid: {} dropped by this one",
            fault.message,
            events(dropped.count),
        );
        let finding = Finding {
            help: Some("correct the `if` of the filter, or switch the filter off".into()),
            entry: evidence.dropper(fault.filter),
            count: dropped.count,
            of: evidence.cube().sum(|_| true).count,
            examples: evidence.examples(&dropped),
            ..kind.finding(Severity::Error, message)
        };
        (kind, finding)
    };
    faults.iter().map(finding).collect()
}

/// What rules map and the filters take out.
pub fn taken_out(evidence: &Evidence<'_>) -> Vec<(Kind, Finding)> {
    let kind = Kind::MappedPropertyDropped;
    let rules = &evidence.facts.engine.rules;
    let id = |rule: u32| rules.rules.get(rule as usize).map_or("", |rule| rule.id.as_str());
    let finding = |(taking, seen): (Taking, &crate::audit::spot::Sighted)| {
        let many = events(seen.count);
        let (severity, message) = match taking {
            Taking::Email => (
                Severity::Error,
                format!("the filters take the e-mail out of identify calls: {many} make no lead"),
            ),
            Taking::Rule(rule) => (
                Severity::Warning,
                format!(
                    "the filters take out what rule `{}` asks for: it no longer maps {many}",
                    id(rule)
                ),
            ),
            Taking::Column(rule, place) => (
                Severity::Warning,
                format!(
                    "the filters take out what rule `{}` maps to `{}`: it finds nothing in {many}",
                    id(rule),
                    column(rules, place)
                ),
            ),
        };
        let finding = Finding {
            help: Some("let the filters leave this property, or map another".into()),
            call: (taking == Taking::Email).then(|| CallType::Identify.name()),
            count: seen.count,
            of: evidence.cube().sum(|key| key.traits.has(Traits::CHANGED)).count,
            examples: evidence.examples(seen),
            ..kind.finding(severity, message)
        };
        (kind, finding)
    };
    evidence.facts.gathered.counts.takings.iter().map(finding).collect()
}
