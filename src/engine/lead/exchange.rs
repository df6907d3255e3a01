//! Converts leads to parts with texts, and back.

use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;

use super::{Dated, FirstTouch, Lead, Leads};
use crate::engine::exchange::lead_part::{LeadPart, SignalName};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::map::event_names::EventNames;
use crate::rules::Rule;

/// The texts of the numbers in leads.
#[derive(Clone, Copy)]
pub struct PartTexts<'a> {
    /// The rules, by number.
    pub rules: &'a [Rule],
    /// The numbers of all event names.
    pub events: &'a EventNames<'a>,
}

impl Leads {
    /// Returns each lead that an event has added to, with the e-mail that names it.
    pub(in crate::engine) fn into_touched(self) -> impl Iterator<Item = (NodeId, Lead)> {
        let Self { emails, all, .. } = self;
        let unlocked =
            |lead: Mutex<Lead>| lead.into_inner().unwrap_or_else(PoisonError::into_inner);
        let leads = all.into_iter().map(unlocked);
        emails.into_iter().zip(leads).filter(|(_, lead)| lead.is_touched())
    }
}

impl Lead {
    fn is_touched(&self) -> bool {
        self.exists
            || self.accepted
            || self.identified_at.is_some()
            || !self.groups.is_empty()
            || !self.anonymous_ids.as_slice().is_empty()
            || !self.user_ids.as_slice().is_empty()
            || self.traits.iter().any(Option::is_some)
    }

    /// Converts the lead of `email` to a part in `bucket`.
    pub(in crate::engine) fn into_part(
        mut self,
        (bucket, email): (u32, &str),
        ids: &AllIds,
        texts: PartTexts<'_>,
    ) -> LeadPart {
        self.finish();
        let text = |id: NodeId| -> Box<str> { ids.text(id).into() };
        let name = |(rule, event): (Option<u32>, u32)| {
            let rule = rule.and_then(|rule| texts.rules.get(rule as usize));
            let event = texts.events.as_slice().get(event as usize).copied();
            SignalName {
                rule: rule.map_or("", |rule| &rule.id).into(),
                event: event.unwrap_or_default().into(),
            }
        };
        LeadPart {
            bucket,
            email: email.into(),
            exists: self.exists,
            accepted: self.accepted,
            forgotten: false,
            signals: self.signals,
            high_intent_signals: self.high_intent_signals,
            rehydrated_signals: self.rehydrated_signals,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            identified_at: self.identified_at,
            traits: self.traits.map(|kept| kept.map(|Dated { key, value }| (key, value))),
            first_touch: self.first_touch.map(|dated| (dated.key, dated.value)),
            last_signal: self.last_signal.map(|Dated { key, value }| (key, name(value))),
            groups: self.groups.iter().map(|&(group, key)| (text(group), key)).collect(),
            anonymous_ids: self.anonymous_ids.as_slice().iter().map(|&id| text(id)).collect(),
            user_ids: self.user_ids.as_slice().iter().map(|&id| text(id)).collect(),
            periods: self.periods.as_slice().to_vec(),
            names: self
                .tallies
                .as_slice()
                .iter()
                .map(|&(tallied, count)| (name(tallied), count))
                .collect(),
        }
    }

    /// Converts `part` to a lead; its ids are added to `ids`, and `rules` has the numbers of rules.
    /// Returns `None` if a rule of the part has no number.
    pub(in crate::engine) fn of_part(
        part: LeadPart,
        ids: &mut Ids,
        rules: &AHashMap<Box<str>, u32>,
        events: &EventNames<'_>,
    ) -> Option<Self> {
        let name = |name: &SignalName| {
            let rule = if name.rule.is_empty() { None } else { Some(*rules.get(&name.rule)?) };
            Some((rule, events.number_of(&name.event)))
        };
        let mut lead = Self {
            exists: part.exists,
            signals: part.signals,
            high_intent_signals: part.high_intent_signals,
            rehydrated_signals: part.rehydrated_signals,
            first_seen: part.first_seen,
            last_seen: part.last_seen,
            identified_at: part.identified_at,
            accepted: part.accepted,
            ..Self::default()
        };
        lead.traits = part.traits.map(|kept| kept.map(|(key, value)| Dated { key, value }));
        lead.first_touch =
            part.first_touch.map(|(key, value): (_, FirstTouch)| Box::new(Dated { key, value }));
        if let Some((key, signal)) = &part.last_signal {
            lead.last_signal = Some(Dated { key: *key, value: name(signal)? });
        }
        for (group, key) in &part.groups {
            lead.join(ids.intern(Space::Group, group), *key);
        }
        for id in &part.anonymous_ids {
            lead.anonymous_ids.insert(ids.intern(Space::Anonymous, id));
        }
        for id in &part.user_ids {
            lead.user_ids.insert(ids.intern(Space::User, id));
        }
        part.periods.iter().for_each(|&period| lead.periods.insert(period));
        for (signal, count) in &part.names {
            lead.tallies.add_count(name(signal)?, *count);
        }
        Some(lead)
    }
}
