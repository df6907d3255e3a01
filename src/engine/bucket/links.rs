//! What rows tie together, for buckets that hold other rows of the same ids.

use std::collections::BTreeSet;

use ahash::{AHashMap, RandomState};
use arrow_array::RecordBatch;

use super::Job;
use super::assign::bucket_of;
use super::forget::deletions_of;
use super::load::{Facts, Loader};
use super::resolve::{add_links, rows_of};
use crate::engine::EventRef;
use crate::engine::exchange::arrow::event_rows::EventRows;
use crate::engine::exchange::arrow::id_links::{self, IdLinkBuilder, IdLinks};
use crate::engine::exchange::arrow::{ExchangeError, wanted_ids};
use crate::engine::exchange::id_link::IdLink;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::identity::timeline::sort;
use crate::engine::map::deletions::Until;

/// The links that the rows make and that are asked for outside of their bucket: those of user ids,
/// and those of anonymous ids that aliases name and that are of other buckets. Those of the visitors
/// themselves are told from the rows, where they are. Only rows that are kept make any, and those of
/// user ids that `deletions` cover are left out.
///
/// # Errors
/// When a batch is none that a stage of `job` gave.
pub fn links(
    job: &Job,
    rows: &[RecordBatch],
    deletions: &[RecordBatch],
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut loading = Loader::new(job, Facts::OfKept);
    let mut buckets: Vec<Vec<u32>> = Vec::new();
    for batch in &rows_of(job, rows)? {
        let rows = EventRows::new(batch);
        buckets.push(rows.buckets().collect());
        loading.add(&rows)?;
    }
    let loaded = loading.finish();
    let (ids, mut facts) = (loaded.ids, loaded.facts);
    let deletions = deletions_of(job, deletions)?;
    let until_of: AHashMap<NodeId, Until> = deletions
        .iter()
        .filter_map(|(user, until)| Some((ids.find(Space::User, user)?, until)))
        .collect();
    let is_deleted =
        |fact: &Fact| until_of.get(&fact.source).is_some_and(|until| until.covers(fact.key.time));
    facts.retain(|fact| {
        let event = EventRef::from_raw(fact.event);
        let own = || buckets[event.segment()][event.row() as usize];
        let is_asked_for = ids.space(fact.source) == Space::User
            || bucket_of(ids.text(fact.source), job.buckets) != own();
        is_asked_for && !is_deleted(fact)
    });
    let ids = AllIds::Memory(ids);
    sort(&mut facts, &ids);
    // Whether a tie is new depends on those that other buckets know; one event says it once.
    facts.dedup_by(|next, kept| is_same_tie(next, kept) && next.key == kept.key);
    write(job, &ids, &facts)
}

/// The links without those that change nothing: ties of an id to what it was tied to last. All links
/// of a source are to be given together.
///
/// # Errors
/// When a batch is none that a stage of `job` gave.
pub fn settle_links(job: &Job, links: &[RecordBatch]) -> Result<Vec<RecordBatch>, ExchangeError> {
    let (mut ids, mut facts) = (Ids::new(RandomState::new()), Vec::new());
    add_links(job, links, &mut ids, &mut facts)?;
    let ids = AllIds::Memory(ids);
    sort(&mut facts, &ids);
    // The rows of an anonymous id have other links, which may lie between two that look the same.
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

/// The user ids whose links each bucket needs first: those that its rows name, and those that its
/// anonymous ids were tied to by rows of other buckets, which are among the settled `links` of the
/// bucket.
///
/// What these lead to is wanted next; [`bucket`](super) tells how a host finds it.
///
/// # Errors
/// When a batch is none that a stage of `job` gave.
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
