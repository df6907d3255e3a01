//! The signal queue: events by name, with their number, visitors and fields, and a suggested rules
//! file.
//!
//! [`ingest`] maps every event like a run and examines payloads if requested; [`count`] reads the
//! rows once more, when the identity of each visitor is known. Memory grows with the input as in a
//! run; names, paths and examples are bounded, and distinct visitors and values are counted in
//! sketches.

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
