//! Signals, identify calls and group calls into leads, from many threads at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ahash::AHashMap;

use super::{Dated, FirstTouch, Lead, Trait};
use crate::identity::fact::OrderKey;
use crate::identity::ids::NodeId;
use crate::time::Time;

/// Threads seldom meet at one of so many locks.
const SHARDS: usize = 256;

/// What any event of a lead brings.
#[derive(Clone, Copy, Debug)]
pub struct Touch<'a> {
    /// The e-mail that names the lead.
    pub lead: NodeId,
    /// When, and by which event.
    pub key: OrderKey,
    /// Its anonymous id, unless blocked.
    pub anonymous: Option<NodeId>,
    /// Its user id, unless blocked.
    pub user: Option<NodeId>,
    /// The lead's traits, in the order of [`Trait::ALL`]; empty where there is none.
    pub traits: [&'a str; Trait::ALL.len()],
    /// Whether it brings the lead's e-mail itself, and whether the service would have taken it.
    pub brings_email: Option<bool>,
}

/// What a signal brings besides.
#[derive(Clone, Copy, Debug)]
pub struct Signal<'a> {
    /// The rule that maps it.
    pub rule: Option<u32>,
    /// The number of its event's name.
    pub event: u32,
    /// Its rule says so.
    pub high_intent: bool,
    /// It was there before the lead was known.
    pub rehydrated: bool,
    /// The period of the plan that it counts in.
    pub period: Option<u32>,
    /// The page that it was on.
    pub page: Option<Page<'a>>,
}

/// A page and how the visitor came to it.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // each is the column of that name
pub struct Page<'a> {
    pub url: &'a str,
    pub referrer: &'a str,
    pub utm_source: &'a str,
    pub utm_medium: &'a str,
    pub utm_campaign: &'a str,
}

/// How many signals a lead has of one rule and event name.
pub(super) type Tallies = AHashMap<(NodeId, Option<u32>, u32), u64>;

#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) leads: AHashMap<NodeId, Lead>,
    pub(super) tallies: Tallies,
}

/// All leads.
#[derive(Debug)]
pub struct Leads {
    shards: Vec<Mutex<Shard>>,
}

impl Default for Leads {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Leads {
    fn shard(&self, lead: NodeId) -> MutexGuard<'_, Shard> {
        self.shards[lead.index() % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_shards(self) -> Vec<Shard> {
        let shards = self.shards.into_iter();
        shards.map(|shard| shard.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    /// An identify call.
    pub fn identify(&self, touch: &Touch<'_>) {
        self.shard(touch.lead).leads.entry(touch.lead).or_default().touch(touch);
    }

    /// A signal. Its rule and event name decide its signal name, which
    /// [`rank`](Self::rank) works out.
    pub fn signal(&self, touch: &Touch<'_>, signal: &Signal<'_>) {
        let mut shard = self.shard(touch.lead);
        let lead = shard.leads.entry(touch.lead).or_default();
        lead.touch(touch);
        lead.signal(touch.key, signal);
        *shard.tallies.entry((touch.lead, signal.rule, signal.event)).or_default() += 1;
    }

    /// An event that brings the e-mail of `lead` would have been taken by the service after all.
    pub fn accept(&self, lead: NodeId) {
        if let Some(lead) = self.shard(lead).leads.get_mut(&lead) {
            lead.accepted = true;
        }
    }

    /// A group call.
    pub fn group(&self, lead: NodeId, key: OrderKey, group: NodeId) {
        let mut shard = self.shard(lead);
        let groups = &mut shard.leads.entry(lead).or_default().groups;
        match groups.binary_search_by_key(&group, |&(group, _)| group) {
            Ok(place) => groups[place].1 = groups[place].1.max(key),
            Err(place) => groups.insert(place, (group, key)),
        }
    }
}

impl Lead {
    fn touch(&mut self, touch: &Touch<'_>) {
        if let Some(id) = touch.anonymous {
            self.anonymous_ids.insert(id);
        }
        if let Some(id) = touch.user {
            self.user_ids.insert(id);
        }
        for (kept, text) in self.traits.iter_mut().zip(touch.traits) {
            // Times first: most values lose by them, and then nothing is compared or copied.
            let wins = !text.is_empty()
                && kept.as_ref().is_none_or(|kept| (touch.key, text) > (kept.key, &kept.value));
            if wins {
                *kept = Some(Box::new(Dated { key: touch.key, value: text.into() }));
            }
        }
        if let Some(accepted) = touch.brings_email {
            self.accepted |= accepted;
            self.identified_at = earliest(self.identified_at, touch.key.time);
        }
    }

    fn signal(&mut self, key: OrderKey, signal: &Signal<'_>) {
        self.signals += 1;
        self.high_intent_signals += u64::from(signal.high_intent);
        self.rehydrated_signals += u64::from(signal.rehydrated);
        self.first_seen = earliest(self.first_seen, key.time);
        if !key.time.is_missing() {
            self.last_seen = self.last_seen.max(Some(key.time));
        }
        if let Some(period) = signal.period {
            self.periods.insert(period);
        }
        let last = Dated { key, value: (signal.rule, signal.event) };
        if self.last_signal.as_ref().is_none_or(|kept| last > *kept) {
            self.last_signal = Some(last);
        }
        let Some(page) = signal.page else { return };
        if self.first_touch.as_ref().is_none_or(|kept| key < kept.key) {
            self.first_touch = Some(Box::new(Dated { key, value: page.to_first_touch() }));
        }
    }
}

impl Page<'_> {
    fn to_first_touch(self) -> FirstTouch {
        FirstTouch {
            page_url: self.url.into(),
            referrer: self.referrer.into(),
            utm_source: self.utm_source.into(),
            utm_medium: self.utm_medium.into(),
            utm_campaign: self.utm_campaign.into(),
        }
    }
}

/// The earlier of two times that are not missing.
fn earliest(kept: Option<Time>, time: Time) -> Option<Time> {
    if time.is_missing() {
        return kept;
    }
    Some(kept.map_or(time, |kept| kept.min(time)))
}
