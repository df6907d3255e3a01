//! Selects what concerns the subject from everything that was gathered.

use ahash::{AHashMap, AHashSet};
use rayon::ThreadPool;

use super::events::{CopiesOf, EventReporter, Focus, deleted};
use super::gather::Gathered;
use super::lead::{LeadEvents, LeadReporter};
use super::limit::Limit;
use super::report::{Event, Id, Lead, LeadValue};
use super::resolve::{Context, GatheredRow, kind};
use super::subject::Subject;
use crate::engine::Engine;
use crate::engine::EventRef;
use crate::engine::exchange::spill::Scratch;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::facts::Facts;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::timeline;
use crate::engine::lead::{Ranked, Ranking};
use crate::engine::map::event_names::EventNames;
use crate::engine::map::example::Lines;
use crate::engine::resolve::fold::GroupNames;
use crate::engine::resolve::lead_rows::LeadRows;
use crate::engine::resolve::sums::rule_terms;
use crate::engine::resolve::visit::Visit;
use crate::engine::resolve::{Input, Stage, resolve};
use crate::engine::watch::Watch;
use crate::error::Error;

/// The parts of a report that are about the subject.
#[derive(Debug, Default)]
pub struct Explained {
    /// The leads, sorted by e-mail.
    pub leads: Vec<Lead>,
    /// The ids of the events.
    pub ids: Vec<Id>,
    /// The events, by time.
    pub events: Vec<Event>,
}

/// What is needed to resolve gathered events.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The settings that mapped the events.
    pub engine: &'a Engine,
    /// The limit of the plan.
    pub limit: &'a Limit,
    /// The subject.
    pub subject: &'a Subject,
    /// Where leads that do not fit into memory are spilled.
    pub scratch: &'a Scratch,
    /// The thread pool.
    pub pool: &'a ThreadPool,
    /// Receives progress and can interrupt the job.
    pub watch: &'a dyn Watch,
}

/// Resolves everything that was `gathered`, and selects what concerns the subject.
///
/// # Errors
/// Returns an error if the job was interrupted or if spilled data cannot be read.
pub fn explained(
    setting: Setting<'_>,
    gathered: &mut Gathered,
    lines: Lines,
) -> Result<Explained, Error> {
    let Setting { engine, limit, subject, scratch, pool, watch } = setting;
    let facts = std::mem::take(&mut gathered.committed.facts);
    let facts = facts.into_memory().map_err(Error::Spill)?;
    let gathered = &*gathered;
    let ids = &gathered.committed.ids;
    let mut sorted = facts.clone();
    timeline::sort(&mut sorted, ids);
    let names = EventNames::new(&gathered.counters.names);
    let stage = Stage { engine, ids, ledger: limit.ledger(), names: &names, pool, watch };
    let store = &gathered.committed.store;
    let input = Input { facts: Facts::Memory(facts), store, scratch, dropped: None };
    let outcome = resolve(stage, input, || NoVisit, |_, _, _| Ok(()), |()| Ok(()))?;
    let rule_terms = rule_terms(engine);
    let groups = &outcome.groups;
    let rows = LeadRows { ids, groups, terms: &rule_terms, events: names.as_slice() };
    let context = Context::new(engine, gathered, &outcome.identities, &sorted, lines);
    let ranking = &outcome.leads;
    Composer { context: &context, limit, subject, ranking, groups, rows }.explained()
}

/// Ignores all rows: they are read again once all leads are known.
struct NoVisit;

impl Visit for NoVisit {}

/// A lead, and the event from which each of its values comes.
type Described = (Lead, Vec<(EventRef, LeadValue)>);

struct Composer<'w> {
    context: &'w Context<'w>,
    limit: &'w Limit,
    subject: &'w Subject,
    ranking: &'w Ranking<'w>,
    groups: &'w GroupNames,
    rows: LeadRows<'w>,
}

impl Composer<'_> {
    fn explained(&self) -> Result<Explained, Error> {
        let mut focus = self.focus()?;
        let mut copies = CopiesOf::default();
        self.context.each_row(|row| {
            focus.note(row);
            copies.note(row);
        })?;
        let mut lead_events = LeadEvents::of(self.leads(&focus)?);
        self.context.each_row(|row| lead_events.note(self.context, row))?;
        let counts = lead_events.counts(&self.context.engine.rules.rules);
        let notes = self.described_leads(&lead_events)?;
        let mut supplies: AHashMap<u64, Vec<LeadValue>> = AHashMap::new();
        for (event, brought) in notes.iter().flat_map(|(_, brought)| brought) {
            supplies.entry(event.to_raw()).or_default().push(brought.clone());
        }
        let reporter = EventReporter { context: self.context, limit: self.limit, copies, counts };
        let (events, ids) = self.events(&focus, &reporter, supplies)?;
        let mut leads: Vec<Lead> = notes.into_iter().map(|(lead, _)| lead).collect();
        leads.sort_unstable_by(|a, b| a.email.cmp(&b.email));
        Ok(Explained { leads, ids, events })
    }

    fn focus(&self) -> Result<Focus<'_>, Error> {
        let context = self.context;
        let lead = match self.subject {
            Subject::Email(email) => context.ids().find(Space::Email, email),
            _ => None,
        };
        let lead = lead.map(|email| context.merged.name(email));
        let mut ids = AHashSet::new();
        let add = |ranked: &Ranked<'_>| {
            if Some(ranked.email) == lead {
                ids.extend(ranked.lead.anonymous_ids());
                ids.extend(ranked.lead.user_ids());
            }
        };
        self.ranking.each(add).map_err(Error::Spill)?;
        Ok(Focus::new(self.subject, lead, ids))
    }

    /// Returns the leads of the report: those that own events of the subject, except staff.
    fn leads(&self, focus: &Focus<'_>) -> Result<AHashSet<NodeId>, Error> {
        let mut leads: AHashSet<NodeId> = focus.lead().into_iter().collect();
        if focus.lead().is_none() {
            self.context.each_row(|row| {
                if focus.has(self.context, row) {
                    leads.extend(self.lead_of(row));
                }
            })?;
        }
        leads.retain(|&lead| !self.context.is_internal(lead));
        Ok(leads)
    }

    fn lead_of(&self, row: &GatheredRow<'_>) -> Option<NodeId> {
        if row.row.head.call.is_signal() {
            return self.context.ownership(row).lead;
        }
        self.context.brought(row)
    }

    fn described_leads(&self, events: &LeadEvents) -> Result<Vec<Described>, Error> {
        let (context, rows, groups) = (self.context, self.rows, self.groups);
        let reporter = LeadReporter { context, events, rows, groups };
        let mut described = Vec::new();
        let describe = |ranked: &Ranked<'_>| {
            if events.has(ranked.email) {
                described.push(reporter.lead(ranked));
            }
        };
        self.ranking.each(describe).map_err(Error::Spill)?;
        Ok(described)
    }

    /// Returns the events of the subject in order, and their ids.
    fn events(
        &self,
        focus: &Focus<'_>,
        reporter: &EventReporter<'_>,
        mut supplies: AHashMap<u64, Vec<LeadValue>>,
    ) -> Result<(Vec<Event>, Vec<Id>), Error> {
        let mut events: Vec<(OrderKey, Event)> = Vec::new();
        let mut ids = AHashSet::new();
        self.context.each_row(|row| {
            if focus.has(self.context, row) {
                ids.extend([row.ids.anonymous, row.ids.user].into_iter().flatten());
                ids.extend(self.context.facts_of(row.event).map(|(fact, _)| fact.source));
                let supplies = supplies.remove(&row.event.to_raw()).unwrap_or_default();
                events.push((row.row.head.key, Event { supplies, ..reporter.event(row) }));
            }
        })?;
        let dropped = self.context.gathered.dropped.iter();
        for dropped in dropped.filter(|dropped| focus.has_dropped(self.context, dropped)) {
            events.push((dropped.key, reporter.dropped(dropped)));
        }
        self.deleted(focus, |key, event| events.push((key, event)))?;
        events.sort_by(|(a, event), (b, other)| (a, &event.place).cmp(&(b, &other.place)));
        let events = events.into_iter().map(|(_, event)| event).collect();
        Ok((events, self.described_ids(ids, self.context.ids())))
    }

    /// Shows the events of the subject that deletion requests cover to `see`: that they are covered.
    fn deleted(
        &self,
        focus: &Focus<'_>,
        mut see: impl FnMut(OrderKey, Event),
    ) -> Result<(), Error> {
        let mut ids = AHashSet::new();
        self.context.each_deleted_row(|row| {
            if focus.brings(self.context, row) {
                ids.extend([row.ids.anonymous, row.ids.user].into_iter().flatten());
            }
        })?;
        self.context.each_deleted_row(|row| {
            if focus.has_deleted(row, &ids) {
                see(row.row.head.key, deleted(self.context, row));
            }
        })
    }

    fn described_ids(&self, found: AHashSet<NodeId>, ids: &AllIds) -> Vec<Id> {
        let mut found: Vec<NodeId> = found.into_iter().collect();
        found.sort_unstable_by_key(|&id| (ids.space(id), ids.order(id)));
        let notes = found.into_iter().map(|id| Id {
            kind: kind(ids.space(id)),
            value: ids.text(id).into_owned(),
            emails: self.context.timelines.of(id).emails(),
            shared: self.context.resolver.is_shared(id),
        });
        notes.collect()
    }
}
