//! Progress of a job, and the flag that stops it.

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

/// What a command does, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Inputs are read.
    Reading,
    /// Owners of signals are found, and what is asked is counted.
    Resolving,
    /// Outputs are written.
    Writing,
}

impl Phase {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Resolving => "resolving",
            Self::Writing => "writing",
        }
    }
}

/// Someone who follows a run.
pub trait Watch: Sync {
    /// Called now and then, from any thread.
    fn advance(&self, progress: Progress);

    /// Called when a phase begins; the first one is [`Phase::Reading`].
    fn enter(&self, _: Phase) {}

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
