//! Faults: inputs that could not be read completely.

use std::fmt;

use super::block::FileId;
use crate::diagnostic::printable;

/// An error while reading one input, or while listing a folder.
///
/// Everything that was read before the fault is processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file; `None` for a folder that could not be listed.
    pub file: Option<FileId>,
    /// The name in messages; `-` is standard input.
    pub display: String,
    /// The offset in the stored file, in bytes; `None` if it could not be opened.
    pub offset: Option<u64>,
    /// The number of bytes that were decompressed before the fault; `None` for plain files.
    pub decoded: Option<u64>,
    /// The cause. Contains no content of the file.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.display))?;
        if let Some(offset) = self.offset {
            write!(f, ": at byte {offset}")?;
        }
        write!(f, ": {}", printable(&self.message))?;
        match self.decoded {
            Some(decoded) => write!(f, " (after {decoded} decompressed bytes)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
