//! The second phase: finds the owner of each row, folds rows into leads, and counts.
//!
//! [`resolve`] is the only entry point. Whatever else a job does with each row is a [`Visit`].

pub mod cold_time;
pub mod count;
pub mod fold;
pub mod history;
pub mod known;
pub mod lead_rows;
pub mod owner;
pub mod row;
pub mod sums;
pub mod tally;
pub mod visit;

use std::sync::{Mutex, PoisonError};

use rayon::ThreadPool;

use crate::engine::Engine;
use crate::engine::exchange::spill::Scratch;
use crate::engine::exchange::store::{Dropped, Segment, SegmentView, Store};
use crate::engine::identity::Identities;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::facts::Facts;
use crate::engine::identity::timeline::Room;
use crate::engine::lead::{Flush, LeadStore, Ranking, Terms};
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::Ledger;
use crate::engine::watch::Watch;
use crate::error::Error;
use count::Count;
use fold::{Fold, GroupNames};
use owner::{ExcludedRows, OwnerFinder};
use sums::rule_terms;
use tally::{Tally, count_contenders};
use visit::Visit;

/// The context of a resolution.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The rules and options.
    pub engine: &'a Engine,
    /// All ids of the input.
    pub ids: &'a AllIds,
    /// The usage of the plan.
    pub ledger: &'a Ledger,
    /// The numbers of all event names.
    pub names: &'a EventNames<'a>,
    /// The threads.
    pub pool: &'a ThreadPool,
    /// The observer, which can cancel the resolution.
    pub watch: &'a dyn Watch,
}

/// The input of a resolution.
pub struct Input<'a> {
    /// The facts of all events that are neither duplicates nor dropped.
    pub facts: Facts,
    /// The rows.
    pub store: &'a Store,
    /// The disk space for leads that do not fit into memory.
    pub scratch: &'a Scratch,
    /// Rows that are treated as duplicates, in addition to those found.
    pub dropped: Option<&'a Dropped>,
}

/// The results of a resolution.
pub struct Resolved<'a, V> {
    /// The counts.
    pub tally: Tally,
    /// The leads, by rank.
    pub leads: Ranking<'a>,
    /// The latest name of each group.
    pub groups: GroupNames,
    /// The timelines of the ids, and which e-mails are merged.
    pub identities: Identities,
    /// The visitors, one per thread.
    pub visitors: Vec<V>,
}

/// Resolves all rows of `input` on the threads of the pool. Each thread has its own visitor,
/// created by `start`. After each segment, `end` is called with the visitor, and `write` is called
/// with the results of `end` in input order.
///
/// # Errors
/// Returns an error if the job was cancelled, if spilled data cannot be read or leads cannot be
/// spilled, or returns the first error of `end` or `write`.
pub fn resolve<'a, V: Visit + Send, T: Send>(
    stage: Stage<'a>,
    input: Input<'_>,
    start: impl Fn() -> V + Sync,
    end: impl Fn(&mut V, usize, &SegmentView<'_>) -> Result<T, Error> + Sync,
    write: impl FnMut(T) -> Result<(), Error> + Send,
) -> Result<Resolved<'a, V>, Error> {
    let Stage { engine, ids, ledger, names, pool, watch } = stage;
    let Input { facts, store, scratch, dropped } = input;
    let identity = &engine.rules.identity;
    let identities = pool.install(|| Identities::new(facts, ids, identity, Room::of(scratch)));
    let identities = identities.map_err(Error::Spill)?;
    let finder = OwnerFinder::new(engine, ids, &identities, ledger).map_err(Error::Spill)?;
    let taken = ids.bytes() + identities.timelines.bytes();
    let leads = LeadStore::new(ids, &scratch.beside(taken), pool);
    let groups = Mutex::default();
    let start = || {
        let count = Count::new(engine, ledger, names.counted());
        let fold = Fold { ids, ledger, names, leads: leads.sink(), groups: &groups };
        (count, fold, start())
    };
    let work = |visitors: &mut (Count<'_>, Fold<'_>, V), number: usize, view: &SegmentView<'_>| {
        let Segment { dead, forgotten, .. } = &store.segments()[number];
        match dropped {
            Some(dropped) => {
                let dead = &dropped.with(number, dead);
                finder.segment(ExcludedRows { dead, forgotten }, view, visitors);
            }
            None => finder.segment(ExcludedRows { dead, forgotten }, view, visitors),
        }
        visitors.1.leads.flush(Flush::WhenMany).map_err(Error::Spill)?;
        ids.check().and_then(|()| identities.timelines.check()).map_err(Error::Spill)?;
        end(&mut visitors.2, number, view)
    };
    let workers = store.each(pool, watch, start, work, write)?;
    let mut tally = Tally::default();
    let mut visitors = Vec::with_capacity(workers.len());
    for (count, mut fold, visitor) in workers {
        fold.leads.flush(Flush::Always).map_err(Error::Spill)?;
        tally += count.tally;
        visitors.push(visitor);
    }
    count_contenders(&mut tally, ledger, &leads).map_err(Error::Spill)?;
    let terms = Terms { rules: rule_terms(engine), events: names.as_slice() };
    let leads = leads.rank(terms, ids, pool).map_err(Error::Spill)?;
    let groups = groups.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Resolved { tally, leads, groups, identities, visitors })
}
