//! The stage that merges parts of leads into the table of leads.

use std::collections::{BTreeMap, BTreeSet};

use ahash::{AHashMap, RandomState};
use arrow_array::RecordBatch;

use super::Job;
use super::counts::Counts;
use crate::emit::Table;
use crate::emit::arrow::{TableBatches, Types};
use crate::engine::exchange::arrow::{ExchangeError, group_names, lead_parts};
use crate::engine::exchange::lead_part::{LeadPart, SignalName};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::lead::{Lead, LeadRef, Ranked, ScoreCounts, Terms};
use crate::engine::map::event_names::EventNames;
use crate::engine::map::names::Names;
use crate::engine::resolve::fold::GroupNames;
use crate::engine::resolve::lead_rows::LeadRows;
use crate::engine::resolve::sums::rule_terms;
use crate::event::CallType;

/// The input of [`leads`].
#[derive(Clone, Copy, Debug, Default)]
pub struct LeadParts<'a> {
    /// All parts of some leads.
    pub parts: &'a [RecordBatch],
    /// The names of groups; all those of the groups of these leads. Names of other groups are
    /// ignored.
    pub group_names: &'a [RecordBatch],
}

/// The result of [`leads`].
#[derive(Debug)]
pub struct LeadTable {
    /// The table of leads, by descending score, then by e-mail.
    pub rows: Vec<RecordBatch>,
    /// The counts of the leads.
    pub counts: Vec<RecordBatch>,
    /// The lowest and the highest score; `None` without leads.
    pub scores: Option<(i64, i64)>,
    /// The e-mails of leads that would not exist without the events that the service would have
    /// lost, in order.
    pub lost: Vec<String>,
}

/// Merges parts into leads. All parts of an e-mail must be given together. Leads of several calls
/// are put in order by score and e-mail.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn leads(job: &Job, given: LeadParts<'_>, types: Types) -> Result<LeadTable, ExchangeError> {
    let mut parts = Vec::new();
    for batch in given.parts {
        lead_parts::each(batch, job.fingerprint, |part| parts.push(part))?;
    }
    let counted = names_of(&parts);
    let events = EventNames::new(&counted);
    let mut ids = Ids::new(RandomState::new());
    let forgotten = forgotten_emails(&parts);
    let leads = merged(job, parts, &mut ids, &events)?;
    let ids = AllIds::Memory(ids);
    let groups = groups_of(job, given.group_names, &ids)?;
    let terms = rule_terms(&job.engine);
    let weights = Terms { rules: rule_terms(&job.engine), events: events.as_slice() };
    let mut ranked: Vec<_> = leads
        .iter()
        .filter(|(_, lead)| lead.is_lead())
        .map(|(email, lead)| {
            let (score, top_signal) = weights.weigh(lead);
            Ranked { email: *email, lead: LeadRef::Read(lead), score, top_signal }
        })
        .collect();
    ranked.sort_unstable_by(|a, b| {
        b.score.cmp(&a.score).then_with(|| ids.order(a.email).cmp(&ids.order(b.email)))
    });
    let rows = LeadRows { ids: &ids, groups: &groups, terms: &terms, events: events.as_slice() };
    let table = match job.engine.redaction {
        None => Table::Leads,
        Some(_) => Table::RedactedLeads,
    };
    let mut out = TableBatches::new(table, types);
    let mut sums = Sums::default();
    for lead in &ranked {
        sums.see(lead, &ids.text(lead.email));
        rows.with_row(lead, |row| match &job.engine.redaction {
            None => out.lead(row),
            Some(redaction) => redaction.lead(row, |row| out.lead(row)),
        });
    }
    let is_lead = |email: &str| {
        let email = ids.find(Space::Email, email);
        email.and_then(|email| leads.get(&email)).is_some_and(Lead::is_lead)
    };
    let missed = forgotten.iter().filter(|email| !is_lead(email)).count();
    sums.counts.add_unsigned("deleted.leads", "", missed as u64);
    let Sums { counts, scores, mut lost } = sums;
    lost.sort_unstable();
    Ok(LeadTable { rows: out.take()?, counts: counts.write(job)?, scores, lost })
}

/// Returns the e-mails of events removed by deletion requests.
fn forgotten_emails(parts: &[LeadPart]) -> BTreeSet<Box<str>> {
    parts.iter().filter(|part| part.forgotten).map(|part| part.email.clone()).collect()
}

/// Sums over leads.
#[derive(Default)]
struct Sums {
    counts: Counts,
    scores: Option<(i64, i64)>,
    lost: Vec<String>,
}

impl Sums {
    fn see(&mut self, ranked: &Ranked<'_>, email: &str) {
        let (lead, score) = (&ranked.lead, ranked.score);
        let counts = &mut self.counts;
        let kind = if lead.signals > 0 { "leads.with_signals" } else { "leads.without_signals" };
        counts.add("leads.total", "", 1);
        counts.add(kind, "", 1);
        counts.add("leads.total_score", "", score);
        counts.add("leads.by_score", &ScoreCounts::range_of(score), 1);
        for period in lead.periods() {
            counts.add("plan.periods.active_leads", &period.to_string(), 1);
        }
        if !lead.accepted {
            counts.add("plan.lost_leads", "", 1);
            self.lost.push(email.to_owned());
        }
        let (lowest, highest) = self.scores.unwrap_or((score, score));
        self.scores = Some((lowest.min(score), highest.max(score)));
    }
}

/// Returns the event names of `parts`.
fn names_of(parts: &[LeadPart]) -> Names {
    let mut names = Names::default();
    let mut add = |name: &SignalName| names.add(CallType::Track, &name.event, 1);
    for part in parts {
        part.names.iter().for_each(|(name, _)| add(name));
        part.last_signal.iter().for_each(|(_, name)| add(name));
    }
    names
}

/// Merges `parts` into leads, by e-mail.
fn merged(
    job: &Job,
    parts: Vec<LeadPart>,
    ids: &mut Ids,
    events: &EventNames<'_>,
) -> Result<BTreeMap<NodeId, Lead>, ExchangeError> {
    let mut leads: BTreeMap<NodeId, Lead> = BTreeMap::new();
    for part in parts {
        let email = ids.intern(Space::Email, &part.email);
        let broken = ExchangeError::BrokenValue { kind: lead_parts::KIND, column: "names" };
        let lead = Lead::of_part(part, ids, &job.rules, events).ok_or(broken)?;
        leads.entry(email).or_default().merge(lead);
    }
    leads.values_mut().for_each(Lead::finish);
    Ok(leads)
}

/// Returns the latest name of each group of `ids`.
fn groups_of(
    job: &Job,
    batches: &[RecordBatch],
    ids: &AllIds,
) -> Result<GroupNames, ExchangeError> {
    let mut groups: GroupNames = AHashMap::new();
    for batch in batches {
        group_names::each(batch, job.fingerprint, |group, key, name| {
            let Some(group) = ids.find(Space::Group, group) else { return };
            let kept = groups.get(&group);
            if kept.is_none_or(|(kept_key, kept)| (key, name) > (*kept_key, &**kept)) {
                groups.insert(group, (key, name.into()));
            }
        })?;
    }
    Ok(groups)
}
