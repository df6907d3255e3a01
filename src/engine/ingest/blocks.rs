//! Distributes the blocks of the input to the threads of a pool.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::ThreadPool;

use crate::engine::watch::{Progress, Watch};
use crate::error::Error;
use crate::source::{Block, Reader};

/// Passes each block of `reader` to a worker. `start` creates one worker for each thread, and
/// `step` lets it process a block and returns the number of records in it. The assignment of blocks
/// to workers is not deterministic. Returns the workers.
///
/// # Errors
/// Returns an error if the job was cancelled; otherwise, returns the first error of a worker or, if
/// the reader is strict, the first fault of an input.
pub fn each_block<W: Send>(
    reader: &Reader,
    pool: &ThreadPool,
    watch: &dyn Watch,
    start: impl Fn() -> W + Sync,
    step: impl Fn(&mut W, &Block) -> Result<u64, Error> + Sync,
) -> Result<Vec<W>, Error> {
    let failed = AtomicBool::new(false);
    let all_records = AtomicU64::new(0);
    let work = || {
        let mut worker = start();
        let mut block = Block::default();
        while !failed.load(Ordering::Relaxed) && reader.next(&mut block)? {
            if watch.stopped() {
                return Err(Error::Interrupted);
            }
            let records = step(&mut worker, &block)?;
            let records = all_records.fetch_add(records, Ordering::Relaxed) + records;
            let (bytes_read, total_bytes) = (reader.bytes_read(), reader.total_bytes());
            watch.advance(Progress { bytes_read, total_bytes, records });
        }
        Ok(worker)
    };
    let results = pool.broadcast(|_| {
        let result = work();
        if result.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        result
    });
    results.into_iter().collect()
}
