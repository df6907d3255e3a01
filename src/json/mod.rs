//! JSON values as they stand in a text: views without copies, their canonical form, and what is
//! wrong with a text that is no JSON.

pub mod canonical;
pub(crate) mod diagnose;
pub mod document;
pub(crate) mod raw;
mod value;

pub use value::*;

/// How deep a JSON value may be nested.
pub const MAX_DEPTH: usize = 128;
