//! What `check` finds in fixtures, in plain values that any report can be made of.

pub mod baseline;
pub mod finding;
pub mod fingerprint;
pub mod report;
pub mod repository;
mod violation;
