//! The errors that end a job.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::printable;
use crate::emit::staging::StagingError;
use crate::source::{DiscoverError, Fault, SpoolError, did_you_mean, similar_path};

/// The reason for which a command ended early. Messages name the place and what to do; none
/// contains a value from the data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments contradict each other.
    #[error("{0}")]
    Usage(String),
    /// An argument names no readable input.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// A text of the user is invalid.
    #[error("{count} {} in {name}\n{}", if *.count == 1 { "error" } else { "errors" }, .rendered.trim_end(), name = printable(.name))]
    Diagnostics {
        /// The file, or the flag that contains the text.
        name: String,
        /// The line and the column, in characters, of the first error, both from 1.
        first: (usize, usize),
        /// The number of errors.
        count: usize,
        /// The errors with their places; see [`crate::diagnostic::render`].
        rendered: String,
    },
    /// A file that a flag names cannot be read.
    #[error("{}: cannot read: {source}{}", .path.display(), did_you_mean(.similar.as_deref()))]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
        /// The path that was probably meant, if there is no such file.
        similar: Option<PathBuf>,
    },
    /// A file that a flag names is not UTF-8.
    #[error("{}:{line}:{column}: not UTF-8; save the file as UTF-8", .path.display())]
    NotUtf8 {
        /// The path of the file.
        path: PathBuf,
        /// The line of the first invalid byte, from 1.
        line: usize,
        /// The column of that byte in characters, from 1.
        column: usize,
    },
    /// An input has a fault, and the run is strict.
    #[error("{0} (--strict stops here)")]
    Fault(#[from] Fault),
    /// Inputs cannot be read, and no other input contains an event.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nbacktrail: error: "))]
    Unread(Vec<Fault>),
    /// No input contains an event.
    #[error("no event in the input ({why}); use --allow-empty if that is expected{places}")]
    Empty {
        /// What the input contains instead.
        why: String,
        /// Lines with the first places to look at.
        places: String,
    },
    /// Data that does not fit into memory cannot be spilled.
    #[error(
        "cannot use a temporary file: {0}; free some space, raise --memory, or name a larger disk: by -o \
         where a run writes to a folder, else by TMPDIR"
    )]
    Spill(io::Error),
    /// A copy of an input that must be read twice cannot be written.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// An output cannot be written.
    #[error(transparent)]
    Output(StagingError),
    /// A job failed, and the parts that it has uploaded cannot be removed.
    #[error("{error}; {left}")]
    LeftOver {
        /// The error of the job.
        error: Box<Error>,
        /// The parts that remain, for the user.
        left: String,
    },
    /// A stream cannot be written, or a file; the error of a file contains its path.
    #[error("cannot write: {0}")]
    Write(io::Error),
    /// The reader of the stream has closed it.
    #[error("the reader of the output has gone")]
    ClosedPipe,
    /// Threads or signal handlers cannot be set up.
    #[error("{0}")]
    Setup(String),
    /// The user interrupted the job before it wrote anything.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// The user interrupted the job while it was writing to a stream.
    #[error("interrupted; what was streamed is not the whole table")]
    CutShort,
}

/// The exit code that shells use for SIGINT: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

impl Error {
    /// Creates the error that no input contains an event; `why` says what the input contains
    /// instead, and `places` are the first places to look at.
    pub fn empty(why: impl Into<String>, places: &[String]) -> Self {
        let places = places.iter().flat_map(|place| ["\n  ", place]).collect();
        Self::Empty { why: why.into(), places }
    }

    /// Creates the error that a file named by a flag cannot be read.
    pub fn unreadable(path: &Path, source: io::Error) -> Self {
        let is_missing = source.kind() == io::ErrorKind::NotFound;
        let similar = is_missing.then(|| similar_path(path)).flatten();
        Self::Unreadable { path: path.to_owned(), source, similar }
    }

    /// Converts an error of writing an output.
    pub fn from_output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => match error.downcast::<StagingError>() {
                Ok(error) => error.into(),
                Err(error) => Self::Write(error),
            },
        }
    }

    /// Returns the exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ClosedPipe => 0,
            Self::Interrupted | Self::CutShort => INTERRUPTED,
            Self::LeftOver { error, .. } => error.exit_code(),
            _ => 2,
        }
    }
}

impl From<StagingError> for Error {
    fn from(error: StagingError) -> Self {
        match error {
            StagingError::Interrupted => Self::Interrupted,
            error => Self::Output(error),
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
