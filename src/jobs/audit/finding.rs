//! The findings of an audit: each kind examines the evidence and reports what it detects, with
//! numbers and places.

mod address;
mod bot;
mod filter;
mod identity;
mod input;
mod list;
mod name;
mod plan;

use super::report::{Change, Finding, Report, Severity};
use super::summary::Evidence;
use crate::diagnostic::clean;
use crate::event::CallType;
use crate::jobs::audit::event_counts::{Key, NONE, Traits};
use crate::jobs::audit::source_line::Sightings;
use crate::report::figure::{counted, percent};

/// The kinds of findings. Their names do not change between versions: scripts and dashboards use
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Identify calls with an e-mail do not pass, so there are no leads.
    IdentifyNotAllowed,
    /// An expression of a destination filter is invalid, so Segment sends nothing.
    InvalidFilter,
    /// A rule scores an event that the filter drops.
    ScoredEventDropped,
    /// A rule maps a property that the filter removes.
    MappedPropertyDropped,
    /// The `if` of a destination filter is true for every event or for none, whatever the event
    /// contains.
    ConstantFilter,
    /// More raw signals, or active leads, than the plan allows.
    PlanExceeded,
    /// The list allows something that does not occur.
    AllowedNeverSeen,
    /// All page calls pass.
    AllPagesAllowed,
    /// An event passes although no rule uses it.
    AllowedUnmapped,
    /// Clicks, health checks, errors or very frequent events pass although no rule uses them.
    RareOrNoisy,
    /// Events of the company's employees and machines pass.
    InternalTraffic,
    /// Signals of bots pass.
    BotTraffic,
    /// Most identify calls contain no e-mail, but their user id is one.
    UserIdIsEmail,
    /// Signals carry e-mail addresses that no rule maps.
    UnusedEmail,
    /// Identify calls without an e-mail pass.
    IdentifyWithoutEmail,
    /// Event names differ only in spelling.
    NearDuplicateNames,
    /// The input seems to have been filtered already.
    FilteredInput,
    /// A destination filter does not affect any event of the input.
    FilterWithoutEffect,
}

impl Kind {
    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::IdentifyNotAllowed => "identify-not-allowed",
            Self::InvalidFilter => "invalid-filter",
            Self::ScoredEventDropped => "scored-event-dropped",
            Self::MappedPropertyDropped => "mapped-property-dropped",
            Self::ConstantFilter => "constant-filter",
            Self::PlanExceeded => "plan-exceeded",
            Self::AllowedNeverSeen => "allowed-never-seen",
            Self::AllPagesAllowed => "all-pages-allowed",
            Self::AllowedUnmapped => "allowed-unmapped",
            Self::RareOrNoisy => "rare-or-noisy",
            Self::InternalTraffic => "internal-traffic",
            Self::BotTraffic => "bot-traffic",
            Self::UserIdIsEmail => "user-id-is-email",
            Self::UnusedEmail => "unused-email",
            Self::IdentifyWithoutEmail => "identify-without-email",
            Self::NearDuplicateNames => "near-duplicate-names",
            Self::FilteredInput => "filtered-input",
            Self::FilterWithoutEffect => "filter-without-effect",
        }
    }

    fn finding(self, severity: Severity, message: String) -> Finding {
        Finding { finding: self.name(), severity, message, ..Finding::default() }
    }
}

/// Returns all findings, the worst first; `change` is the smallest change that fits the plan.
pub(super) fn all(
    evidence: &Evidence<'_>,
    report: &Report,
    change: Option<&Change>,
) -> Vec<Finding> {
    let names = name::names(evidence);
    let mut found: Vec<(Kind, Finding)> = Vec::new();
    found.extend(identity::not_allowed(evidence));
    found.extend(identity::without_email(evidence));
    found.extend(identity::internal(evidence));
    found.extend(bot::traffic(evidence));
    found.extend(address::as_user_id(evidence));
    found.extend(address::unused(evidence));
    found.extend(filter::invalid(evidence));
    found.extend(filter::taken_out(evidence));
    found.extend(filter::constant(evidence));
    found.extend(filter::without_effect(evidence));
    found.extend(list::never_seen(evidence, &names));
    found.extend(list::all_pages(evidence, report));
    found.extend(list::unmapped_pages(evidence, report));
    found.extend(name::scored_and_dropped(evidence, &names));
    found.extend(name::unmapped(evidence, &names));
    found.extend(name::rare_or_noisy(evidence, &names));
    found.extend(name::near_duplicates(evidence, &names));
    found.extend(plan::exceeded(evidence, report, change));
    found.extend(input::filtered(evidence, report));
    found.sort_by(|(a_kind, a), (b_kind, b)| {
        let order = (a.severity, a_kind).cmp(&(b.severity, b_kind));
        order.then_with(|| b.count.cmp(&a.count)).then_with(|| a.event.cmp(&b.event))
    });
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Returns the sum of the cells whose events pass the filter and for which `wanted` returns `true`.
fn kept(evidence: &Evidence<'_>, wanted: impl Fn(CallType, &Key) -> bool) -> Sightings {
    let event_counts = evidence.event_counts();
    event_counts
        .sum(|key| key.traits.has(Traits::AFTER) && wanted(event_counts.name(key.name).0, key))
}

/// Returns `true` if there are rules. Without rules nothing is mapped, which is no finding.
fn has_rules(evidence: &Evidence<'_>) -> bool {
    !evidence.facts.engine.rules.rules.is_empty()
}

/// Returns `true` if no rule maps the events of `key`.
fn is_unmapped(key: &Key) -> bool {
    key.rule == NONE
}

/// Formats a number of events, such as `1 event` or `1,234 events`.
fn events(count: u64) -> String {
    counted(count, "event", "events")
}

/// Returns a masked name from the data in backticks.
fn quoted(name: &str) -> String {
    format!("`{}`", clean(name))
}
