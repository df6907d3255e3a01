//! The second phase: the owner of each row, what it adds to its lead, and what visitors make of it.
//!
//! [`resolve`] is the only way through it. It finds owners, folds leads and counts; what else
//! is to be done with each row is a [`Visit`].

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
use owner::{Absent, OwnerFinder};
use sums::rule_terms;
use tally::{Tally, settle_partial};
use visit::Visit;

/// Timelines of anonymous ids whose facts are on disk get such a part of the memory.
const TIMELINES_SHARE: usize = 4;

/// What a resolution works with.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The rules and all that stands beside them.
    pub engine: &'a Engine,
    /// Every id.
    pub ids: &'a AllIds,
    /// The plan, settled.
    pub ledger: &'a Ledger,
    /// The names of all events.
    pub names: &'a EventNames<'a>,
    /// The threads.
    pub pool: &'a ThreadPool,
    /// Who may end it.
    pub watch: &'a dyn Watch,
}

/// What is resolved.
pub struct Input<'a> {
    /// Every fact of an event that is neither a duplicate nor dropped.
    pub facts: Facts,
    /// The rows.
    pub store: &'a Store,
    /// Where leads may wait that do not fit into memory.
    pub scratch: &'a Scratch,
    /// Rows that count as if they were duplicates.
    pub dropped: Option<&'a Dropped>,
}

/// What the rows, all together, say.
pub struct Resolved<'a, V> {
    /// What was counted.
    pub tally: Tally,
    /// The leads, by rank.
    pub leads: Ranking<'a>,
    /// The latest name of each group.
    pub groups: GroupNames,
    /// What each id was tied to, and which e-mails are one person's.
    pub identities: Identities,
    /// The visitors, one for each thread.
    pub visitors: Vec<V>,
}

/// Resolves all rows of `input`, on every thread of the pool. Each thread has a visitor of its own,
/// made by `start`; `end` is called with it after each segment, and `write` with the results in
/// the order of the input.
///
/// # Errors
/// When it was interrupted, when what was spilled cannot be read or leads not be spilled, or the
/// first error of `end` or `write`.
pub fn resolve<'a, V: Visit + Send, T: Send>(
    stage: Stage<'a>,
    input: Input<'_>,
    start: impl Fn() -> V + Sync,
    end: impl Fn(&mut V, usize, &SegmentView<'_>) -> Result<T, Error> + Sync,
    write: impl FnMut(T) -> Result<(), Error> + Send,
) -> Result<Resolved<'a, V>, Error> {
    let Stage { engine, ids, ledger, names, pool, watch } = stage;
    let Input { facts, store, scratch, dropped } = input;
    let room = Room { bytes: scratch.table_bytes / TIMELINES_SHARE, dir: &scratch.dir };
    let identities = pool.install(|| Identities::new(facts, ids, &engine.rules.identity, room));
    let identities = identities.map_err(Error::Spill)?;
    let finder = OwnerFinder::new(engine, ids, &identities, ledger).map_err(Error::Spill)?;
    let taken = ids.bytes() + identities.timelines.bytes();
    let leads = LeadStore::new(ids, &scratch.beside(taken), pool.current_num_threads());
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
                finder.segment(Absent { dead, forgotten }, view, visitors);
            }
            None => finder.segment(Absent { dead, forgotten }, view, visitors),
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
    settle_partial(&mut tally, ledger, &leads).map_err(Error::Spill)?;
    let terms = Terms { rules: rule_terms(engine), events: names.as_slice() };
    let leads = leads.rank(terms, ids, pool).map_err(Error::Spill)?;
    let groups = groups.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Resolved { tally, leads, groups, identities, visitors })
}
