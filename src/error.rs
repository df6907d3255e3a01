//! The errors that end a job.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::printable;
use crate::emit::staging::StagingError;
use crate::source::{DiscoverError, Fault, SpoolError, did_you_mean, nearby};

/// Why a command ended before it was done. Texts name the place and what to do; none holds a value
/// of the data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments do not go together.
    #[error("{0}")]
    Usage(String),
    /// An argument names nothing to read.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// A text that the user wrote is wrong.
    #[error("{count} {} in {name}\n{}", if *.count == 1 { "error" } else { "errors" }, .rendered.trim_end(), name = printable(.name))]
    Diagnostics {
        /// The file, or the flag that holds the text.
        name: String,
        /// The line and the column, in characters, of the first error, both from 1.
        first: (usize, usize),
        /// How many errors it has.
        count: usize,
        /// Each of them with its place; see [`crate::diagnostic::render`].
        rendered: String,
    },
    /// A file that a flag names cannot be read.
    #[error("{}: cannot read: {source}{}", .path.display(), did_you_mean(.nearby.as_deref()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
        /// What was likely meant, where there is no such file.
        nearby: Option<PathBuf>,
    },
    /// A file that a flag names is no text.
    #[error("{}:{line}:{column}: not UTF-8; save the file as UTF-8", .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line of the first byte that is at fault, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
    },
    /// An input is at fault, and the run is strict.
    #[error("{0} (--strict stops here)")]
    Fault(#[from] Fault),
    /// Inputs cannot be read, and no other has an event.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nbacktrail: error: "))]
    Unread(Vec<Fault>),
    /// No input has an event.
    #[error("no event in the input ({why}); use --allow-empty if that is expected{places}")]
    Empty {
        /// What there is instead.
        why: String,
        /// Lines that tell where to look.
        places: String,
    },
    /// What does not fit into memory cannot be kept.
    #[error(
        "cannot use a temporary file: {0}; free some space, raise --memory, or name a larger disk: by -o \
         where a run writes to a folder, else by TMPDIR"
    )]
    Spill(io::Error),
    /// An input that is read twice cannot be kept.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// An output cannot be written.
    #[error(transparent)]
    Output(#[from] StagingError),
    /// A stream cannot be written, or a file whose error names its path.
    #[error("cannot write: {0}")]
    Write(io::Error),
    /// Whoever read the stream has gone.
    #[error("the reader of the output has gone")]
    ClosedPipe,
    /// Threads or signal handlers cannot be set up.
    #[error("{0}")]
    Setup(String),
    /// Somebody stopped the run before it wrote anything.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// Somebody stopped the run while it wrote to a stream.
    #[error("interrupted; what was streamed is not the whole table")]
    CutShort,
}

/// 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

impl Error {
    /// That no input has an event, but what `why` says, first of all at these places.
    pub fn empty(why: impl Into<String>, places: &[String]) -> Self {
        let places = places.iter().flat_map(|place| ["\n  ", place]).collect();
        Self::Empty { why: why.into(), places }
    }

    /// That a file which a flag names cannot be read.
    pub fn unreadable(path: &Path, source: io::Error) -> Self {
        let is_missing = source.kind() == io::ErrorKind::NotFound;
        let nearby = is_missing.then(|| nearby(path)).flatten();
        Self::Unreadable { path: path.to_owned(), source, nearby }
    }

    /// An error of writing an output.
    pub fn from_output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Write(error),
        }
    }

    /// The exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ClosedPipe => 0,
            Self::Interrupted | Self::CutShort => INTERRUPTED,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_success_and_any_other_write_error_is_not() {
        let code = |kind: io::ErrorKind| Error::from_output(kind.into()).exit_code();
        assert_eq!(code(io::ErrorKind::BrokenPipe), 0);
        assert_eq!(code(io::ErrorKind::StorageFull), 2);
    }

    #[test]
    fn the_errors_of_a_text_are_counted_above_their_places() {
        let (name, rendered) = ("a.toml".to_owned(), "a.toml:1:1: error: b\n".to_owned());
        let error = Error::Diagnostics { name, first: (1, 1), count: 1, rendered };
        assert_eq!(error.to_string(), "1 error in a.toml\na.toml:1:1: error: b");
        assert_eq!(error.exit_code(), 2);
    }
}
