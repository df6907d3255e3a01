//! Converts leads to those of the report, with the events that led to them.

use ahash::{AHashMap, AHashSet};

use super::events::{some, time_text};
use super::report::{Counts, Lead, LeadValue, RuleScore, Source};
use super::resolve::{Context, GatheredRow};
use crate::emit::row::LeadRow;
use crate::engine::EventRef;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::lead::{Ranked, Trait};
use crate::engine::resolve::fold::GroupNames;
use crate::engine::resolve::lead_rows::LeadRows;
use crate::event::CallType;
use crate::rules::Rule;

/// A lead's signals of one rule, in the order in which they count.
type RuleSignals = Vec<(OrderKey, EventRef)>;

/// The events of the leads in the report.
#[derive(Debug, Default)]
pub struct LeadEvents {
    /// The leads.
    leads: AHashSet<NodeId>,
    /// The signals by lead and rule.
    signals: AHashMap<(NodeId, u32), RuleSignals>,
    /// The events by lead, times and content hash, which decide between competing values.
    by_key: AHashMap<(NodeId, [i64; 2], u128), EventRef>,
    /// The first event that supplied the e-mail of each lead.
    first_brought: AHashMap<NodeId, (OrderKey, EventRef)>,
    /// The group calls by times and content hash.
    groups: AHashMap<([i64; 2], u128), EventRef>,
}

impl LeadEvents {
    /// Creates a collection for `leads`, without events.
    pub fn of(leads: AHashSet<NodeId>) -> Self {
        Self { leads, ..Self::default() }
    }

    /// Returns `true` if `lead` is in the report.
    pub fn has(&self, lead: NodeId) -> bool {
        self.leads.contains(&lead)
    }

    /// Adds `row` if it belongs to one of the leads.
    pub fn note(&mut self, context: &Context<'_>, row: &GatheredRow<'_>) {
        if row.is_duplicate {
            return;
        }
        let head = &row.row.head;
        let key = head.key;
        if head.call == CallType::Group {
            self.groups.entry((times(key), key.signal_id)).or_insert(row.event);
        }
        let brought = context.brought(row).filter(|lead| self.leads.contains(lead));
        if let Some(lead) = brought.filter(|_| !key.time.is_missing()) {
            let first = self.first_brought.entry(lead).or_insert((key, row.event));
            if key < first.0 {
                *first = (key, row.event);
            }
        }
        let owner = if head.call.is_signal() { context.ownership(row).lead } else { brought };
        let Some(lead) = owner.filter(|lead| self.leads.contains(lead)) else { return };
        self.by_key.entry((lead, times(key), key.signal_id)).or_insert(row.event);
        let is_signal = head.call.is_signal() && context.engine.counts(key.time);
        if let Some(rule) = head.rule.filter(|_| is_signal) {
            self.signals.entry((lead, rule)).or_default().push((key, row.event));
        }
    }

    /// Returns the position of each signal among those of its rule.
    pub fn counts(&mut self, rules: &[Rule]) -> AHashMap<u64, Counts> {
        let mut counts = AHashMap::new();
        for (&(_, rule), signals) in &mut self.signals {
            signals.sort_unstable_by_key(|&(key, event)| (key, event.to_raw()));
            let limit = rules.get(rule as usize).and_then(|rule| rule.limit);
            for (place, (_, event)) in (1..).zip(signals) {
                let scores = limit.is_none_or(|limit| place <= u64::from(limit));
                counts.insert(event.to_raw(), Counts { place, limit, scores });
            }
        }
        counts
    }

    fn score_by_rule(&self, lead: NodeId, rules: &[Rule]) -> Vec<RuleScore> {
        let own = self.signals.iter().filter(|((own, _), _)| *own == lead);
        let mut scores: Vec<RuleScore> = own
            .filter_map(|(&(_, rule), signals)| {
                let rule = rules.get(rule as usize)?;
                let signals = signals.len() as u64;
                let scoring = rule.limit.map_or(signals, |limit| signals.min(u64::from(limit)));
                let sum = rule.score.saturating_mul(i64::try_from(scoring).unwrap_or(i64::MAX));
                let (rule, score, limit) = (rule.id.clone(), rule.score, rule.limit);
                Some(RuleScore { rule, score, limit, signals, scoring, sum })
            })
            .collect();
        scores.sort_by(|a, b| b.sum.cmp(&a.sum).then_with(|| a.rule.cmp(&b.rule)));
        scores
    }
}

fn times(key: OrderKey) -> [i64; 2] {
    [key.time.to_raw(), key.received.to_raw()]
}

/// Converts leads to those of the report.
pub struct LeadReporter<'w> {
    /// The context of the gathered events.
    pub context: &'w Context<'w>,
    /// The events of the leads.
    pub events: &'w LeadEvents,
    /// Builds the rows of leads.
    pub rows: LeadRows<'w>,
    /// The names of groups.
    pub groups: &'w GroupNames,
}

impl LeadReporter<'_> {
    /// Returns the lead of `ranked`, and the event from which each of its values comes.
    pub fn lead(&self, ranked: &Ranked<'_>) -> (Lead, Vec<(EventRef, LeadValue)>) {
        let context = self.context;
        let brought = self.brought(ranked);
        let sources = brought
            .iter()
            .map(|(event, value)| Source { value: value.clone(), place: context.place(*event) });
        let lead = Lead {
            joined_emails: self.joined(ranked.email),
            merge_refused: self.merge_refused(ranked),
            score_by_rule: self.events.score_by_rule(ranked.email, &context.engine.rules.rules),
            sources: sources.collect(),
            ..self.rows.with_row(ranked, lead_of)
        };
        (lead, brought)
    }

    fn brought(&self, ranked: &Ranked<'_>) -> Vec<(EventRef, LeadValue)> {
        let lead = &ranked.lead;
        let find = |key: OrderKey| {
            self.events.by_key.get(&(ranked.email, times(key), key.signal_id)).copied()
        };
        let mut all = Vec::new();
        let mut add = |event: Option<EventRef>, column, value: &str| {
            if let Some(event) = event.filter(|_| !value.is_empty()) {
                all.push((event, LeadValue { column, value: value.to_owned() }));
            }
        };
        for (wanted, column) in Trait::ALL.into_iter().zip(TRAITS) {
            add(lead.trait_source(wanted).and_then(find), column, lead.trait_text(wanted));
        }
        if let Some((key, name)) =
            self.rows.naming_group(ranked).and_then(|group| self.groups.get(&group))
        {
            let event = self.events.groups.get(&(times(*key), key.signal_id));
            add(event.copied(), TRAITS[Trait::Company as usize], name);
        }
        if let Some(touch) = lead.first_touch() {
            let event = lead.first_touch_source().and_then(find);
            add(event, "first_page_url", &touch.page_url);
            add(event, "first_referrer", &touch.referrer);
            add(event, "utm_source", &touch.utm_source);
            add(event, "utm_medium", &touch.utm_medium);
            add(event, "utm_campaign", &touch.utm_campaign);
        }
        let first = self.events.first_brought.get(&ranked.email).map(|&(_, event)| event);
        add(first, "identified_at", &lead.identified_at.and_then(time_text).unwrap_or_default());
        all
    }

    /// Returns the other e-mails that are merged with `name`.
    fn joined(&self, name: NodeId) -> Vec<String> {
        let (ids, merged) = (self.context.ids(), self.context.merged);
        let emails = ids.of_space(Space::Email);
        let others = emails.filter(|&id| id != name && merged.name(id) == name);
        let mut others: Vec<String> = others.map(|id| ids.text(id).into_owned()).collect();
        others.sort_unstable();
        others
    }

    /// Returns the number of e-mails that would have been merged with that of `ranked`.
    fn merge_refused(&self, ranked: &Ranked<'_>) -> Option<usize> {
        let refused = self.context.merged.refused().iter();
        let own = ranked.lead.user_ids();
        let mut of_lead =
            refused.filter(|refused| refused.user_ids.iter().any(|&user| own.contains(&user)));
        of_lead.next().map(|refused| refused.emails)
    }
}

/// The columns in the order of [`Trait::ALL`].
const TRAITS: [&str; Trait::ALL.len()] =
    ["name", "first_name", "last_name", "company", "title", "phone"];

fn lead_of(row: &LeadRow<'_>) -> Lead {
    let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    Lead {
        email: row.email.to_owned(),
        name: some(row.name),
        first_name: some(row.first_name),
        last_name: some(row.last_name),
        company: some(row.company),
        title: some(row.title),
        phone: some(row.phone),
        score: row.score,
        signals: row.signals,
        high_intent_signals: row.high_intent_signals,
        rehydrated_signals: row.rehydrated_signals,
        first_seen: time_text(row.first_seen),
        last_seen: time_text(row.last_seen),
        identified_at: time_text(row.identified_at),
        first_page_url: some(row.first_page_url),
        first_referrer: some(row.first_referrer),
        utm_source: some(row.utm_source),
        utm_medium: some(row.utm_medium),
        utm_campaign: some(row.utm_campaign),
        last_signal: some(row.last_signal),
        top_signal: some(row.top_signal),
        anonymous_ids: texts(row.anonymous_ids),
        user_ids: texts(row.user_ids),
        ..Lead::default()
    }
}
