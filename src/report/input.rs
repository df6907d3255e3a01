//! The inputs of a job, and what is wrong with them.

use ahash::AHashMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::printable;
use crate::source::{self, FileId, Reader};

/// One input.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Input {
    /// Its name.
    pub path: String,
    /// Its size as it is stored; `null` where that is not known.
    pub bytes: Option<u64>,
    /// Its records.
    pub records: u64,
}

impl Input {
    /// All that `reader` has read, in order, each with its number of records.
    pub fn all(reader: &Reader, records: &AHashMap<FileId, u64>) -> Vec<Self> {
        let input = |(file, input): (FileId, source::Input)| Self {
            path: input.display,
            bytes: input.size,
            records: records.get(&file).copied().unwrap_or(0),
        };
        reader.files().into_iter().map(input).collect()
    }
}

/// Something that is wrong with an input.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Fault {
    /// The input.
    pub path: String,
    /// Bytes of it that are good, as it is stored.
    pub offset: Option<u64>,
    /// What is wrong.
    pub message: String,
}

impl Fault {
    /// All that `reader` has come upon.
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
