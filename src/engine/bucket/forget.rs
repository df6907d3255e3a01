//! The stage that marks rows covered by deletion requests.

use ahash::AHashMap;
use arrow_array::RecordBatch;

use super::Job;
use super::dedup::with_fates;
use super::load::{self, Loader};
use super::resolve::{add_links, rows_of};
use crate::engine::exchange::arrow::event_rows::EventRows;
use crate::engine::exchange::arrow::{ExchangeError, deletions};
use crate::engine::exchange::event_row::EventFate;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::facts::Facts;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::ingest::forget::Forgotten;
use crate::engine::map::deletions::{Deletions, Until};
use crate::error::Error;

/// The input of [`forget`], for one or more buckets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgettable<'a> {
    /// All rows of each bucket.
    pub rows: &'a [RecordBatch],
    /// The links of the buckets, as [`settle_links`](super::links::settle_links) returned them.
    pub links: &'a [RecordBatch],
    /// All deletion requests of the input.
    pub deletions: &'a [RecordBatch],
}

/// Returns the same rows in the same order; those covered by a deletion request get the fate
/// `forgotten`. A request covers the events with its user id, and events without a user id whose
/// anonymous id was connected to that user id at their time.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn forget(job: &Job, given: Forgettable<'_>) -> Result<Vec<RecordBatch>, ExchangeError> {
    let batches = rows_of(job, given.rows)?;
    let mut loading = Loader::new(job, load::Facts::OfKept);
    for batch in &batches {
        loading.add(&EventRows::new(batch))?;
    }
    let loaded = loading.finish();
    let (mut ids, mut facts) = (loaded.ids, loaded.facts);
    add_links(job, given.links, &mut ids, &mut facts)?;
    let (ids, facts) = (AllIds::Memory(ids), Facts::Memory(facts));
    let deletions = deletions_of(job, given.deletions)?;
    let forgotten = Forgotten::new(&deletions, &ids, &facts).map_err(Error::Spill)?;
    let fates = |batch: &RecordBatch| -> Result<Vec<EventFate>, ExchangeError> {
        let rows = EventRows::new(batch);
        let fate = |row: Result<_, ExchangeError>| {
            let row: crate::engine::exchange::event_row::EventRow<'_> = row?;
            let user = row.user().and_then(|user| ids.find(Space::User, user));
            let visitor = row.visitor().and_then(|id| ids.find(Space::Anonymous, id));
            let is_covered =
                row.fate == EventFate::Kept && forgotten.covers(user, visitor, row.key.time);
            Ok(if is_covered { EventFate::Forgotten } else { row.fate })
        };
        rows.iter().map(fate).collect()
    };
    batches.iter().map(|batch| with_fates(batch, &fates(batch)?)).collect()
}

/// Removes from `facts` the ties of user ids that `deletions` cover. The row of such a tie can
/// remain: it is an alias of somebody else, from the deleted user id to another id.
pub(super) fn take_back(
    job: &Job,
    deletions: &[RecordBatch],
    ids: &Ids,
    facts: &mut Vec<Fact>,
) -> Result<(), ExchangeError> {
    let deletions = deletions_of(job, deletions)?;
    let until_of: AHashMap<NodeId, Until> = deletions
        .iter()
        .filter_map(|(user, until)| Some((ids.find(Space::User, user)?, until)))
        .collect();
    facts.retain(|fact| {
        !until_of.get(&fact.source).is_some_and(|until| until.covers(fact.key.time))
    });
    Ok(())
}

/// Reads deletion requests.
fn deletions_of(job: &Job, batches: &[RecordBatch]) -> Result<Deletions, ExchangeError> {
    let mut all = Deletions::default();
    for batch in batches {
        deletions::each(batch, job.fingerprint, |user, until| all.add(user, until))?;
    }
    Ok(all)
}
