//! A single output file, in a folder with other files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::{Result, StagingError, failed};
use super::temporary::{self, Readers};
use crate::store::Url;

/// What stands where the file is to be.
enum Found {
    /// Nothing, or a regular file. The path is that of the file itself, not of a link to it.
    Replaceable(PathBuf),
    /// A pipe or a device.
    Stream,
}

/// Checks that a file can be put at `path`, as far as that can be told before.
///
/// # Errors
/// When a directory is there, or a link to nothing.
pub fn check_single(path: &Path) -> Result<()> {
    find(path).map(|_| ())
}

/// Makes the file `path` of what `write` gives, whole or not at all: it replaces what was there
/// only once it is complete. A link stays, and what it points to is replaced. What is no regular
/// file, a pipe or a device, is written to as it is.
///
/// # Errors
/// Where that cannot be done, and those of `write`; the error names the path.
pub fn put(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    match find(path)? {
        Found::Stream => {
            let opened = OpenOptions::new().write(true).open(path);
            opened.and_then(|file| buffered(&file, write))
        }
        Found::Replaceable(real) => replace(&real, readers, write),
    }
    .map_err(failed("write", path))
}

/// Checks that `path` is no URL, of which a folder of that name would be made.
pub(super) fn check_path(path: &Path) -> Result<()> {
    match path.to_str().and_then(Url::parse) {
        Some(_) => Err(StagingError::NotAPath(path.to_owned())),
        None => Ok(()),
    }
}

fn find(path: &Path) -> Result<Found> {
    check_path(path)?;
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(StagingError::IsADirectory(path.to_owned())),
        Ok(found) if found.is_file() => {
            let real = path.canonicalize().map_err(failed("look for the file", path))?;
            Ok(Found::Replaceable(real))
        }
        Ok(_) => Ok(Found::Stream),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            Err(StagingError::NotAFile { path: path.to_owned(), what: "a link to nothing" })
        }
        Err(_) if path.file_name().is_none() => {
            Err(StagingError::NotAFile { path: path.to_owned(), what: "no name of a file" })
        }
        Err(_) => Ok(Found::Replaceable(path.to_owned())),
    }
}

fn replace(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    temporary::sweep(folder);
    let (file, temporary) = temporary::create(folder, readers)?;
    buffered(&file, write)?;
    file.sync_all()?;
    // The name may have got another meaning meanwhile.
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is no regular file any more"));
    }
    temporary.persist(path).map_err(|error| error.error)
}

fn buffered(file: &File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}
