//! Finding `bot-traffic`: signals of bots, which count against the plan.

use super::{Kind, counted, kept, percent, quoted};
use crate::jobs::audit::Side;
use crate::jobs::audit::event_counts::Traits;
use crate::jobs::audit::report::{Finding, Severity};
use crate::jobs::audit::summary::Evidence;

/// The percentage of the raw signals from which bots are a warning.
const WARNING_PERCENT: u64 = 1;
/// The number of bots that are named, the most frequent first.
const NAMED: usize = 4;

/// Reports signals of bots that pass.
pub fn traffic(evidence: &Evidence<'_>) -> Option<(Kind, Finding)> {
    let kind = Kind::BotTraffic;
    let seen = kept(evidence, |_, key| key.traits.has(Traits::BOT));
    if seen.count == 0 {
        return None;
    }
    let counts = &evidence.facts.ingested.counts;
    let raw = counts.volumes[Side::After as usize].total();
    let names = counts.bots.names();
    let listed: Vec<String> =
        names.iter().take(NAMED).map(|(name, count)| format!("{} {count}", quoted(name))).collect();
    let more = names.len() - listed.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!(
        "{} ({} of the raw signals) from bots, by their user agents: {}{more}",
        counted(seen.count, "signal passes", "signals pass"),
        percent(seen.count, raw),
        listed.join(", "),
    );
    let is_much = u128::from(seen.count) * 100 >= u128::from(raw) * u128::from(WARNING_PERCENT);
    let finding = Finding {
        help: Some(help(names.iter().take(NAMED).map(|(name, _)| *name))),
        count: seen.count,
        of: raw,
        examples: evidence.examples(&seen),
        ..kind.finding(if is_much { Severity::Warning } else { Severity::Note }, message)
    };
    Some((kind, finding))
}

fn help<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let tests: Vec<String> = names
        // FQL strings have no escapes.
        .filter(|name| !name.contains('"'))
        .map(|name| format!("contains(context.userAgent, \"{name}\")"))
        .collect();
    let drop = match &tests[..] {
        [] => "drop them with a destination filter on `context.userAgent`".to_owned(),
        tests => {
            format!("drop them with a destination filter whose `if` is `{}`", tests.join(" or "))
        }
    };
    format!("{drop}; Segment filters no bots of its own, so do not load its library for them")
}
