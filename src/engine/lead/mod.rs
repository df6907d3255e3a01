//! Leads: what the signals and identify calls of one e-mail add up to.
//!
//! Every update is one of a sum, a set or a best-by-[`OrderKey`], so that neither order nor
//! threads change the result.

mod exchange;
mod fold;
mod multiset;
mod part;
mod rank;
mod run;
mod score_range;
mod set;
mod spilled;
mod store;

pub use exchange::PartTexts;
pub use fold::{Leads, Page, Signal, Touch};
pub use rank::{Chunk, LeadRef, Ranked, Ranking, RuleTerms, Terms};
pub use score_range::{ScoreCounts, ScoreRange};
pub use spilled::Flush;
pub use store::{LeadStore, Sink};

use prefetch_index::prefetch_index;

use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;
use crate::time::Time;
use multiset::Multiset;
use set::Set;

/// What enriches a lead; of each the latest that is not empty counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is the column of that name
pub enum Trait {
    Name,
    FirstName,
    LastName,
    Company,
    Title,
    Phone,
}

impl Trait {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::FirstName, Self::LastName, Self::Company, Self::Title, Self::Phone];
}

/// A value and what decides between it and others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dated<T> {
    key: OrderKey,
    value: T,
}

/// Where a lead came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // each is the column of that name
pub struct FirstTouch {
    pub page_url: Box<str>,
    pub referrer: Box<str>,
    pub utm_source: Box<str>,
    pub utm_medium: Box<str>,
    pub utm_campaign: Box<str>,
}

/// What a lead takes of memory, its texts and a place in a table included.
const LEAD_BYTES: usize = size_of::<Lead>() + 512;

/// One lead.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    /// Whether any event was of it: if not, it is none.
    exists: bool,
    /// Its signals.
    pub signals: u64,
    /// Those of rules that say `high_intent`.
    pub high_intent_signals: u64,
    /// Those from before it was identified.
    pub rehydrated_signals: u64,
    /// The first time of its signals.
    pub first_seen: Option<Time>,
    /// The last time of its signals.
    pub last_seen: Option<Time>,
    /// When an event first brought its e-mail.
    pub identified_at: Option<Time>,
    /// Whether the service would have taken any event that brought its e-mail.
    pub accepted: bool,
    traits: [Option<Dated<Box<str>>>; Trait::ALL.len()],
    first_touch: Option<Box<Dated<FirstTouch>>>,
    last_signal: Option<Dated<(Option<u32>, u32)>>,
    groups: Vec<(NodeId, OrderKey)>,
    anonymous_ids: Set<NodeId>,
    user_ids: Set<NodeId>,
    periods: Set<u32>,
    /// Its signals by rule and number of the event's name, which decide the name of the signal.
    tallies: Multiset<(Option<u32>, u32)>,
}

impl Lead {
    /// The value of `wanted`; empty where nothing brought one.
    pub fn trait_text(&self, wanted: Trait) -> &str {
        self.traits[wanted as usize].as_ref().map_or("", |dated| &dated.value)
    }

    /// The event that the value of `wanted` is of.
    pub fn trait_source(&self, wanted: Trait) -> Option<OrderKey> {
        self.traits[wanted as usize].as_ref().map(|dated| dated.key)
    }

    /// The event that [`first_touch`](Self::first_touch) is of.
    pub fn first_touch_source(&self) -> Option<OrderKey> {
        self.first_touch.as_ref().map(|dated| dated.key)
    }

    /// Where it came in, if it ever saw a page.
    pub fn first_touch(&self) -> Option<&FirstTouch> {
        self.first_touch.as_ref().map(|dated| &dated.value)
    }

    /// The rule and the event name of its latest signal.
    pub fn last_signal(&self) -> Option<(Option<u32>, u32)> {
        self.last_signal.as_ref().map(|dated| dated.value)
    }

    /// Fetches its texts into the caches.
    fn prefetch_texts(&self) {
        for kept in self.traits.iter().flatten() {
            prefetch_index(kept.value.as_bytes(), 0);
        }
        if let Some(touch) = &self.first_touch {
            prefetch_index(std::slice::from_ref(&**touch), 0);
        }
    }

    /// The groups that it joined, the latest first.
    pub fn groups(&self) -> Vec<NodeId> {
        let mut groups = self.groups.clone();
        groups.sort_unstable_by_key(|&(_, key)| std::cmp::Reverse(key));
        groups.into_iter().map(|(group, _)| group).collect()
    }

    /// The anonymous ids of its identify calls and signals.
    pub fn anonymous_ids(&self) -> &[NodeId] {
        self.anonymous_ids.as_slice()
    }

    /// The user ids of its identify calls and signals.
    pub fn user_ids(&self) -> &[NodeId] {
        self.user_ids.as_slice()
    }

    /// The periods of the plan in which it has signals.
    pub fn periods(&self) -> &[u32] {
        self.periods.as_slice()
    }

    /// Whether any event was of it: if not, it is none.
    pub fn is_lead(&self) -> bool {
        self.exists
    }

    /// No event comes any more.
    pub(in crate::engine) fn settle(&mut self) {
        self.anonymous_ids.settle();
        self.user_ids.settle();
        self.periods.settle();
        self.tallies.settle();
    }
}
