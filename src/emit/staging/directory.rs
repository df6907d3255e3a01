//! The output directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{Result, StagingError, failed};

/// The output directory. Unless it came into use, dropping it removes what was made of it.
#[derive(Debug)]
pub(super) struct Directory {
    pub path: PathBuf,
    /// The directories that were made for it, the outermost first.
    made: Vec<PathBuf>,
    in_use: AtomicBool,
}

impl Directory {
    /// Makes `path` and its parents where they are missing.
    pub fn make(path: &Path) -> Result<Self> {
        let mut directory =
            Self { path: path.to_owned(), made: Vec::new(), in_use: AtomicBool::new(false) };
        let missing: Vec<_> = path
            .ancestors()
            .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
            .collect();
        for dir in missing.into_iter().rev() {
            match fs::create_dir(dir) {
                Ok(()) => directory.made.push(dir.to_owned()),
                // Made by another program in the meantime, or `..` in a path just made.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
                Err(error) => return Err(failed("make the directory", dir)(error)),
            }
        }
        if path.is_dir() {
            Ok(directory)
        } else {
            Err(StagingError::NotADirectory(path.to_owned()))
        }
    }

    /// Says that it stays.
    pub fn keep(&self) {
        self.in_use.store(true, Ordering::Relaxed);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.in_use.load(Ordering::Relaxed) {
            for dir in self.made.iter().rev() {
                // One that is not empty has found other use: it stays.
                let _ = fs::remove_dir(dir);
            }
        }
    }
}
