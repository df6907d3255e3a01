//! Findings about destination filters: invalid expressions, and removed properties that rules map.

use super::{Kind, events, quoted};
use crate::event::CallType;
use crate::filter::destination::{Condition, Filter};
use crate::jobs::audit::event_counts::Traits;
use crate::jobs::audit::field_loss::{FieldLoss, column};
use crate::jobs::audit::report::{Finding, Severity};
use crate::jobs::audit::summary::Evidence;

/// Reports filters whose `if` is invalid: Segment sends none of the events that reach them.
pub fn invalid(evidence: &Evidence<'_>) -> Vec<(Kind, Finding)> {
    let kind = Kind::InvalidFilter;
    let faults = &evidence.facts.filters.after.faults;
    let finding = |fault: &crate::jobs::audit::judge::FilterFault| {
        let dropped = evidence
            .event_counts()
            .sum(|key| !key.traits.has(Traits::AFTER) && key.by == fault.filter);
        let message = format!(
            "{}; Segment sends no event where a filter is invalid: {} dropped by this one",
            fault.message,
            events(dropped.count),
        );
        let finding = Finding {
            help: Some("correct the `if` of the filter, or switch the filter off".into()),
            entry: evidence.dropper(fault.filter),
            count: dropped.count,
            of: evidence.event_counts().sum(|_| true).count,
            examples: evidence.examples(&dropped),
            ..kind.finding(Severity::Error, message)
        };
        (kind, finding)
    };
    faults.iter().map(finding).collect()
}

/// Reports values that rules map and the filters remove.
pub fn taken_out(evidence: &Evidence<'_>) -> Vec<(Kind, Finding)> {
    let kind = Kind::MappedPropertyDropped;
    let rules = &evidence.facts.engine.rules;
    let id = |rule: u32| rules.rules.get(rule as usize).map_or("", |rule| rule.id.as_str());
    let finding = |(loss, seen): (FieldLoss, &crate::jobs::audit::source_line::Sightings)| {
        let many = events(seen.count);
        let (severity, message) = match loss {
            FieldLoss::Email => (
                Severity::Error,
                format!("the filters take the e-mail out of identify calls: {many} make no lead"),
            ),
            FieldLoss::Rule(rule) => (
                Severity::Warning,
                format!(
                    "the filters take out what rule `{}` asks for: it no longer maps {many}",
                    id(rule)
                ),
            ),
            FieldLoss::Column(rule, place) => (
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
            call: (loss == FieldLoss::Email).then(|| CallType::Identify.name()),
            count: seen.count,
            of: evidence.event_counts().sum(|key| key.traits.has(Traits::CHANGED)).count,
            examples: evidence.examples(seen),
            ..kind.finding(severity, message)
        };
        (kind, finding)
    };
    evidence.facts.ingested.counts.field_losses.iter().map(finding).collect()
}

/// Returns the name of a filter in messages.
fn subject(filter: &Filter) -> String {
    if filter.title.is_empty() {
        format!("filter {}", filter.number)
    } else {
        format!("filter {}, {}", filter.number, quoted(&filter.title))
    }
}

/// Returns the constant result of the `if` of `filter`, if it has a condition that does not depend
/// on the event.
fn constant_if(filter: &Filter) -> Option<bool> {
    match &filter.condition {
        Condition::When(expr) if !expr.is_all() => expr.constant(),
        Condition::When(_) | Condition::Disabled | Condition::Invalid(_) => None,
    }
}

/// Reports filters whose `if` has a condition that is true for every event or for none.
pub fn constant(evidence: &Evidence<'_>) -> Vec<(Kind, Finding)> {
    let kind = Kind::ConstantFilter;
    let Some(filters) = &evidence.facts.filters.after.destination else { return Vec::new() };
    let mut found = Vec::new();
    for (place, filter) in (0..).zip(filters.filters()) {
        let Some(holds) = constant_if(filter) else { continue };
        let (what, help) = if holds {
            ("holds for every event", "write `all` if that is meant")
        } else {
            (
                "holds for no event, so the filter does nothing",
                "correct the `if`, or drop the filter",
            )
        };
        let dropped =
            evidence.event_counts().sum(|key| !key.traits.has(Traits::AFTER) && key.by == place);
        let mut message = format!("the `if` of {} {what}, whatever it has", subject(filter));
        if dropped.count > 0 {
            message = format!("{message}: {} dropped by this one", events(dropped.count));
        }
        let finding = Finding {
            help: Some(help.into()),
            entry: evidence.dropper(place),
            count: dropped.count,
            of: evidence.event_counts().sum(|_| true).count,
            examples: evidence.examples(&dropped),
            ..kind.finding(Severity::Warning, message)
        };
        found.push((kind, finding));
    }
    found
}

/// Reports filters that neither drop nor change any event of the input.
pub fn without_effect(evidence: &Evidence<'_>) -> Vec<(Kind, Finding)> {
    let kind = Kind::FilterWithoutEffect;
    let Some(filters) = &evidence.facts.filters.after.destination else { return Vec::new() };
    let effects = &evidence.facts.ingested.counts.effects;
    let mut found = Vec::new();
    for ((place, filter), effect) in (0..).zip(filters.filters()).zip(effects) {
        let is_judged = matches!(filter.condition, Condition::When(_));
        if !is_judged || effect.acted || constant_if(filter) == Some(false) {
            continue;
        }
        let subject = subject(filter);
        let (message, help) = if effect.held == 0 {
            (
                format!("{subject} changes nothing: its `if` holds for no event that reaches it"),
                "check the names and values that the `if` asks for against the events",
            )
        } else {
            (
                format!(
                    "{subject} changes nothing: its `if` holds for {}, and its actions take nothing \
                     away from any",
                    events(effect.held)
                ),
                "check the paths and names of `fields` against the events",
            )
        };
        let finding = Finding {
            help: Some(help.into()),
            entry: evidence.dropper(place),
            count: effect.held,
            of: evidence.event_counts().sum(|_| true).count,
            ..kind.finding(Severity::Note, message)
        };
        found.push((kind, finding));
    }
    found
}
