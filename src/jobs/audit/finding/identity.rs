//! Findings about identify calls, without which there are no leads.

use super::{Kind, counted, kept, percent};
use crate::event::CallType;
use crate::filter::allow::{AllowList, Entry};
use crate::jobs::audit::Side;
use crate::jobs::audit::event_counts::Traits;
use crate::jobs::audit::report::{Finding, Severity};
use crate::jobs::audit::summary::Evidence;

/// Reports that identify calls with an e-mail do not pass.
pub fn not_allowed(evidence: &Evidence<'_>) -> Option<(Kind, Finding)> {
    let event_counts = evidence.event_counts();
    let identify = |wanted: &dyn Fn(Traits) -> bool| {
        event_counts
            .sum(|key| event_counts.name(key.name).0 == CallType::Identify && wanted(key.traits))
    };
    let all = identify(&|_| true);
    let passing = identify(&|traits| traits.has(Traits::AFTER));
    let mut dropped = identify(&|traits| !traits.has(Traits::AFTER) && traits.has(Traits::EMAIL));
    if dropped.count == 0 && passing.count == 0 {
        let list = evidence.facts.filters.after.allow.as_ref();
        if all.count == 0 && list.is_none_or(can_take_identify) {
            return None;
        }
        dropped = all;
    }
    if dropped.count == 0 && passing.count > 0 {
        return None;
    }
    let message = if all.count == 0 {
        "no line takes identify calls, so no visitor could become a lead".to_owned()
    } else {
        let lost = evidence.outcomes[Side::Before as usize].sums.total;
        let left = evidence.outcomes[Side::After as usize].sums.total;
        format!(
            "the filter drops {} of {}; of {} remain {left}",
            dropped.count,
            counted(all.count, "identify call", "identify calls"),
            counted(lost, "lead", "leads"),
        )
    };
    let is_list = evidence.facts.filters.after.allow.is_some();
    let help = if is_list {
        "add the line `identify`"
    } else {
        "let the filters leave `type = \"identify\"` alone"
    };
    let kind = Kind::IdentifyNotAllowed;
    let finding = Finding {
        help: Some(help.into()),
        call: Some(CallType::Identify.name()),
        count: dropped.count,
        of: all.count,
        examples: evidence.examples(&dropped),
        ..kind.finding(Severity::Error, message)
    };
    Some((kind, finding))
}

/// Returns `true` if a line of `list` could match an identify call.
fn can_take_identify(list: &AllowList) -> bool {
    list.lines().iter().any(|line| match &line.entry {
        Entry::Call(call) => *call == CallType::Identify,
        Entry::Fql(expr) => {
            let demand = expr.demand();
            demand.events.is_none()
                && demand.calls.is_none_or(|calls| calls.contains(&CallType::Identify))
        }
        Entry::Event(_) | Entry::Page(_) | Entry::Screen(_) => false,
    })
}

/// Reports identify calls without a usable e-mail that pass.
pub fn without_email(evidence: &Evidence<'_>) -> Option<(Kind, Finding)> {
    let is_identify = |call| call == CallType::Identify;
    let without = kept(evidence, |call, key| is_identify(call) && !key.traits.has(Traits::EMAIL));
    if without.count == 0 {
        return None;
    }
    let all = kept(evidence, |call, _| is_identify(call));
    let message = format!(
        "of {}, {} no valid e-mail: this costs plan and makes no lead",
        counted(all.count, "identify call that passes", "identify calls that pass"),
        counted(without.count, "brings", "bring"),
    );
    let kind = Kind::IdentifyWithoutEmail;
    let help = "call identify once the address is known, with it in `traits.email`, or let only \
        those pass: `fql: type = \"identify\" and contains(traits.email, \"@\")`";
    let finding = Finding {
        help: Some(help.into()),
        call: Some(CallType::Identify.name()),
        count: without.count,
        of: all.count,
        examples: evidence.examples(&without),
        ..kind.finding(Severity::Warning, message)
    };
    Some((kind, finding))
}

/// Reports events of the company's employees and machines that pass.
pub fn internal(evidence: &Evidence<'_>) -> Vec<(Kind, Finding)> {
    let kind = Kind::InternalTraffic;
    let all = kept(evidence, |_, _| true).count;
    let staff = evidence.outcomes[Side::After as usize].signal_sums.internal;
    let local = kept(evidence, |_, key| key.traits.has(Traits::LOCAL));
    let mut found = Vec::new();
    if staff.count > 0 {
        let message = format!(
            "{} ({}) from people of the rules' internal_domains: this costs plan and makes no \
             lead",
            counted(staff.count, "event passes", "events pass"),
            percent(staff.count, all),
        );
        let finding = Finding {
            help: Some("do not load Segment for the company's own people".into()),
            count: staff.count,
            of: all,
            examples: evidence.examples(&staff),
            ..kind.finding(Severity::Warning, message)
        };
        found.push((kind, finding));
    }
    if local.count > 0 {
        let message = format!(
            "{} ({}) from pages on localhost, .local, .test or .internal",
            counted(local.count, "event passes", "events pass"),
            percent(local.count, all),
        );
        let finding = Finding {
            help: Some("give development a source of its own".into()),
            count: local.count,
            of: all,
            examples: evidence.examples(&local),
            ..kind.finding(Severity::Warning, message)
        };
        found.push((kind, finding));
    }
    found
}
