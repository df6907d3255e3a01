//! The first phase of an audit: blocks in from every file, each mapped once, batches committed
//! to both scenarios.

use std::sync::{Arc, Mutex, PoisonError};

use ahash::RandomState;
use rayon::ThreadPool;

use super::Side;
use super::survey::{Counts, Filters, RowMark, Surveyor};
use crate::engine::Engine;
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::exchange::store::StoredBatch;
use crate::engine::ingest::blocks::each_block;
use crate::engine::ingest::commit::{Committer, expected_events};
use crate::engine::map::batch::{Batch, Place};
use crate::engine::map::counters::Counters;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::jobs::audit::line_set::LineSets;
use crate::jobs::audit::origins::StoredOrigins;
use crate::jobs::audit::scenario::{Gathering, Scenario};
use crate::source::Reader;

/// What the input came to.
pub struct Ingested {
    /// Before and after the filter.
    pub scenarios: [Scenario; 2],
    /// Sums over all events, whatever the filter does with them.
    pub counters: Counters,
    /// What an audit counts besides.
    pub counts: Counts,
    /// The sets of lines of the allow list that take the same pages or screens.
    pub line_sets: LineSets,
}

/// Where what the workers find comes together.
struct Shared {
    spill: Arc<Spill>,
    scenarios: [Mutex<Gathering>; 2],
}

/// Reads all that `reader` gives, on every thread of `pool`. What does not fit into memory until
/// the second phase waits where `scratch` says.
///
/// # Errors
/// When the audit was interrupted, when rows or keys cannot be spilled, or, if the reader is
/// strict, at the first fault of an input.
pub fn ingest(
    engine: &Engine,
    filters: &Filters,
    reader: &Reader,
    pool: &ThreadPool,
    scratch: &Scratch,
    watch: &dyn Watch,
) -> Result<Ingested, Error> {
    let hasher = RandomState::new();
    let spill = Arc::new(Spill::new(scratch.dir.clone(), scratch.row_bytes));
    // Either scenario has tables of its own.
    let scratch = Scratch { table_bytes: scratch.table_bytes / 2, ..scratch.clone() };
    let expected = expected_events(reader.total_bytes());
    let scenario = |_| {
        let (hasher, spill) = (hasher.clone(), Arc::clone(&spill));
        let committer = Committer::new(hasher, spill, scratch.clone(), expected);
        Mutex::new(Gathering::new(committer))
    };
    let shared = Shared { scenarios: Side::BOTH.map(scenario), spill };
    let lines = filters.after.allow.as_ref().map_or(0, |list| list.lines().len());
    let line_sets = Mutex::new(LineSets::new(lines));
    let start = || {
        let surveyor = Surveyor::new(engine, filters, &line_sets, hasher.clone());
        (engine.parser(), surveyor, Batch::new(hasher.clone()))
    };
    let workers = each_block(reader, pool, watch, start, |(parser, surveyor, part), block| {
        surveyor.begin(Place { file: block.file, block: block.number });
        let lines = parser.read_block(block, surveyor);
        let records = surveyor.mapper.end(lines);
        for side in Side::BOTH {
            commit(&shared, surveyor, side, part)?;
        }
        Ok(records)
    })?;
    let (mut counters, mut counts) = (Counters::default(), Counts::default());
    for (_, surveyor, _) in workers {
        let (own_counters, own_counts) = surveyor.into_counts();
        counters += own_counters;
        counts += own_counts;
    }
    let settle = |gathering: Mutex<Gathering>| {
        let gathering = gathering.into_inner().unwrap_or_else(PoisonError::into_inner);
        gathering.settle(&counters.deletions, pool, watch)
    };
    let [before, after] = shared.scenarios.map(settle);
    let scenarios = [before?, after?];
    let line_sets = line_sets.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Ingested { scenarios, counters, counts, line_sets })
}

/// Hands what `side` sees of the surveyor's batch to its scenario; `part` is a buffer for it.
fn commit(
    shared: &Shared,
    surveyor: &mut Surveyor<'_>,
    side: Side,
    part: &mut Batch,
) -> Result<(), Error> {
    let scenario = &shared.scenarios[side as usize];
    if surveyor.sees_all(side) {
        return hand_over(shared, &surveyor.mapper.batch, &surveyor.rows, side, scenario);
    }
    surveyor.select(side, part);
    std::mem::swap(&mut part.ids, &mut surveyor.mapper.batch.ids);
    let result = hand_over(shared, part, &surveyor.rows, side, scenario);
    std::mem::swap(&mut part.ids, &mut surveyor.mapper.batch.ids);
    result
}

fn hand_over(
    shared: &Shared,
    batch: &Batch,
    rows: &[RowMark],
    side: Side,
    scenario: &Mutex<Gathering>,
) -> Result<(), Error> {
    // What can be done side by side is done before the others have to wait.
    let stored = StoredBatch::new(batch, None, &shared.spill).map_err(Error::Spill)?;
    let stored_origins =
        StoredOrigins::new(batch.place, rows, side, &shared.spill).map_err(Error::Spill)?;
    let mut scenario = scenario.lock().unwrap_or_else(PoisonError::into_inner);
    scenario.commit(batch, stored, stored_origins).map_err(Error::Spill)
}
