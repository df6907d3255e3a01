//! What an audit finds: each kind looks at the evidence and tells what it has seen, with numbers
//! and places.

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

/// The kinds of findings. Their names are frozen: scripts and dashboards hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Identify calls that bring an e-mail do not pass: no leads.
    IdentifyNotAllowed,
    /// An expression of a destination filter is invalid: Segment sends nothing.
    InvalidFilter,
    /// A rule scores it, the filter drops it.
    ScoredEventDropped,
    /// A rule maps a property that the filter takes out.
    MappedPropertyDropped,
    /// The `if` of a destination filter holds for every event, or for none, whatever it has.
    ConstantFilter,
    /// More raw signals, or active leads, than the plan allows.
    PlanExceeded,
    /// The list allows what never comes.
    AllowedNeverSeen,
    /// All pages pass.
    AllPagesAllowed,
    /// It passes, and no rule uses it.
    AllowedUnmapped,
    /// A name that is clicks, health checks or errors, or that comes in masses, and serves nothing.
    RareOrNoisy,
    /// Events of the company's own people and machines pass.
    InternalTraffic,
    /// Signals of bots pass.
    BotTraffic,
    /// Most identify calls bring no e-mail, but their user id is one.
    UserIdIsEmail,
    /// Signals carry e-mail addresses that no rule maps.
    UnusedEmail,
    /// Identify calls without an e-mail pass.
    IdentifyWithoutEmail,
    /// Names that differ in how they are written only.
    NearDuplicateNames,
    /// The input looks as if it had been filtered before.
    FilteredInput,
    /// A destination filter makes no difference to any event of the input.
    FilterWithoutEffect,
}

impl Kind {
    /// The name in reports.
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

/// All findings, the worst first; `change` is the smallest one that would fit the plan.
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

/// The sum of the kept cells of `call`.
fn kept(evidence: &Evidence<'_>, wanted: impl Fn(CallType, &Key) -> bool) -> Sightings {
    let event_counts = evidence.event_counts();
    event_counts
        .sum(|key| key.traits.has(Traits::AFTER) && wanted(event_counts.name(key.name).0, key))
}

/// Whether there are rules at all: without them nothing is mapped, and that says nothing.
fn has_rules(evidence: &Evidence<'_>) -> bool {
    !evidence.facts.engine.rules.rules.is_empty()
}

/// Whether no rule maps the events of `key`.
fn is_unmapped(key: &Key) -> bool {
    key.rule == NONE
}

/// `1 event`, `1,234 events`.
fn events(count: u64) -> String {
    counted(count, "event", "events")
}

/// A name of the data between backticks, without addresses.
fn quoted(name: &str) -> String {
    format!("`{}`", clean(name))
}
