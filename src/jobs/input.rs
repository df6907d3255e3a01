//! What every job does with its inputs: it reads them on a pool of threads, until it is stopped.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::emit::overlap::ReadFile;
use crate::engine::Engine;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::source::{Discovery, OnFault, Options, Reader};

/// The largest part of the memory that is for what is read ahead, and the most of it in bytes.
const AHEAD_PART: usize = 8;
const MOST_AHEAD: usize = 256 << 20;

/// Of so much memory, the parts for what is read ahead of `inputs` in object stores and for the
/// rest, in bytes.
pub fn shares(inputs: &Discovery, memory_bytes: usize) -> (u64, usize) {
    if inputs.inputs.iter().all(|input| input.object.is_none()) {
        return (0, memory_bytes);
    }
    let ahead = (memory_bytes / AHEAD_PART).min(MOST_AHEAD);
    (ahead as u64, memory_bytes - ahead)
}

/// All files that a job reads.
pub fn reads(inputs: &Discovery, own_files: &[ReadFile]) -> impl Iterator<Item = ReadFile> {
    let files = inputs.inputs.iter().filter(|input| input.object.is_none());
    let inputs = files.map(|input| ReadFile::input(input.path.clone()));
    inputs.chain(own_files.iter().cloned())
}

/// A reader of `inputs` for `engine` that reads objects so many bytes ahead.
pub fn reader(
    inputs: Discovery,
    engine: &Engine,
    on_fault: OnFault,
    ahead_bytes: u64,
    watch: &dyn Watch,
) -> Reader {
    let options = Options {
        max_record_bytes: usize::try_from(engine.max_record_bytes).unwrap_or(usize::MAX),
        on_fault,
        stop: watch.stop_flag(),
        ahead_bytes,
        ..Options::default()
    };
    Reader::new(inputs, options)
}

/// A pool of so many threads.
pub fn pool(threads: usize) -> Result<ThreadPool, Error> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Setup(format!("cannot start {threads} threads: {error}")))
}

/// An error once the job has been told to stop.
pub fn go_on(watch: &dyn Watch) -> Result<(), Error> {
    if watch.stopped() { Err(Error::Interrupted) } else { Ok(()) }
}
