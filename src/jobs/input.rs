//! What every job does with its inputs: it reads them on a pool of threads, until it is stopped.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::emit::overlap::ReadFile;
use crate::engine::Engine;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::source::{Discovery, OnFault, Options, Reader};

/// All that a job reads.
pub fn reads(inputs: &Discovery, own_files: &[ReadFile]) -> impl Iterator<Item = ReadFile> {
    let inputs = inputs.inputs.iter().map(|input| ReadFile::input(input.path.clone()));
    inputs.chain(own_files.iter().cloned())
}

/// A reader of `inputs` for `engine`.
pub fn reader(inputs: Discovery, engine: &Engine, on_fault: OnFault, watch: &dyn Watch) -> Reader {
    let options = Options {
        max_record_bytes: usize::try_from(engine.max_record_bytes).unwrap_or(usize::MAX),
        on_fault,
        stop: watch.stop_flag(),
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
