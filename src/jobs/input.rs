//! Shared handling of inputs: all jobs read them on a pool of threads, until they are interrupted.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::emit::overlap::ReadFile;
use crate::engine::Engine;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::source::{Discovery, OnFault, Options, Reader};

/// The divisor of the memory that gives the part for reading ahead, and the maximum of that part in
/// bytes.
const AHEAD_PART: usize = 8;
const MOST_AHEAD: usize = 256 << 20;

/// Divides `memory_bytes` into the part for reading ahead from object stores, if any of `inputs` is
/// in one, and the rest, in bytes.
pub fn shares(inputs: &Discovery, memory_bytes: usize) -> (u64, usize) {
    if !inputs.inputs.has_objects() {
        return (0, memory_bytes);
    }
    let ahead = (memory_bytes / AHEAD_PART).min(MOST_AHEAD);
    (ahead as u64, memory_bytes - ahead)
}

/// Iterates over all files and objects that a job reads.
pub fn reads(inputs: &Discovery, own_files: &[ReadFile]) -> impl Iterator<Item = ReadFile> {
    let inputs = inputs.inputs.iter().map(|input| match &input.object {
        Some(_) => ReadFile::object(input.display.as_str()),
        None => ReadFile::input(input.path),
    });
    inputs.chain(own_files.iter().cloned())
}

/// Creates a reader of `inputs` with the settings of `engine`, which reads objects up to
/// `prefetch_bytes` ahead.
pub fn reader(
    inputs: Discovery,
    engine: &Engine,
    on_fault: OnFault,
    prefetch_bytes: u64,
    watch: &dyn Watch,
) -> Reader {
    let options = Options {
        max_record_bytes: usize::try_from(engine.max_record_bytes).unwrap_or(usize::MAX),
        on_fault,
        stop: watch.stop_flag(),
        prefetch_bytes,
        ..Options::default()
    };
    Reader::new(inputs, options)
}

/// Creates a pool of `threads` threads.
pub fn pool(threads: usize) -> Result<ThreadPool, Error> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Setup(format!("cannot start {threads} threads: {error}")))
}

/// Returns an error if the job has been interrupted.
pub fn go_on(watch: &dyn Watch) -> Result<(), Error> {
    if watch.stopped() { Err(Error::Interrupted) } else { Ok(()) }
}
