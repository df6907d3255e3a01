//! Atomic writing of a single file, in a folder with other files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::{Result, StagingError, io_error};
use super::temporary::{self, Readers};
use crate::store::Url;

/// What exists at the path of the file.
enum Target {
    /// Nothing or a regular file. The path is that of the file itself, with links resolved.
    Replaceable(PathBuf),
    /// A pipe or a device.
    Stream,
}

/// Checks that a file can probably be written to `path`.
///
/// # Errors
/// Returns an error if `path` is a directory, a dangling link or a URL.
pub fn check_single(path: &Path) -> Result<()> {
    target(path).map(|_| ())
}

/// Writes the file `path` atomically: `write` writes to a temporary file, which replaces an
/// existing file when it is complete. Links are followed. Pipes and devices are written to
/// directly.
///
/// # Errors
/// Returns an error that names the path if the file cannot be written, or if `write` returns one.
pub fn put(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    match target(path)? {
        Target::Stream => {
            let opened = OpenOptions::new().write(true).open(path);
            opened.and_then(|file| buffered(&file, write))
        }
        Target::Replaceable(real) => replace(&real, readers, write),
    }
    .map_err(io_error("write", path))
}

/// Checks that `path` is not a URL, for which a folder with that name would be created.
pub(super) fn check_path(path: &Path) -> Result<()> {
    match path.to_str().and_then(Url::parse) {
        Some(_) => Err(StagingError::NotAPath(path.to_owned())),
        None => Ok(()),
    }
}

fn target(path: &Path) -> Result<Target> {
    check_path(path)?;
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(StagingError::IsADirectory(path.to_owned())),
        Ok(found) if found.is_file() => {
            let real = path.canonicalize().map_err(io_error("look for the file", path))?;
            Ok(Target::Replaceable(real))
        }
        Ok(_) => Ok(Target::Stream),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            Err(StagingError::NotAFile { path: path.to_owned(), what: "a link to nothing" })
        }
        Err(_) if path.file_name().is_none() => {
            Err(StagingError::NotAFile { path: path.to_owned(), what: "not the name of a file" })
        }
        Err(_) => Ok(Target::Replaceable(path.to_owned())),
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
    temporary::remove_abandoned_files(folder);
    let (file, temporary) = temporary::create(folder, readers)?;
    buffered(&file, write)?;
    file.sync_all()?;
    // Another program may have created something else in the meantime.
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is no longer a regular file"));
    }
    temporary.persist(path).map_err(|error| error.error)
}

fn buffered(file: &File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}
