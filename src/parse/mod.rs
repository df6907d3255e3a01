//! Blocks of lines to JSON records: what kind of record each is, and why one is refused.

pub mod json;
