//! `backtrail run`: turns events into leads and signals.

mod job;
mod leads;
mod merged;
pub mod output;
pub mod page;
pub mod produce;
mod signals;
pub mod summary;

pub use job::{Destination, Job, MaxRejects, Outcome, run};
pub use merged::{Merged, merged_report};
pub use output::InMemory;
