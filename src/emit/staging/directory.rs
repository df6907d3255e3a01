//! The output directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{Result, StagingError, io_error};

/// The output directory. Unless [`keep`](Self::keep) is called, the directories that were created
/// for it are removed when it is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    pub path: PathBuf,
    /// The directories that were created, the outermost first.
    created: Vec<PathBuf>,
    is_kept: AtomicBool,
}

impl Directory {
    /// Creates `path` and its parents if they are missing.
    pub fn create(path: &Path) -> Result<Self> {
        let mut directory =
            Self { path: path.to_owned(), created: Vec::new(), is_kept: AtomicBool::new(false) };
        let missing: Vec<_> = path
            .ancestors()
            .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
            .collect();
        for dir in missing.into_iter().rev() {
            match fs::create_dir(dir) {
                Ok(()) => directory.created.push(dir.to_owned()),
                // Created by another program in the meantime, or `..` in a path that was just
                // created.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
                Err(error) => return Err(io_error("create the directory", dir)(error)),
            }
        }
        if path.is_dir() {
            Ok(directory)
        } else {
            Err(StagingError::NotADirectory(path.to_owned()))
        }
    }

    /// Keeps the directories when this is dropped.
    pub fn keep(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.is_kept.load(Ordering::Relaxed) {
            for dir in self.created.iter().rev() {
                // Directories that another program uses are not empty and stay.
                let _ = fs::remove_dir(dir);
            }
        }
    }
}
