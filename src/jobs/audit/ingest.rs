//! The first phase of an audit: reads the blocks of every file, maps each once, and commits the
//! batches to both scenarios.

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
use crate::jobs::audit::scenario::{OpenScenario, Scenario};
use crate::source::Reader;

/// The result of the first phase.
pub struct Ingested {
    /// The scenarios before and after the filter.
    pub scenarios: [Scenario; 2],
    /// Counts of all events, whatever the filter does with them.
    pub counters: Counters,
    /// Further counts of the audit.
    pub counts: Counts,
    /// The sets of lines of the allow list that match the same page or screen calls.
    pub line_sets: LineSets,
}

/// The state that the workers share.
struct Shared {
    spill: Arc<Spill>,
    scenarios: [OpenScenario; 2],
}

/// Reads everything from `reader`, on all threads of `pool`. What does not fit into memory until
/// the second phase is spilled as `scratch` says.
///
/// # Errors
/// Returns an error if the audit was interrupted, if rows or keys cannot be spilled or, with a
/// strict reader, at the first fault of an input.
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
    // Each scenario has separate tables, and the facts of one may be needed twice.
    let scratch = Scratch { table_bytes: scratch.table_bytes / 3, ..scratch.clone() };
    let expected = expected_events(reader.total_bytes());
    let scenario = |_| {
        let (hasher, spill) = (hasher.clone(), Arc::clone(&spill));
        let threads = pool.current_num_threads();
        let committer = Committer::new(hasher, spill, scratch.clone(), expected, threads);
        OpenScenario::new(committer)
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
    let finish = |scenario: OpenScenario| scenario.finish(&counters.deletions, pool, watch);
    let [before, after] = shared.scenarios.map(finish);
    let scenarios = [before?, after?];
    let line_sets = line_sets.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Ingested { scenarios, counters, counts, line_sets })
}

/// Commits the part of the surveyor's batch that `side` sees to its scenario; `part` is a buffer.
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
    scenario: &OpenScenario,
) -> Result<(), Error> {
    let stored = StoredBatch::new(batch, None, &shared.spill).map_err(Error::Spill)?;
    let stored_origins =
        StoredOrigins::new(batch.place, rows, side, &shared.spill).map_err(Error::Spill)?;
    scenario.commit(batch, stored, stored_origins).map_err(Error::Spill)
}
