//! Positions of parts of a plan.

use super::pointer;

/// The position of a part of a plan: a file, a value in it, and a path inside the value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The index of the file, starting at 0.
    pub file: usize,
    /// The index of the value in the file, starting at 0.
    pub value: usize,
    /// The JSON pointer inside the value.
    pub pointer: String,
}

impl Origin {
    pub(super) fn member(&self, name: &str) -> Self {
        Self { pointer: pointer::join(&self.pointer, name), ..*self }
    }

    pub(super) fn item(&self, index: usize) -> Self {
        Self { pointer: format!("{}/{index}", self.pointer), ..*self }
    }
}
