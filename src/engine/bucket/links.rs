//! The stages that exchange identity links between buckets.

use std::collections::BTreeSet;

use ahash::RandomState;
use arrow_array::RecordBatch;

use super::Job;
use super::assign::bucket_of;
use super::forget::take_back;
use super::load::{Facts, Loader};
use super::resolve::{add_links, rows_of};
use crate::engine::EventRef;
use crate::engine::exchange::arrow::event_rows::EventRows;
use crate::engine::exchange::arrow::id_links::{self, IdLinkBuilder, IdLinks};
use crate::engine::exchange::arrow::{ExchangeError, wanted_ids};
use crate::engine::exchange::id_link::IdLink;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::ids::{Ids, Space};
use crate::engine::identity::timeline::sort;

/// The input of [`links`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Linkable<'a> {
    /// Rows that `dedup` returned.
    pub rows: &'a [RecordBatch],
    /// All deletion requests of the input, after `forget`; none before.
    pub deletions: &'a [RecordBatch],
    /// The buckets whose rows are divided among several calls of `forget` and `resolve`.
    pub divided: &'a [u32],
}

/// Returns the links of the rows that other buckets need: those of user ids, and those of anonymous
/// ids that an alias names and that belong to another bucket. The links of the visitors themselves
/// are made from the rows where they are needed; only those of divided buckets are returned, too.
/// Only kept rows make links. Links of user ids that deletion requests cover are left out.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn links(job: &Job, given: Linkable<'_>) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut loading = Loader::new(job, Facts::OfKept);
    let mut buckets: Vec<Vec<u32>> = Vec::new();
    for batch in &rows_of(job, given.rows)? {
        let rows = EventRows::new(batch);
        buckets.push(rows.buckets().collect());
        loading.add(&rows)?;
    }
    let loaded = loading.finish();
    let (ids, mut facts) = (loaded.ids, loaded.facts);
    take_back(job, given.deletions, &ids, &mut facts)?;
    facts.retain(|fact| {
        let event = EventRef::from_raw(fact.event);
        let own = buckets[event.segment()][event.row() as usize];
        ids.space(fact.source) == Space::User
            || bucket_of(ids.text(fact.source), job.buckets) != own
            || given.divided.contains(&own)
    });
    let ids = AllIds::Memory(ids);
    sort(&mut facts, &ids);
    // Whether a link is redundant depends on those of other buckets, but one event needs to make it
    // only once.
    facts.dedup_by(|next, kept| is_same_tie(next, kept) && next.key == kept.key);
    write(job, &ids, &facts)
}

/// Removes redundant links of user ids: those to the target of the previous link. All links of a
/// source must be given together.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn settle_links(job: &Job, links: &[RecordBatch]) -> Result<Vec<RecordBatch>, ExchangeError> {
    let (mut ids, mut facts) = (Ids::new(RandomState::new()), Vec::new());
    add_links(job, links, &mut ids, &mut facts)?;
    let ids = AllIds::Memory(ids);
    sort(&mut facts, &ids);
    // The rows of an anonymous id make further links, which may lie between two equal ones.
    facts.dedup_by(|next, kept| ids.space(next.source) == Space::User && is_same_tie(next, kept));
    write(job, &ids, &facts)
}

fn is_same_tie(one: &Fact, other: &Fact) -> bool {
    (one.source, one.target) == (other.source, other.target)
}

fn write(job: &Job, ids: &AllIds, facts: &[Fact]) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = IdLinkBuilder::new(job.fingerprint);
    for fact in facts {
        let (source, target) = (ids.text(fact.source), ids.text(fact.target));
        out.push(&IdLink {
            bucket: bucket_of(&source, job.buckets),
            source_space: ids.space(fact.source),
            source: &source,
            key: fact.key,
            target_space: ids.space(fact.target),
            target: &target,
        })?;
    }
    out.finish()
}

/// Returns the user ids whose links each bucket needs first: those of its rows, and those that its
/// anonymous ids are connected to by rows of other buckets, which are among the `links` of the
/// bucket that [`settle_links`] returned.
///
/// The targets of these links are needed next; see [`bucket`](super) for how a host finds them.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn wanted(
    job: &Job,
    rows: &[RecordBatch],
    links: &[RecordBatch],
) -> Result<Vec<RecordBatch>, ExchangeError> {
    if !job.engine.rules.identity.user_id {
        return Ok(Vec::new());
    }
    let mut wanted = BTreeSet::new();
    for batch in &rows_of(job, rows)? {
        let rows = EventRows::new(batch);
        for row in rows.iter() {
            let row = row?;
            let previous = (!row.previous_id.is_empty()).then_some(row.previous_id);
            for user in row.user().into_iter().chain(previous) {
                want(&mut wanted, row.bucket, user);
            }
        }
    }
    for batch in links {
        let batch = id_links::read(batch, job.fingerprint)?;
        for link in IdLinks::new(&batch).iter() {
            let link = link?;
            if link.source_space == Space::Anonymous && link.target_space == Space::User {
                want(&mut wanted, link.bucket, link.target);
            }
        }
    }
    wanted_ids::write(wanted.iter().map(|(bucket, user)| (*bucket, &**user)), job.fingerprint)
}

fn want(wanted: &mut BTreeSet<(u32, Box<str>)>, bucket: u32, user: &str) {
    wanted.insert((bucket, user.into()));
}
