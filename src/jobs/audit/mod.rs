//! What a filter does to past events, with and without it, side by side.
//!
//! Each event is parsed and mapped once. Two [scenarios](scenario) keep what passes *before* and
//! *after* the filter, and are resolved by the same engine as a run: so the figures before are
//! those of a run without the filter, and the figures after are those of a run with it.

pub mod bots;
pub mod contributions;
pub mod event_counts;
pub mod field_loss;
pub mod finding;
pub mod fit;
pub mod html;
pub mod ingest;
mod job;
pub mod judge;
pub mod lead_lines;
pub mod line_set;
pub mod origins;
mod redact;
pub mod report;
pub mod scenario;
pub mod signal_sums;
pub mod source_line;
pub mod summary;
pub mod survey;
pub mod text;

pub use job::{Format, Job, Outcome, audit};

/// One of the two scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Without the filter, or with the filter that it is compared with.
    Before,
    /// With the filter.
    After,
}

impl Side {
    /// Both sides.
    pub const BOTH: [Self; 2] = [Self::Before, Self::After];

    /// Returns the bit of this side in a set of sides.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}
