//! The first phase: reads blocks of all inputs, maps them to batches and commits these.

pub mod blocks;
pub mod commit;
mod epochs;
pub(in crate::engine) mod forget;
pub mod profile;

use std::sync::{Arc, Mutex, PoisonError};

use ahash::RandomState;
use rayon::ThreadPool;

use super::Engine;
use super::map::Mapper;
use super::watch::Watch;
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::exchange::store::StoredBatch;
use crate::engine::ingest::blocks::each_block;
use crate::engine::ingest::commit::{Committed, Committer, expected_events};
use crate::engine::map::batch::Place;
use crate::engine::map::counters::Counters;
use crate::engine::map::names::Names;
use crate::engine::map::unused_email::Addresses;
use crate::error::Error;
use crate::source::Reader;

/// The inverse of the share of table memory for unused addresses.
const ADDRESSES_SHARE: usize = 16;

/// The results of the first phase.
pub struct Ingested {
    /// The ids, facts and rows.
    pub committed: Committed,
    /// The sums over all events.
    pub counters: Counters,
    /// Addresses in signals that no rule maps, except those in `counters`.
    pub addresses: Addresses,
}

/// Reads and maps everything that `reader` returns, on all threads of `pool`. What does not fit
/// into memory is stored as `scratch` says.
///
/// # Errors
/// Returns an error if the job was cancelled, or if rows or keys cannot be spilled; if the reader
/// is strict, returns the first fault of an input.
pub fn ingest(
    engine: &Engine,
    reader: &Reader,
    pool: &ThreadPool,
    scratch: Scratch,
    watch: &dyn Watch,
) -> Result<Ingested, Error> {
    let hasher = RandomState::new();
    let spill = Arc::new(Spill::new(scratch.dir.clone(), scratch.row_bytes));
    let expected = expected_events(reader.total_bytes());
    let threads = pool.current_num_threads();
    let addresses = Addresses::new(scratch.dir.clone(), scratch.table_bytes / ADDRESSES_SHARE);
    let addresses = Mutex::new(addresses);
    let shared = Committer::new(hasher.clone(), Arc::clone(&spill), scratch, expected, threads);
    let many_names = Mutex::new(Names::default());
    let start = || (engine.parser(), Mapper::new(engine, hasher.clone()));
    let workers = each_block(reader, pool, watch, start, |(parser, mapper), block| {
        mapper.begin(Place { file: block.file, block: block.number });
        let lines = parser.read_block(block, mapper);
        let records = mapper.end(lines);
        if let Some(names) = mapper.take_many_names() {
            *many_names.lock().unwrap_or_else(PoisonError::into_inner) += names;
        }
        mapper.unused_emails().hand_over_many(&addresses).map_err(Error::Spill)?;
        let stored = StoredBatch::new(&mapper.batch, Some(&mapper.batch.ids), &spill)
            .map_err(Error::Spill)?;
        shared.commit(&mapper.batch, stored).map_err(Error::Spill)?;
        Ok(records)
    })?;
    let names = many_names.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut counters = Counters { names, ..Counters::default() };
    for (_, mapper) in workers {
        counters += mapper.into_counters();
    }
    let committed = shared.finish(&counters.deletions, pool, watch)?;
    let addresses = addresses.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Ingested { committed, counters, addresses })
}
