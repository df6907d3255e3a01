//! The stage that finds the owners of rows.

use std::collections::BTreeSet;
use std::path::Path;

use arrow_array::RecordBatch;
use xxhash_rust::xxh3::xxh3_64;

use super::Job;
use super::assign::bucket_of;
use super::forget::take_back;
use super::load::{Facts, Loaded, Loader};
use crate::engine::exchange::arrow::email_ties;
use crate::engine::exchange::arrow::event_rows::{self, EventRows};
use crate::engine::exchange::arrow::id_links::{self, IdLinks};
use crate::engine::exchange::arrow::row_owners::OwnerBuilder;
use crate::engine::exchange::arrow::sightings::{EMAIL, Sighting, SightingBuilder};
use crate::engine::exchange::arrow::{ExchangeError, MAX_ROWS};
use crate::engine::exchange::row_owner::{FoundOwner, RowOwner};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::identity::merge::Merged;
use crate::engine::identity::timeline::{Room, Timelines};
use crate::engine::identity::{self, Identities};
use crate::engine::plan::{Ledger, Volume};
use crate::engine::resolve::owner::{ExcludedRows, OwnerFinder};
use crate::engine::resolve::row::ResolvedRow;
use crate::engine::resolve::visit::Visit;
use crate::error::Error;

/// Returns `batches` of rows with the expected columns, split into batches of at most [`MAX_ROWS`]
/// rows.
pub(super) fn rows_of(
    job: &Job,
    batches: &[RecordBatch],
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut all = Vec::with_capacity(batches.len());
    for batch in batches {
        sliced(&event_rows::read(batch, job.fingerprint)?, &mut all);
    }
    Ok(all)
}

/// Appends `batch` to `all`, split into batches of at most [`MAX_ROWS`] rows.
pub(super) fn sliced(batch: &RecordBatch, all: &mut Vec<RecordBatch>) {
    for start in (0..batch.num_rows()).step_by(MAX_ROWS) {
        all.push(batch.slice(start, MAX_ROWS.min(batch.num_rows() - start)));
    }
}

/// The input of [`resolve`], for one or more buckets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resolvable<'a> {
    /// All rows of each bucket.
    pub rows: &'a [RecordBatch],
    /// The links of the buckets' anonymous ids that rows of other buckets made, and all links of
    /// reached user ids. Further links change nothing.
    pub links: &'a [RecordBatch],
    /// The names of leads with several e-mails, if there are any.
    pub lead_names: &'a [RecordBatch],
    /// All deletion requests of the input.
    pub deletions: &'a [RecordBatch],
}

/// The result of [`resolve`].
#[derive(Debug)]
pub struct ResolvedRows {
    /// The rows in the same order, with the columns of their owners appended.
    pub rows: Vec<RecordBatch>,
    /// Sightings of the ids.
    pub sightings: Vec<RecordBatch>,
}

/// Finds the owner of each row. A bucket with links but without rows must be given too, for the
/// sightings of its ids.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn resolve(job: &Job, given: Resolvable<'_>) -> Result<ResolvedRows, ExchangeError> {
    let batches = rows_of(job, given.rows)?;
    let mut loading = Loader::new(job, Facts::OfKept);
    for batch in &batches {
        loading.add(&EventRows::new(batch))?;
    }
    let Loaded { mut ids, mut facts, batches: loaded, .. } = loading.finish();
    take_back(job, given.deletions, &ids, &mut facts)?;
    let (own_ids, own_facts) = (ids.len(), facts.len());
    add_links(job, given.links, &mut ids, &mut facts)?;
    let sources = facts[own_facts..].iter().map(|fact| fact.source);
    let mut seen: BTreeSet<NodeId> =
        sources.filter(|&source| ids.space(source) == Space::Anonymous).collect();
    seen.extend(ids.iter().map(|(id, _)| id).take(own_ids));
    let merged = lead_names(job, given.lead_names, &mut ids)?;
    let max_emails = job.engine.rules.identity.max_emails as usize;
    let (ids, mut facts) = (AllIds::Memory(ids), identity::facts::Facts::Memory(facts));
    facts.sort(&ids);
    // A bucket fits into memory.
    let room = Room { bytes: usize::MAX, dir: Path::new("") };
    let timelines = Timelines::new(facts, &ids, max_emails, room).map_err(Error::Spill)?;
    let identities = Identities { timelines, merged };
    // Owners do not depend on periods.
    let ledger = Ledger::new(&Volume::default(), &job.terms);
    let finder = OwnerFinder::new(&job.engine, &ids, &identities, &ledger).map_err(Error::Spill)?;
    let mut resolved = Vec::with_capacity(batches.len());
    for (batch, loaded) in batches.iter().zip(loaded) {
        let out = OwnerBuilder::new(job.fingerprint);
        let mut visitor = OwnerWriter { ids: &ids, out, result: Ok(()) };
        let excluded = ExcludedRows { dead: &loaded.dead, forgotten: &loaded.forgotten };
        finder.segment(excluded, &loaded.view(), &mut visitor);
        visitor.result?;
        resolved.push(visitor.out.beside(batch)?);
    }
    let timelines = &identities.timelines;
    Ok(ResolvedRows { rows: resolved, sightings: sightings_of(job, &seen, &ids, timelines)? })
}

/// Returns sightings of the ids in `seen`.
fn sightings_of(
    job: &Job,
    seen: &BTreeSet<NodeId>,
    ids: &AllIds,
    timelines: &Timelines,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = SightingBuilder::new(job.fingerprint);
    for &id in seen {
        let (space, text) = (ids.space(id), &*ids.text(id));
        match space {
            Space::Anonymous | Space::User => out.push(&Sighting {
                bucket: bucket_of(text, job.buckets),
                kind: id_links::kind_of(space),
                id: text,
                is_resolved: timelines.of(id).distance().is_some(),
                emails: u32::try_from(timelines.of(id).emails()).unwrap_or(u32::MAX),
                ..Sighting::default()
            })?,
            Space::Email => {
                let id = &format!("{:016x}", xxh3_64(text.as_bytes()));
                let bucket = bucket_of(id, job.buckets);
                out.push(&Sighting { bucket, kind: EMAIL, id, ..Sighting::default() })?;
            }
            Space::Group => {}
        }
    }
    out.finish()
}

/// Adds the links of `batches` to `facts`.
pub(super) fn add_links(
    job: &Job,
    batches: &[RecordBatch],
    ids: &mut Ids,
    facts: &mut Vec<Fact>,
) -> Result<(), ExchangeError> {
    for batch in batches {
        let batch = id_links::read(batch, job.fingerprint)?;
        for link in IdLinks::new(&batch).iter() {
            let link = link?;
            facts.push(Fact {
                key: link.key,
                source: ids.intern(link.source_space, link.source),
                target: ids.intern(link.target_space, link.target),
                event: u64::MAX,
            });
        }
    }
    Ok(())
}

/// Reads the names of leads with several e-mails, for the e-mails in `ids`.
fn lead_names(job: &Job, batches: &[RecordBatch], ids: &mut Ids) -> Result<Merged, ExchangeError> {
    let mut named = Vec::new();
    for batch in batches {
        email_ties::each_name(batch, job.fingerprint, |email, name| {
            if let Some(email) = ids.find(Space::Email, email) {
                named.push((email, ids.intern(Space::Email, name)));
            }
        })?;
    }
    Ok(Merged::known(named))
}

/// A visitor that writes the owner of each row.
struct OwnerWriter<'a> {
    ids: &'a AllIds,
    out: OwnerBuilder,
    result: Result<(), ExchangeError>,
}

impl OwnerWriter<'_> {
    fn write(&mut self, row: &ResolvedRow<'_>) {
        let leads = [row.lead, row.brought, row.user_lead];
        let emails = leads.map(|lead| lead.map(|lead| self.ids.text(lead.email)));
        let [lead_email, brought_email, user_email] =
            emails.each_ref().map(|email| email.as_deref().unwrap_or_default());
        let owner = RowOwner {
            lead_email,
            brought_email,
            user_email,
            found: row.owner.map(|owner| FoundOwner {
                resolution: owner.resolution,
                through: owner.through,
                tied: owner.tied,
            }),
            moved_by: row.moved_by,
        };
        if let Err(error) = self.out.push(&owner)
            && self.result.is_ok()
        {
            self.result = Err(error);
        }
    }
}

impl Visit for OwnerWriter<'_> {
    fn event(&mut self, row: &ResolvedRow<'_>) {
        self.write(row);
    }

    fn duplicate(&mut self, row: &ResolvedRow<'_>) {
        self.write(row);
    }

    fn forgotten(&mut self, row: &ResolvedRow<'_>) {
        self.write(row);
    }
}
