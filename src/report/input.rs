//! The inputs of a job, and what is wrong with them.

use ahash::AHashMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::printable;
use crate::source::{self, FileId, Reader};

/// An input of a job.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Input {
    /// The name of the input.
    pub path: String,
    /// The stored size in bytes; `null` if it is not known.
    pub bytes: Option<u64>,
    /// The number of records in the input.
    pub records: u64,
}

impl Input {
    /// Returns everything that `reader` has read, in order, with the number of records of each
    /// input.
    pub fn all(reader: &Reader, records: &AHashMap<FileId, u64>) -> Vec<Self> {
        let input = |(file, input): (FileId, source::Input)| Self {
            path: input.display,
            bytes: input.size,
            records: records.get(&file).copied().unwrap_or(0),
        };
        reader.files().iter().map(input).collect()
    }
}

/// A fault of an input.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Fault {
    /// The name of the input.
    pub path: String,
    /// The number of good bytes before the fault, as stored.
    pub offset: Option<u64>,
    /// What is wrong.
    pub message: String,
}

impl Fault {
    /// Returns all faults that `reader` has found.
    pub fn all(reader: &Reader) -> Vec<Self> {
        let fault = |fault: source::Fault| Self {
            path: fault.display,
            offset: fault.offset,
            message: fault.message,
        };
        reader.faults().into_iter().map(fault).collect()
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", printable(&self.path))?;
        if let Some(offset) = self.offset {
            write!(f, " byte {offset}:")?;
        }
        write!(f, " {}", printable(&self.message))
    }
}
