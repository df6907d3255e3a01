//! Checks of existing files at the paths of outputs.

use std::fs::{self, FileType};
use std::io;
use std::path::Path;

use super::Overwrite;
use super::error::{Result, StagingError, io_error};

/// A file at the path of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// There is none.
    None,
    /// A regular file, which may be replaced.
    File,
}

/// Checks that a file can be written to `path`.
///
/// # Errors
/// Returns an error if there is something else than a regular file, or a file that must not be
/// replaced.
pub(super) fn check(path: &Path, overwrite: Overwrite) -> Result<Existing> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Err(StagingError::IsADirectory(path.to_owned())),
        Ok(_) if overwrite == Overwrite::No => Err(StagingError::Exists(path.to_owned())),
        Ok(found) if found.is_file() => Ok(Existing::File),
        Ok(found) => {
            Err(StagingError::NotAFile { path: path.to_owned(), what: kind(found.file_type()) })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Existing::None),
        Err(error) => Err(io_error("look for the file", path)(error)),
    }
}

/// Returns the name of a file type that is neither a regular file nor a directory, with its
/// article.
fn kind(file: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if file.is_fifo() {
            return "a FIFO";
        }
        if file.is_block_device() || file.is_char_device() {
            return "a device";
        }
        if file.is_socket() {
            return "a socket";
        }
    }
    if file.is_symlink() { "a symbolic link" } else { "not a regular file" }
}
