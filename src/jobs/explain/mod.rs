//! Why one lead, one visitor or one signal came out as it did.
//!
//! The input is read twice. `learn` notes which ids are tied to which, as hashes that wait in
//! memory or on disk, and `closure` follows these links from the subject to everything that its
//! results can depend on: the ids that lead to its e-mails, and all that these ids lead to.
//! `gather` then takes the events of the closure alone through the same stages as a run, so that
//! owners, scores and traits are those of a run over the whole input. `resolve` finds the owners,
//! `compose` selects what concerns the subject for the `report`, and `text` lays it out. What the
//! plan would have lost is decided by the volume of the whole input (`limit`).
//!
//! Apart from some 32 bytes a block for line numbers, memory grows with the closure, not with the
//! input.

mod closure;
mod cold;
mod compose;
mod events;
mod gather;
mod inspect;
mod job;
mod lead;
mod learn;
mod limit;
mod link;
mod nearest;
mod redact;
pub mod report;
mod resolve;
mod rule;
pub mod subject;
pub mod text;

pub use job::{Format, Job, Outcome, explain};
