//! JSON values within their text: views without copies, the canonical form, and explanations of why
//! a text is not JSON.

pub mod canonical;
pub(crate) mod diagnose;
pub mod document;
pub(crate) mod raw;
mod value;

pub use value::*;

/// The maximum nesting depth of a JSON value.
pub const MAX_DEPTH: usize = 128;
