//! The first phase: blocks in from every file, batches committed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ahash::RandomState;
use rayon::ThreadPool;

use super::Engine;
use super::batch::Place;
use super::commit::{Committer, Kept};
use super::counters::Counters;
use super::map::Mapper;
use super::spill::{Scratch, Spill};
use super::watch::{Progress, Watch};
use crate::error::Error;
use crate::source::Block;
use crate::source::Reader;

/// What the input came to.
pub struct Ingested {
    /// Ids, facts and rows, settled.
    pub committed: Committer,
    /// The sums over all events.
    pub counters: Counters,
}

/// What all workers share.
struct Shared<'a> {
    engine: &'a Engine,
    reader: &'a Reader,
    hasher: RandomState,
    spill: Arc<Spill>,
    committer: Mutex<Committer>,
    failed: AtomicBool,
    records: AtomicU64,
    watch: &'a dyn Watch,
}

/// Reads all that `reader` gives, on every thread of `pool`. What does not fit into memory until
/// the second phase waits where `scratch` says.
///
/// # Errors
/// When the run was interrupted, when rows or keys cannot be spilled, or, if the reader is strict, at the
/// first fault of an input.
pub fn ingest(
    engine: &Engine,
    reader: &Reader,
    pool: &ThreadPool,
    scratch: Scratch,
    watch: &dyn Watch,
) -> Result<Ingested, Error> {
    let hasher = RandomState::new();
    let spill = Arc::new(Spill::new(scratch.dir.clone(), scratch.row_bytes));
    let shared = Shared {
        engine,
        reader,
        committer: Mutex::new(Committer::new(hasher.clone(), Arc::clone(&spill), scratch)),
        spill,
        hasher,
        failed: AtomicBool::new(false),
        records: AtomicU64::new(0),
        watch,
    };
    let results = pool.broadcast(|_| {
        let result = work(&shared);
        if result.is_err() {
            shared.failed.store(true, Ordering::Relaxed);
        }
        result
    });
    let mut counters = Counters::default();
    for result in results {
        counters += result?;
    }
    let mut committed = shared.committer.into_inner().unwrap_or_else(PoisonError::into_inner);
    committed.settle(pool, watch)?;
    Ok(Ingested { committed, counters })
}

fn work(shared: &Shared<'_>) -> Result<Counters, Error> {
    let engine = shared.engine;
    let mut parser = engine.parser();
    let mut mapper = Mapper::new(engine, shared.hasher.clone());
    let mut block = Block::default();
    while !shared.failed.load(Ordering::Relaxed) && shared.reader.next(&mut block)? {
        if shared.watch.stopped() {
            return Err(Error::Interrupted);
        }
        mapper.begin(Place { file: block.file.0, block: block.number });
        let lines = parser.read_block(&block, &mut mapper);
        let records = mapper.end(lines);
        // What can be done side by side is done before the others have to wait.
        let kept = Kept::new(&mapper.batch, &shared.spill).map_err(Error::Spill)?;
        let mut committer = shared.committer.lock().unwrap_or_else(PoisonError::into_inner);
        committer.commit(&mapper.batch, kept).map_err(Error::Spill)?;
        drop(committer);
        let records = shared.records.fetch_add(records, Ordering::Relaxed) + records;
        let (bytes_read, total_bytes) = (shared.reader.bytes_read(), shared.reader.total_bytes());
        shared.watch.advance(Progress { bytes_read, total_bytes, records });
    }
    Ok(mapper.into_counters())
}
