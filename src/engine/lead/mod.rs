//! Leads: the sums over the signals and identify calls of one e-mail.
//!
//! Every update is a sum, a set insertion or a maximum by [`OrderKey`], so that the result depends
//! neither on order nor on threads.

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
mod table;

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

/// The traits of a lead. The latest non-empty value of each counts.
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
    /// All traits.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::FirstName, Self::LastName, Self::Company, Self::Title, Self::Phone];
}

/// A value with the key of its event, which decides between values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dated<T> {
    key: OrderKey,
    value: T,
}

/// The page of the first signal of a lead that has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // each is the column of that name
pub struct FirstTouch {
    pub page_url: Box<str>,
    pub referrer: Box<str>,
    pub utm_source: Box<str>,
    pub utm_medium: Box<str>,
    pub utm_campaign: Box<str>,
}

/// The memory of one lead in bytes, including its texts and table entry.
const LEAD_BYTES: usize = size_of::<Lead>() + 512;

/// The memory of a text in bytes, rounded as allocators do.
fn text_bytes(text: &str) -> usize {
    if text.is_empty() { 0 } else { text.len().next_multiple_of(16) }
}

/// One lead.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    /// Whether any event belongs to it; otherwise it is not a lead.
    exists: bool,
    /// The number of signals.
    pub signals: u64,
    /// The number of signals of rules with `high_intent`.
    pub high_intent_signals: u64,
    /// The number of signals from before the lead was identified.
    pub rehydrated_signals: u64,
    /// The time of the first signal.
    pub first_seen: Option<Time>,
    /// The time of the last signal.
    pub last_seen: Option<Time>,
    /// The time of the first event that brings the e-mail.
    pub identified_at: Option<Time>,
    /// Whether the service would have accepted any event that brings the e-mail.
    pub accepted: bool,
    traits: [Option<Dated<Box<str>>>; Trait::ALL.len()],
    first_touch: Option<Box<Dated<FirstTouch>>>,
    last_signal: Option<Dated<(Option<u32>, u32)>>,
    groups: Vec<(NodeId, OrderKey)>,
    anonymous_ids: Set<NodeId>,
    user_ids: Set<NodeId>,
    periods: Set<u32>,
    /// The number of signals by rule and number of the event name, which determine the signal name.
    tallies: Multiset<(Option<u32>, u32)>,
}

impl Lead {
    /// Returns the value of a trait; empty if there is none.
    pub fn trait_text(&self, wanted: Trait) -> &str {
        self.traits[wanted as usize].as_ref().map_or("", |dated| &dated.value)
    }

    /// Returns the key of the event that the value of a trait is from.
    pub fn trait_source(&self, wanted: Trait) -> Option<OrderKey> {
        self.traits[wanted as usize].as_ref().map(|dated| dated.key)
    }

    /// Returns the key of the event that [`first_touch`](Self::first_touch) is from.
    pub fn first_touch_source(&self) -> Option<OrderKey> {
        self.first_touch.as_ref().map(|dated| dated.key)
    }

    /// Returns the page of the first signal that has one.
    pub fn first_touch(&self) -> Option<&FirstTouch> {
        self.first_touch.as_ref().map(|dated| &dated.value)
    }

    /// Returns the rule and the number of the event name of the latest signal.
    pub fn last_signal(&self) -> Option<(Option<u32>, u32)> {
        self.last_signal.as_ref().map(|dated| dated.value)
    }

    /// Prefetches the texts.
    fn prefetch_texts(&self) {
        for kept in self.traits.iter().flatten() {
            prefetch_index(kept.value.as_bytes(), 0);
        }
        if let Some(touch) = &self.first_touch {
            prefetch_index(std::slice::from_ref(&**touch), 0);
        }
    }

    /// Returns the groups that the lead joined, latest first.
    pub fn groups(&self) -> Vec<NodeId> {
        let mut groups = self.groups.clone();
        groups.sort_unstable_by_key(|&(_, key)| std::cmp::Reverse(key));
        groups.into_iter().map(|(group, _)| group).collect()
    }

    /// Returns the anonymous ids of identify calls and signals.
    pub fn anonymous_ids(&self) -> &[NodeId] {
        self.anonymous_ids.as_slice()
    }

    /// Returns the user ids of identify calls and signals.
    pub fn user_ids(&self) -> &[NodeId] {
        self.user_ids.as_slice()
    }

    /// Returns the indexes of the plan's periods with signals.
    pub fn periods(&self) -> &[u32] {
        self.periods.as_slice()
    }

    /// Returns whether any event belongs to it; otherwise it is not a lead.
    pub fn is_lead(&self) -> bool {
        self.exists
    }

    /// Returns the approximate memory outside of the struct, in bytes.
    fn heap_bytes(&self) -> usize {
        let traits = self.traits.iter().flatten().map(|kept| text_bytes(&kept.value));
        let touch = self.first_touch.as_ref().map_or(0, |touch| {
            let FirstTouch { page_url, referrer, utm_source, utm_medium, utm_campaign } =
                &touch.value;
            let texts = [page_url, referrer, utm_source, utm_medium, utm_campaign];
            size_of::<Dated<FirstTouch>>()
                + texts.map(|text| text_bytes(text)).iter().sum::<usize>()
        });
        traits.sum::<usize>()
            + touch
            + self.groups.capacity() * size_of::<(NodeId, OrderKey)>()
            + self.anonymous_ids.heap_bytes()
            + self.user_ids.heap_bytes()
            + self.periods.heap_bytes()
            + self.tallies.heap_bytes()
    }

    /// Sorts and deduplicates all sets, once all events are added.
    pub(in crate::engine) fn finish(&mut self) {
        self.anonymous_ids.sort();
        self.user_ids.sort();
        self.periods.sort();
        self.tallies.sort();
    }
}
