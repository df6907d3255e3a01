//! Errors of outputs.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::diagnostic::shown;
use crate::store::StoreError;

/// An error of an output. Its message starts with the path or URL.
#[derive(Debug, Error)]
pub enum StagingError {
    /// The path of the output directory is not a directory.
    #[error("{}: is not a directory; name one for the outputs", shown(.0))]
    NotADirectory(PathBuf),
    /// An output of an earlier run exists.
    #[error("{}: exists already; use --overwrite to replace it", shown(.0))]
    Exists(PathBuf),
    /// The path of a file is a directory.
    #[error("{}: is a directory, but a file with this name would be written", shown(.0))]
    IsADirectory(PathBuf),
    /// The path of a file is neither free nor a regular file.
    #[error("{}: is {what}, and only regular files are replaced; remove it or name another output", shown(.path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What exists there, with its article.
        what: &'static str,
    },
    /// The job also reads the file.
    #[error("{}: is also read as {role}, and would be overwritten; nothing was written; name another output", shown(.path))]
    AlsoRead {
        /// The output.
        path: PathBuf,
        /// The role of the file in the job, with its article.
        role: &'static str,
    },
    /// Two outputs have the same path.
    #[error("{}: two outputs would be written to this file; choose another path for one of them", shown(.0))]
    WrittenTwice(PathBuf),
    /// Another run holds the journal of the directory for a long time.
    #[error("{}: another run is publishing its files here; try again when it has ended", shown(.0))]
    Busy(PathBuf),
    /// An error of the file system.
    #[error("{}: cannot {action}: {source}", shown(.path))]
    Io {
        /// The path.
        path: PathBuf,
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// The error of the system.
        source: io::Error,
    },
    /// A URL in place of a path.
    #[error(
        "{}: only the outputs of `run -o` are written to object storage; name a local \
             path",
        shown(.0)
    )]
    NotAPath(PathBuf),
    /// A request to a store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run was interrupted while it waited for a store.
    #[error("interrupted")]
    Interrupted,
    /// An object of an earlier run, which does not belong to the new ones, cannot be removed.
    #[error(
        "{source}; it is from an earlier run and does not belong to the new outputs: remove it"
    )]
    NotRemoved {
        /// The error of the request.
        source: StoreError,
    },
    /// Some objects of a run were published, and others cannot be.
    #[error(
        "{failure}; the outputs are from different runs: {published} {} new, {missing} not; run again \
         with --overwrite", if *.is_one { "is" } else { "are" }
    )]
    PartlyPublished {
        /// The error of publishing the others.
        failure: Box<StagingError>,
        /// The URLs of the published objects.
        published: String,
        /// Whether one object was published.
        is_one: bool,
        /// The URLs of the other objects.
        missing: String,
    },
    /// A commit failed, and so did restoring or syncing the earlier files.
    #[error(
        "{failure}; restoring the earlier files failed as well ({source}): the next run into this \
         folder does it"
    )]
    NotRestored {
        /// The error of the commit.
        failure: Box<StagingError>,
        /// The error of restoring the files.
        source: io::Error,
    },
}

/// The result of operations on outputs.
pub type Result<T> = std::result::Result<T, StagingError>;

/// Creates a [`StagingError::Io`] about `path`.
pub(super) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> StagingError {
    move |source| StagingError::Io { path: path.to_owned(), action, source }
}
