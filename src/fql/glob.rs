//! Glob patterns as FQL's `match` has them.

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GlobError {
    /// Byte offset into the pattern, from 0.
    pub offset: usize,
    /// What is wrong.
    pub message: &'static str,
}

impl Glob {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// Where and why it is malformed.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        let _ = pattern;
        Ok(Self {})
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let _ = text;
        false
    }
}
