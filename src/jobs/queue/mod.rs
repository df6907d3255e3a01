//! The signal queue: events by name, with how many there are, whose they are and what they hold,
//! and a rules file to start from.
//!
//! [`ingest`] maps every event as a run does and looks at payloads where that is asked for;
//! [`count`] goes over the rows once more, now that is known who each visitor turned out to be.
//! What grows with the input is what grows in a run; names, paths and examples are bounded, and
//! different visitors and values are counted in sketches.

mod bounded;
pub mod count;
mod day;
mod distinct;
mod example;
mod fields;
pub mod ingest;
mod job;
mod profile;
mod redact;
pub mod report;
mod section;
mod spark;
pub mod suggest;
pub mod summary;
pub mod table;
mod tally;
pub mod text;

pub use job::{Ask, Format, Job, Outcome, Place, queue};
