//! Why an output cannot be made.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::diagnostic::shown;
use crate::store::StoreError;

/// Why an output could not be made. Each names the path.
#[derive(Debug, Error)]
pub enum StagingError {
    /// The output directory is something else.
    #[error("{}: is not a directory; name one for the outputs", shown(.0))]
    NotADirectory(PathBuf),
    /// An output of an earlier run is there.
    #[error("{}: exists already; use --overwrite to replace it", shown(.0))]
    Exists(PathBuf),
    /// A directory stands where a file belongs.
    #[error("{}: is a directory, and a file of that name is to be written", shown(.0))]
    IsADirectory(PathBuf),
    /// Something that cannot be replaced by a file stands where a file belongs.
    #[error("{}: is {what}, and only a regular file is replaced; remove it or name another output", shown(.path))]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// What is there, with its article.
        what: &'static str,
    },
    /// An output is read by the same job.
    #[error("{}: is also read as {role}, and would be overwritten; nothing was written; name another output", shown(.path))]
    AlsoRead {
        /// The output.
        path: PathBuf,
        /// What it is to the job, with its article.
        role: &'static str,
    },
    /// Two outputs have one path.
    #[error("{}: two outputs would be written to this file; name another for one of them", shown(.0))]
    WrittenTwice(PathBuf),
    /// Another run has been putting its files in place for a long time.
    #[error("{}: another run is putting its files in place here; try again when it has ended", shown(.0))]
    Busy(PathBuf),
    /// The system refused.
    #[error("{}: cannot {action}: {source}", shown(.path))]
    Io {
        /// What it is about.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A path that names an object, where only files are written.
    #[error(
        "{}: only the outputs of `run -o` are written to object storage; name a path of \
             this machine",
        shown(.0)
    )]
    NotAPath(PathBuf),
    /// A store refused, or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody stopped the run while it waited for a store.
    #[error("interrupted")]
    Interrupted,
    /// An object of an earlier run, which would be wrong beside the new ones, cannot be removed.
    #[error("{source}; it is of an earlier run, and wrong beside the new outputs: remove it")]
    NotRemoved {
        /// Why.
        source: StoreError,
    },
    /// Some of the objects of a run are in place, and others cannot be.
    #[error(
        "{failure}; the outputs are not of one run: {stand} {} new, {missing} not; run again with \
         --overwrite", if *.one { "is" } else { "are" }
    )]
    HalfPublished {
        /// Why the others cannot be put in place.
        failure: Box<StagingError>,
        /// The URLs of those that are in place.
        stand: String,
        /// Whether that is one.
        one: bool,
        /// The URLs of those that are not.
        missing: String,
    },
    /// A commit failed, and so did putting back what was there before, or syncing that.
    #[error(
        "{failure}; putting back the files of before failed as well ({source}): the next run into \
         this folder does it"
    )]
    NotRestored {
        /// Why the commit failed.
        failure: Box<StagingError>,
        /// Why the files could not be put back.
        source: io::Error,
    },
}

/// The result of something that needs the output directory.
pub type Result<T> = std::result::Result<T, StagingError>;

/// A [`StagingError::Io`] about `path`.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StagingError {
    move |source| StagingError::Io { path: path.to_owned(), action, source }
}
