//! Explains the results for one lead, one visitor or one signal.
//!
//! The input is read twice. `learn` collects which ids are tied to which, as hashes in memory or on
//! disk, and `closure` follows these links from the subject to everything that its results can
//! depend on: the ids that resolve to its e-mails, and everything that these ids are tied to.
//! `gather` then passes only the events of the closure through the stages of a run, so that owners,
//! scores and traits are the same as in a run over the whole input. `resolve` finds the owners,
//! `compose` selects what concerns the subject for the `report`, and `text` lays it out.
//! Which signals the plan would have lost is decided by the volume of the whole input (`limit`).
//!
//! Apart from about 32 bytes per block for line numbers, memory grows with the closure, not with
//! the input.

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
