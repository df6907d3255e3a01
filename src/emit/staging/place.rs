//! What exists at the path of an output.

use std::fs::{self, FileType};
use std::io;
use std::path::Path;

use super::Overwrite;
use super::error::{Result, StagingError, failed};

/// What stands at a path where a file may be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Free,
    /// A regular file, which may be replaced.
    File,
}

/// Whether a file may be put at `path`: where nothing is, or where a regular file is that may be
/// replaced.
pub(super) fn check(path: &Path, overwrite: Overwrite) -> Result<Place> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Err(StagingError::IsADirectory(path.to_owned())),
        Ok(_) if overwrite == Overwrite::No => Err(StagingError::Exists(path.to_owned())),
        Ok(found) if found.is_file() => Ok(Place::File),
        Ok(found) => {
            Err(StagingError::NotAFile { path: path.to_owned(), what: kind(found.file_type()) })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::Free),
        Err(error) => Err(failed("look for the file", path)(error)),
    }
}

/// What a file is that is neither regular nor a directory, with its article.
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
    if file.is_symlink() { "a symbolic link" } else { "no regular file" }
}
