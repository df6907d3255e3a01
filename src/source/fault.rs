//! Inputs that could not be read to their end.

use std::fmt;

use super::block::FileId;
use crate::diagnostic::printable;

/// One input, or a folder on the way to one, that could not be read or not to its end.
///
/// What was read before it counts all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which file; `None` of a folder that could not be listed.
    pub file: Option<FileId>,
    /// The path as the user would write it; `-` is standard input.
    pub display: String,
    /// Where in the file as it is stored, in bytes from 0; `None` when it could not be opened.
    pub offset: Option<u64>,
    /// How many bytes came out of the decompressor before it; `None` of plain files.
    pub decoded: Option<u64>,
    /// What went wrong. Never holds anything of the file's content.
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
