//! What a run tells while it goes on, and how it is told to stop.

use std::sync::atomic::AtomicBool;

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read, as they are stored.
    pub bytes_read: u64,
    /// Bytes there are to read; `None` where that is not known.
    pub total_bytes: Option<u64>,
    /// Records read.
    pub records: u64,
}

/// Someone who follows a run.
pub trait Watch: Sync {
    /// Called now and then, from any thread.
    fn advance(&self, progress: Progress);

    /// Called once, when all is read and the outputs are about to be written.
    fn writing(&self) {}

    /// Whether the run is to end at once.
    fn stopped(&self) -> bool;

    /// The flag behind [`Watch::stopped`], for whoever waits for input that may never come.
    fn stop_flag(&self) -> Option<&'static AtomicBool> {
        None
    }
}

/// Nobody: a run that is not followed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn advance(&self, _: Progress) {}

    fn stopped(&self) -> bool {
        false
    }
}
