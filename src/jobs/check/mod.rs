//! Fixtures checked against a tracking plan and mapping rules, and what is found, in plain values that
//! any report can be made of.
//!
//! [`examine`] holds each event against both, and [`locate`] finds in the text what is wrong there;
//! [`rule`] and [`coverage`] look at the rules and the plan themselves, [`snapshot`] at what a run
//! makes of the fixtures. [`verdict`] puts it together, [`baseline`] takes out what is known, and
//! [`report`] shows the rest.

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
