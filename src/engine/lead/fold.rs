//! Signals, identify calls and group calls into leads, from many threads at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prefetch_index::prefetch_index;

use super::{Dated, FirstTouch, Lead, Trait};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{NodeId, Space};
use crate::time::Time;

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

/// Where the lead of an e-mail is.
#[derive(Debug)]
enum Places {
    /// For each id, if it is an e-mail, its place.
    Listed(Vec<u32>),
    /// E-mails have numbers one behind another, from this one on.
    From(u32),
}

/// All leads: a place for each e-mail that there is, so that none ever moves.
#[derive(Debug)]
pub struct Leads {
    places: Places,
    /// The e-mail of each place.
    pub(super) emails: Vec<NodeId>,
    pub(super) all: Vec<Mutex<Lead>>,
}

impl Leads {
    /// None yet, for the e-mails among `ids`.
    #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
    pub fn new(ids: &AllIds) -> Self {
        let mut emails = Vec::with_capacity(ids.count(Space::Email));
        let places = match ids {
            AllIds::Memory(ids) => {
                let place_of = |(id, space): (NodeId, Space)| {
                    let place = emails.len() as u32;
                    if space == Space::Email {
                        emails.push(id);
                    }
                    place
                };
                Places::Listed(ids.iter().map(place_of).collect())
            }
            AllIds::Disk(_) => {
                emails.extend(ids.of_space(Space::Email));
                Places::From(ids.email_numbers().start)
            }
        };
        let all = emails.iter().map(|_| Mutex::default()).collect();
        Self { places, emails, all }
    }

    /// Fetches `lead` into the caches.
    #[inline]
    pub fn prefetch(&self, lead: NodeId) {
        prefetch_index(&self.all, self.number(lead));
    }

    #[inline]
    fn number(&self, lead: NodeId) -> usize {
        match &self.places {
            Places::Listed(places) => places[lead.index()] as usize,
            Places::From(first) => (lead.to_raw() - first) as usize,
        }
    }

    fn place(&self, lead: NodeId) -> MutexGuard<'_, Lead> {
        self.all[self.number(lead)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lead(&self, lead: NodeId) -> MutexGuard<'_, Lead> {
        let mut lead = self.place(lead);
        lead.exists = true;
        lead
    }

    /// An identify call.
    pub fn identify(&self, touch: &Touch<'_>) {
        self.lead(touch.lead).touch(touch);
    }

    /// An event outside of the window: what it says of the person counts, but that it happened
    /// makes no lead.
    pub fn enrich(&self, touch: &Touch<'_>) {
        self.place(touch.lead).touch(touch);
    }

    /// A signal. Its rule and event name decide its signal name, which
    /// `rank` works out.
    pub fn signal(&self, touch: &Touch<'_>, signal: &Signal<'_>) {
        let mut lead = self.lead(touch.lead);
        lead.touch(touch);
        lead.signal(touch.key, signal);
    }

    /// An event that brings the e-mail of `lead` would have been taken by the service after all.
    pub fn accept(&self, lead: NodeId) {
        self.place(lead).accepted = true;
    }

    /// A group call, which makes no lead by itself.
    pub fn group(&self, lead: NodeId, key: OrderKey, group: NodeId) {
        self.place(lead).join(group, key);
    }
}

impl Lead {
    /// The person joined a group.
    pub(super) fn join(&mut self, group: NodeId, key: OrderKey) {
        match self.groups.binary_search_by_key(&group, |&(group, _)| group) {
            Ok(place) => self.groups[place].1 = self.groups[place].1.max(key),
            Err(place) => self.groups.insert(place, (group, key)),
        }
    }

    /// Adds what any event brings.
    pub(super) fn touch(&mut self, touch: &Touch<'_>) {
        if let Some(id) = touch.anonymous {
            self.anonymous_ids.insert(id);
        }
        if let Some(id) = touch.user {
            self.user_ids.insert(id);
        }
        for (kept, text) in self.traits.iter_mut().zip(touch.traits) {
            if text.is_empty() {
                continue;
            }
            match kept {
                // Times first: most values lose by them, and then nothing is compared.
                Some(kept) if (touch.key, text) <= (kept.key, &kept.value) => {}
                // Most that win say the same again.
                Some(kept) if *kept.value == *text => kept.key = touch.key,
                _ => *kept = Some(Dated { key: touch.key, value: text.into() }),
            }
        }
        if let Some(accepted) = touch.brings_email {
            self.accepted |= accepted;
            self.identified_at = earliest(self.identified_at, touch.key.time);
        }
    }

    /// Adds what a signal brings besides.
    pub(super) fn signal(&mut self, key: OrderKey, signal: &Signal<'_>) {
        self.signals += 1;
        self.tallies.add((signal.rule, signal.event));
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
        // Mostly times decide, and then nothing is copied.
        if self.first_touch.as_ref().is_none_or(|kept| key <= kept.key) {
            let touch = Box::new(Dated { key, value: page.to_first_touch() });
            if self.first_touch.as_ref().is_none_or(|kept| touch < *kept) {
                self.first_touch = Some(touch);
            }
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
pub(super) fn earliest(kept: Option<Time>, time: Time) -> Option<Time> {
    if time.is_missing() {
        return kept;
    }
    Some(kept.map_or(time, |kept| kept.min(time)))
}
