//! `backtrail run`: events in, leads and signals out.

mod job;
pub mod output;
pub mod produce;
pub mod summary;

pub use job::{Destination, Job, MaxRejects, Outcome, run};
