//! Where parts of a plan stand.

use super::pointer;

/// Where a part of a plan stands: a file, a value of it, and the way inside that.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Which of the files of the plan, from 0.
    pub file: usize,
    /// Which of the values of the file, from 0.
    pub value: usize,
    /// JSON pointer in that value.
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
