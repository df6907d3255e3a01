//! Checks fixtures against a tracking plan and mapping rules, and returns findings as plain values
//! from which any report can be written.
//!
//! [`examine`] checks each event against both, and [`locate`] finds the place of a flaw in the
//! text; [`rule`] and [`coverage`] examine the rules and the plan themselves, and [`snapshot`]
//! compares the output of a run with stored tables. [`verdict`] combines the results, [`baseline`]
//! removes known findings, and [`report`] writes the rest.

pub mod baseline;
pub mod coverage;
pub mod examine;
pub mod finding;
pub mod fingerprint;
pub mod flaw;
mod job;
pub mod locate;
pub mod place;
pub mod planned;
pub mod report;
pub mod repository;
pub mod rule;
pub mod snapshot;
pub mod verdict;
mod violation;

pub use job::{Job, Known, Outcome, Snapshot, check};
