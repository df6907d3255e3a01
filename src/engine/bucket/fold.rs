//! The stage that folds resolved rows into parts of leads.

use std::sync::{Mutex, PoisonError};

use ahash::AHashSet;
use arrow_array::RecordBatch;

use super::Job;
use super::assign::bucket_of;
use super::counts::Counts;
use super::load::{Facts, Loaded, Loader};
use super::resolve::sliced;
use crate::engine::exchange::arrow::contenders::{self, NamedContender};
use crate::engine::exchange::arrow::event_rows::EventRows;
use crate::engine::exchange::arrow::id_links::kind_of;
use crate::engine::exchange::arrow::row_owners::{self, RowOwners};
use crate::engine::exchange::arrow::sightings::{Sighting, SightingBuilder};
use crate::engine::exchange::arrow::{ExchangeError, group_names, lead_parts};
use crate::engine::exchange::lead_part::LeadPart;
use crate::engine::exchange::row_owner::RowOwner;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::identity::resolve::Owner;
use crate::engine::lead::{Lead, LeadStore, Leads, PartTexts};
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::{Spans, Timeframe};
use crate::engine::resolve::count::Count;
use crate::engine::resolve::fold::{Fold, GroupNames};
use crate::engine::resolve::history::HistoryCounter;
use crate::engine::resolve::known::{KnownOwner, show_known};
use crate::engine::resolve::owner::ExcludedRows;
use crate::engine::resolve::row::{ResolvedRow, RowLead};
use crate::engine::resolve::tally::{Contender, Tally};
use crate::engine::resolve::visit::Visit;
use crate::rules::PeriodLength;

/// The result of [`fold`].
#[derive(Debug)]
pub struct Folded {
    /// Parts of leads.
    pub parts: Vec<RecordBatch>,
    /// The names of groups.
    pub group_names: Vec<RecordBatch>,
    /// The events of minutes of which the service accepts only a part; empty if there are none.
    pub contenders: Vec<RecordBatch>,
    /// Sightings of the ids of events by period, if periods are months.
    pub sightings: Vec<RecordBatch>,
    /// The counts.
    pub counts: Vec<RecordBatch>,
}

/// Folds `resolved` rows into parts of their leads, and counts them by the periods and spans of
/// `timeframe`. Rows can be folded in any number of calls.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn fold(
    job: &Job,
    timeframe: &Timeframe,
    resolved: &[RecordBatch],
) -> Result<Folded, ExchangeError> {
    let Timeframe { ledger, spans } = timeframe;
    let mut batches = Vec::with_capacity(resolved.len());
    for batch in resolved {
        sliced(&row_owners::read(batch, job.fingerprint)?, &mut batches);
    }
    let mut loading = Loader::new(job, Facts::Nobody);
    for batch in &batches {
        loading.add(&EventRows::new(batch))?;
    }
    let Loaded { mut ids, names, batches: loaded, .. } = loading.finish();
    let owners: Result<Vec<_>, _> =
        batches.iter().map(|batch| owners_of(job, batch, &mut ids)).collect();
    let ids = AllIds::Memory(ids);
    let names = EventNames::new(&names);
    let (leads, groups) = (LeadStore::Memory(Leads::new(&ids)), Mutex::default());
    let count = Count::new(&job.engine, ledger, names.counted());
    let fold = Fold { ids: &ids, ledger, names: &names, leads: leads.sink(), groups: &groups };
    let mut visitors = (count, fold, PeriodTracker::new(job, spans));
    for (loaded, owners) in loaded.iter().zip(owners?) {
        let excluded = ExcludedRows { dead: &loaded.dead, forgotten: &loaded.forgotten };
        show_known((&job.engine, ledger), excluded, &loaded.view(), &owners, &mut visitors);
    }
    let (tally, tracker) = (visitors.0.tally, visitors.2);
    let groups = groups.into_inner().unwrap_or_else(PoisonError::into_inner);
    let texts = PartTexts { rules: &job.engine.rules.rules, events: &names };
    let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    let duplicates = loaded.iter().map(|loaded| loaded.dead.len() as u64).sum();
    let mut counts = Counts::of_tally(job, (&tally, names.counted()), rows, duplicates);
    counts.add_history(&tracker.counter);
    Ok(Folded {
        contenders: contenders_of(job, &tally, &ids)?,
        sightings: tracker.sightings(job, &ids)?,
        counts: counts.write(job)?,
        parts: parts(job, leads, &tally, &ids, texts)?,
        group_names: names_of_groups(job, &groups, &ids)?,
    })
}

/// A visitor that counts outcomes by span, and tracks the ids of each period.
struct PeriodTracker<'a> {
    counter: HistoryCounter<'a>,
    /// Whether ids are tracked.
    tracks: bool,
    /// Each period with an id of an event in it, and whether that event had a user id.
    tracked: AHashSet<(u32, NodeId, bool)>,
}

impl<'a> PeriodTracker<'a> {
    fn new(job: &Job, spans: &'a Spans) -> Self {
        let tracks = job.engine.rules.plan.period == PeriodLength::Month;
        Self { counter: HistoryCounter::new(spans), tracks, tracked: AHashSet::new() }
    }

    fn track(&mut self, row: &ResolvedRow<'_>) {
        let period = row.period.and_then(|period| u32::try_from(period).ok());
        let Some(period) = period.filter(|_| self.tracks) else { return };
        let with_user = row.ids.user.is_some();
        for id in [row.ids.anonymous, row.ids.user].into_iter().flatten() {
            self.tracked.insert((period, id, with_user));
        }
    }

    fn sightings(self, job: &Job, ids: &AllIds) -> Result<Vec<RecordBatch>, ExchangeError> {
        let mut tracked: Vec<_> = self.tracked.into_iter().collect();
        tracked.sort_unstable();
        let mut out = SightingBuilder::new(job.fingerprint);
        for (period, id, with_user) in tracked {
            let text = ids.text(id);
            out.push(&Sighting {
                bucket: bucket_of(&text, job.buckets),
                kind: kind_of(ids.space(id)),
                id: &text,
                period: Some(period),
                with_user,
                ..Sighting::default()
            })?;
        }
        out.finish()
    }
}

impl Visit for PeriodTracker<'_> {
    fn event(&mut self, row: &ResolvedRow<'_>) {
        self.track(row);
        self.counter.event(row);
    }

    fn signal(&mut self, row: &ResolvedRow<'_>) {
        self.counter.signal(row);
    }

    fn duplicate(&mut self, row: &ResolvedRow<'_>) {
        self.track(row);
        self.counter.duplicate(row);
    }

    fn forgotten(&mut self, row: &ResolvedRow<'_>) {
        self.track(row);
        self.counter.forgotten(row);
    }
}

/// Returns the owners of the rows of `batch`; their e-mails are added to `ids`.
fn owners_of(
    job: &Job,
    batch: &RecordBatch,
    ids: &mut Ids,
) -> Result<Vec<KnownOwner>, ExchangeError> {
    let owners = RowOwners::new(batch);
    let known = |row| {
        let RowOwner { lead_email, brought_email, user_email, found, moved_by } =
            owners.owner(row)?;
        let mut lead = |email: &str| {
            let internal = job.engine.rules.identity.is_internal(email);
            let email = (!email.is_empty()).then(|| ids.intern(Space::Email, email))?;
            Some(RowLead { email, internal })
        };
        let (lead_of, brought, user_lead) =
            (lead(lead_email), lead(brought_email), lead(user_email));
        let owner = found.zip(lead_of).map(|(found, lead)| Owner {
            email: lead.email,
            resolution: found.resolution,
            through: found.through,
            tied: found.tied,
        });
        Ok(KnownOwner { lead: lead_of, brought, user_lead, owner, moved_by })
    };
    (0..batch.num_rows()).map(known).collect()
}

/// Returns the parts of all leads with events, and of leads that only removed events bring.
fn parts(
    job: &Job,
    leads: LeadStore,
    tally: &Tally,
    ids: &AllIds,
    texts: PartTexts<'_>,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let LeadStore::Memory(leads) = leads else { return Ok(Vec::new()) };
    let part = |email: NodeId, lead: Lead| {
        let text = ids.text(email);
        lead.into_part((bucket_of(&text, job.buckets), &text), ids, texts)
    };
    let folded = leads.into_touched().map(|(email, lead)| part(email, lead));
    let mut forgotten: Vec<NodeId> = tally.forgotten.brought.iter().copied().collect();
    forgotten.sort_unstable_by(|&a, &b| ids.order(a).cmp(&ids.order(b)));
    let forgotten = forgotten
        .into_iter()
        .map(|email| LeadPart { forgotten: true, ..part(email, Lead::default()) });
    lead_parts::write(folded.chain(forgotten), job.fingerprint)
}

fn contenders_of(
    job: &Job,
    tally: &Tally,
    ids: &AllIds,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let lead_of = |contender: &Contender| contender.brings.map(|lead| ids.text(lead));
    let leads: Vec<_> = tally.partial.iter().map(|one| lead_of(one).unwrap_or_default()).collect();
    let named = |(contender, brings): (&Contender, _)| {
        let (received, time, signal_id) = contender.order;
        NamedContender {
            minute: contender.minute,
            key: OrderKey { time, received, signal_id },
            is_identify: contender.is_identify,
            brings,
        }
    };
    let leads = leads.iter().map(|lead| &**lead);
    contenders::write(tally.partial.iter().zip(leads).map(named), job.fingerprint)
}

fn names_of_groups(
    job: &Job,
    groups: &GroupNames,
    ids: &AllIds,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut names: Vec<_> =
        groups.iter().map(|(&group, (key, name))| (ids.text(group), *key, &**name)).collect();
    names.sort_unstable();
    let names = names.iter().map(|(group, key, name)| (&**group, *key, *name));
    group_names::write(names, job.fingerprint)
}
