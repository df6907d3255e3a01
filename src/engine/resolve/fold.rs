//! Folds resolved rows into leads.

use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;

use super::row::{ResolvedRow, RowLead};
use super::visit::Visit;
use crate::engine::exchange::row::Field;
use crate::engine::identity::Resolution;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;
use crate::engine::lead::{Page, Signal, Sink, Touch, Trait};
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::{Ledger, Verdict};

/// The latest name of each group, with the key of the event that it is from.
pub type GroupNames = AHashMap<NodeId, (OrderKey, Box<str>)>;

/// A visitor that adds each row to its lead.
pub struct Fold<'a> {
    /// All ids of the input.
    pub ids: &'a AllIds,
    /// The usage of the plan.
    pub ledger: &'a Ledger,
    /// The numbers of all event names.
    pub names: &'a EventNames<'a>,
    /// The leads.
    pub leads: Sink<'a>,
    /// The latest names of groups so far.
    pub groups: &'a Mutex<GroupNames>,
}

impl Fold<'_> {
    /// Returns what an event of any call adds to `lead`.
    fn touch<'b>(&self, lead: NodeId, row: &ResolvedRow<'b>) -> Touch<'b> {
        Touch {
            lead,
            key: row.row.head.key,
            anonymous: row.ids.anonymous,
            user: row.ids.user,
            traits: [
                row.row.text(Field::Name),
                row.row.text(Field::FirstName),
                row.row.text(Field::LastName),
                row.row.text(Field::Company),
                row.row.text(Field::Title),
                row.row.text(Field::Phone),
            ],
            brings_email: row.ids.email.map(|_| self.is_accepted(row)),
        }
    }

    /// Adds `touch`, of an event that brings the e-mail of its lead.
    fn identified(&mut self, touch: &Touch<'_>, row: &ResolvedRow<'_>) {
        if row.in_window {
            self.leads.identify(touch);
        } else {
            self.leads.enrich(touch);
        }
    }

    /// Returns whether the service would have accepted the event in any case.
    fn is_accepted(&self, row: &ResolvedRow<'_>) -> bool {
        let verdict = row.minute.map(|minute| self.ledger.verdict(minute));
        verdict.is_none_or(|verdict| verdict == Verdict::Accepted)
    }

    fn signal_of<'b>(&self, row: &ResolvedRow<'b>) -> Signal<'b> {
        let text = |field| row.row.text(field);
        let url = text(Field::PageUrl);
        let page = Page {
            url,
            referrer: text(Field::Referrer),
            utm_source: text(Field::UtmSource),
            utm_medium: text(Field::UtmMedium),
            utm_campaign: text(Field::UtmCampaign),
        };
        Signal {
            rule: row.row.head.rule,
            event: self.names.number(row.row.head.call, text(Field::Event)),
            high_intent: row.rule.is_some_and(|rule| rule.high_intent),
            rehydrated: row.resolution() == Resolution::Rehydrated,
            period: row.period.and_then(|period| u32::try_from(period).ok()),
            page: (!url.is_empty()).then_some(page),
        }
    }

    fn name_group(&self, group: NodeId, key: OrderKey, name: &str) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = groups.get(&group);
        if kept.is_none_or(|(kept_key, kept)| (key, name) > (*kept_key, &**kept)) {
            groups.insert(group, (key, name.into()));
        }
    }
}

impl Visit for Fold<'_> {
    #[inline]
    fn prefetch(&self, row: &ResolvedRow<'_>) {
        if let Some(lead) = row.lead {
            self.leads.prefetch(lead.email);
            self.ids.prefetch(lead.email);
        }
    }

    /// An event whose user id is an e-mail address identifies that lead like an identify call.
    fn event(&mut self, row: &ResolvedRow<'_>) {
        if let Some(lead) = row.user_lead.and_then(RowLead::external) {
            let traits = [""; Trait::ALL.len()];
            let brings_email = Some(self.is_accepted(row));
            let touch = Touch { traits, brings_email, ..self.touch(lead, row) };
            self.identified(&touch, row);
        }
    }

    fn identify(&mut self, row: &ResolvedRow<'_>) {
        if let Some(lead) = row.brought.and_then(RowLead::external) {
            let touch = self.touch(lead, row);
            self.identified(&touch, row);
        }
    }

    fn signal_outside(&mut self, row: &ResolvedRow<'_>) {
        if let Some(lead) = row.lead.and_then(RowLead::external) {
            let touch = self.touch(lead, row);
            self.leads.enrich(&touch);
        }
    }

    fn signal(&mut self, row: &ResolvedRow<'_>) {
        if let Some(lead) = row.lead.and_then(RowLead::external) {
            let (touch, signal) = (self.touch(lead, row), self.signal_of(row));
            self.leads.signal(&touch, &signal);
        }
    }

    fn group(&mut self, row: &ResolvedRow<'_>) {
        let Some(group) = row.ids.group else { return };
        let (key, name) = (row.row.head.key, row.row.text(Field::GroupName));
        if !name.is_empty() {
            self.name_group(group, key, name);
        }
        if let Some(lead) = row.lead.and_then(RowLead::external) {
            self.leads.group(lead, key, group);
        }
    }
}
