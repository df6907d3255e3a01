//! What waits between the two phases: rows and rejects, in memory up to a budget and on disk past
//! it, and work in parallel whose results come in order.

pub mod bytes;
pub mod merge;
pub mod ordered;
pub mod rejects;
pub mod row;
pub mod sequence;
pub mod spill;
pub mod store;
