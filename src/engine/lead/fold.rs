//! Adds signals, identify calls and group calls to leads, from any number of threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prefetch_index::prefetch_index;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::{Dated, FirstTouch, Lead, Trait};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{NodeId, Space};
use crate::time::Time;

/// What an event of any call adds to a lead.
#[derive(Clone, Copy, Debug)]
pub struct Touch<'a> {
    /// The e-mail that names the lead.
    pub lead: NodeId,
    /// The times and content hash of the event.
    pub key: OrderKey,
    /// The anonymous id, unless blocked.
    pub anonymous: Option<NodeId>,
    /// The user id, unless blocked.
    pub user: Option<NodeId>,
    /// The traits, in the order of [`Trait::ALL`]; empty texts are missing.
    pub traits: [&'a str; Trait::ALL.len()],
    /// If the event brings the e-mail of the lead: whether the service would have accepted it.
    pub brings_email: Option<bool>,
}

/// What a signal adds to a lead.
#[derive(Clone, Copy, Debug)]
pub struct Signal<'a> {
    /// The rule that maps the signal.
    pub rule: Option<u32>,
    /// The number of the event name.
    pub event: u32,
    /// Whether the rule has `high_intent`.
    pub high_intent: bool,
    /// Whether the signal is from before the lead was identified.
    pub rehydrated: bool,
    /// The index of the signal's period.
    pub period: Option<u32>,
    /// The page of the signal.
    pub page: Option<Page<'a>>,
}

/// A page and its referrer.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // each is the column of that name
pub struct Page<'a> {
    pub url: &'a str,
    pub referrer: &'a str,
    pub utm_source: &'a str,
    pub utm_medium: &'a str,
    pub utm_campaign: &'a str,
}

/// Maps e-mails to indexes of leads.
#[derive(Debug)]
enum Places {
    /// The index by id. Entries of ids that are not e-mails are unused.
    Listed(Vec<u32>),
    /// E-mails have consecutive numbers from this one on.
    From(u32),
}

/// All leads in memory, one entry for each e-mail, so that entries never move.
#[derive(Debug)]
pub struct Leads {
    places: Places,
    /// The e-mail of each entry.
    pub(super) emails: Vec<NodeId>,
    pub(super) all: Vec<Mutex<Lead>>,
}

impl Leads {
    /// Creates entries for the e-mails of `ids`, on all threads of the current pool.
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
        // Touching that much memory for the first time takes long enough to divide it.
        let all = emails.par_iter().with_min_len(1024).map(|_| Mutex::default()).collect();
        Self { places, emails, all }
    }

    /// Prefetches `lead`.
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

    /// Adds an identify call.
    pub fn identify(&self, touch: &Touch<'_>) {
        self.lead(touch.lead).touch(touch);
    }

    /// Adds an event outside of the window, which enriches a lead but does not create one.
    pub fn enrich(&self, touch: &Touch<'_>) {
        self.place(touch.lead).touch(touch);
    }

    /// Adds a signal. Its signal name is determined when leads are ranked.
    pub fn signal(&self, touch: &Touch<'_>, signal: &Signal<'_>) {
        let mut lead = self.lead(touch.lead);
        lead.touch(touch);
        lead.signal(touch.key, signal);
    }

    /// Marks `lead` as accepted: the service would have accepted an event that brings its e-mail.
    pub fn accept(&self, lead: NodeId) {
        self.place(lead).accepted = true;
    }

    /// Adds a group call, which does not create a lead.
    pub fn group(&self, lead: NodeId, key: OrderKey, group: NodeId) {
        self.place(lead).join(group, key);
    }
}

impl Lead {
    /// Adds a group.
    pub(super) fn join(&mut self, group: NodeId, key: OrderKey) {
        match self.groups.binary_search_by_key(&group, |&(group, _)| group) {
            Ok(place) => self.groups[place].1 = self.groups[place].1.max(key),
            Err(place) => self.groups.insert(place, (group, key)),
        }
    }

    /// Adds the ids, traits and identification of an event.
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
                // The key is compared first, which decides in most cases without comparing texts.
                Some(kept) if (touch.key, text) <= (kept.key, &kept.value) => {}
                // Most later values are equal; then only the key changes.
                Some(kept) if *kept.value == *text => kept.key = touch.key,
                _ => *kept = Some(Dated { key: touch.key, value: text.into() }),
            }
        }
        if let Some(accepted) = touch.brings_email {
            self.accepted |= accepted;
            self.identified_at = earliest(self.identified_at, touch.key.time);
        }
    }

    /// Adds the counts, times and page of a signal.
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
        // The key decides in most cases; texts are copied only if it does not.
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

/// Returns the earlier of two times; a missing `time` is ignored.
pub(super) fn earliest(kept: Option<Time>, time: Time) -> Option<Time> {
    if time.is_missing() {
        return kept;
    }
    Some(kept.map_or(time, |kept| kept.min(time)))
}
