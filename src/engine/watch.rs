//! Progress reports of a job, and the flag that cancels it.

use std::sync::atomic::AtomicBool;

/// The progress of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read, in stored (compressed) form.
    pub bytes_read: u64,
    /// Total bytes to read, in stored form; `None` if not known.
    pub total_bytes: Option<u64>,
    /// Records read.
    pub records: u64,
}

/// The phases of a job, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Inputs are read.
    Reading,
    /// Owners of signals are found, and results are counted.
    Resolving,
    /// Outputs are written.
    Writing,
}

impl Phase {
    /// Returns the name shown to users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Resolving => "resolving",
            Self::Writing => "writing",
        }
    }
}

/// An observer of a job, which can also cancel it.
pub trait Watch: Sync {
    /// Called repeatedly as input is read, from any thread.
    fn advance(&self, progress: Progress);

    /// Called when a phase begins; the first one is [`Phase::Reading`].
    fn enter(&self, _: Phase) {}

    /// Returns whether the job should be cancelled.
    fn stopped(&self) -> bool;

    /// Returns the flag behind [`Watch::stopped`], for readers that block on input and have to poll
    /// it.
    fn stop_flag(&self) -> Option<&'static AtomicBool> {
        None
    }
}

/// A [`Watch`] that ignores progress and never cancels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn advance(&self, _: Progress) {}

    fn stopped(&self) -> bool {
        false
    }
}
