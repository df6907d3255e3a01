//! Atomic publication of files in a folder.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempPath;

use super::directory::Directory;
use super::error::{Result, io_error};
use super::publish::{Synced, publish};
use super::temporary::{self, Readers};
use super::{Committed, Overwrite, existing, journal};
use crate::diagnostic::shown;

/// The size of the buffer of a file, in bytes. Chunks of rows are larger and bypass it.
const BUFFER_BYTES: usize = 64 << 10;

/// An output directory with unpublished files.
#[derive(Debug)]
pub(super) struct Folder {
    dir: Arc<Directory>,
    overwrite: Overwrite,
    names: Vec<String>,
}

/// An unpublished file. Errors of writing name its final path. It is removed when dropped.
#[derive(Debug)]
pub(super) struct FolderFile {
    file: BufWriter<File>,
    // Dropped before the directory, which can only be removed once it is empty again.
    temporary: TempPath,
    name: String,
    path: PathBuf,
    _dir: Arc<Directory>,
}

impl Folder {
    /// Creates `dir` and its parents if they are missing, recovers from a killed run, and checks
    /// the `names` of all files that may be written.
    ///
    /// # Errors
    /// Returns an error if `dir` is not a directory or cannot be created, if one of `names` exists
    /// and `overwrite` does not permit replacing it, or if one of them is not a regular file.
    pub fn new(dir: &Path, overwrite: Overwrite, names: &[&str]) -> Result<Self> {
        let staging = Self {
            dir: Arc::new(Directory::create(dir)?),
            overwrite,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        journal::recover(dir)?;
        temporary::remove_abandoned_files(dir);
        for name in names {
            existing::check(&dir.join(name), overwrite)?;
        }
        Ok(staging)
    }

    /// Returns whether files of an earlier run are replaced.
    pub fn overwrite(&self) -> Overwrite {
        self.overwrite
    }

    /// Returns the final path of the file `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path.join(name)
    }

    /// Creates the file `name`, which only its owner can read and write.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be written to.
    pub fn create(&self, name: &str) -> Result<FolderFile> {
        let dir = &self.dir.path;
        let created = temporary::create(dir, Readers::Owner);
        let (file, temporary) = created.map_err(io_error("write here", dir))?;
        Ok(FolderFile {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            temporary,
            name: name.to_owned(),
            path: dir.join(name),
            _dir: Arc::clone(&self.dir),
        })
    }

    /// Publishes `files` after all of them are synced, and removes the other names given to
    /// [`Folder::new`] that exist from an earlier run.
    ///
    /// With [`Overwrite::No`], publishing a file fails if its name is taken. This is not atomic on
    /// file systems with neither a rename that does not replace nor hard links: a file that another
    /// program creates at the same time can be replaced.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written or published, or if one was created in the
    /// meantime that must not be replaced. Then the earlier files are restored.
    pub fn commit(self, files: Vec<FolderFile>) -> Result<Committed> {
        let mut synced = Vec::with_capacity(files.len());
        for file in files {
            existing::check(&file.path, self.overwrite)?;
            synced.push(file.sync()?);
        }
        let dir = &self.dir.path;
        let is_stale = |name: &&String| !synced.iter().any(|file| file.name == **name);
        let stale: Vec<String> = match self.overwrite {
            Overwrite::Yes => self.names.iter().filter(is_stale).cloned().collect(),
            Overwrite::No => Vec::new(),
        };
        let written = synced.iter().map(|file| dir.join(&file.name)).collect();
        let removed = publish(dir, self.overwrite, synced, &stale)?;
        self.dir.keep();
        Ok(Committed { written, removed })
    }
}

impl FolderFile {
    /// Writes the buffer and syncs the file to the disk.
    fn sync(mut self) -> Result<Synced> {
        let flushed = self.file.flush();
        flushed.map_err(io_error("write", &self.path))?;
        let (file, _) = self.file.into_parts();
        file.sync_all().map_err(io_error("write", &self.path))?;
        Ok(Synced { _lock: file, temporary: self.temporary, name: self.name })
    }

    /// Adds the path to an error.
    fn with_path(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", shown(&self.path)))
    }
}

impl Write for FolderFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| self.with_path(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| self.with_path(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::staging::StagingError;
    use std::fs;

    const NAMES: [&str; 2] = ["signals.csv", "rejects.ndjson"];

    fn listing(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn written(staging: &Folder, name: &str, text: &str) -> FolderFile {
        let mut file = staging.create(name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_commit_creates_the_directory_and_private_files() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        let staging = Folder::new(&dir, Overwrite::No, &NAMES).unwrap();
        let file = written(&staging, "signals.csv", "rows");
        assert!(!dir.join("signals.csv").exists());
        let committed = staging.commit(vec![file]).unwrap();
        assert_eq!(committed.written, [dir.join("signals.csv")]);
        assert_eq!(listing(&dir), ["signals.csv"]);
        assert_eq!(fs::read(dir.join("signals.csv")).unwrap(), b"rows");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.join("signals.csv")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn dropped_outputs_leave_no_files_and_directories() {
        let root = tempfile::tempdir().unwrap();
        let staging = Folder::new(&root.path().join("a/b"), Overwrite::No, &NAMES).unwrap();
        let file = written(&staging, "signals.csv", "rows");
        drop(staging);
        drop(file);
        assert!(listing(root.path()).is_empty());
    }

    #[test]
    fn dropped_outputs_leave_the_existing_files() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("signals.csv"), "old").unwrap();
        let staging = Folder::new(root.path(), Overwrite::Yes, &NAMES).unwrap();
        drop(written(&staging, "signals.csv", "new"));
        drop(staging);
        assert_eq!(listing(root.path()), ["signals.csv"]);
        assert_eq!(fs::read(root.path().join("signals.csv")).unwrap(), b"old");
    }

    #[test]
    fn existing_outputs_are_replaced_only_with_overwrite() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("rejects.ndjson"), "old").unwrap();
        let error = Folder::new(root.path(), Overwrite::No, &NAMES).unwrap_err().to_string();
        assert!(error.contains("rejects.ndjson") && error.contains("--overwrite"), "{error}");
        assert!(Folder::new(root.path(), Overwrite::Yes, &NAMES).is_ok());
    }

    #[test]
    fn outputs_created_during_the_run_are_not_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let staging = Folder::new(root.path(), Overwrite::No, &NAMES).unwrap();
        let file = written(&staging, "signals.csv", "mine");
        fs::write(root.path().join("signals.csv"), "theirs").unwrap();
        let error = staging.commit(vec![file]).unwrap_err();
        assert!(matches!(error, StagingError::Exists(_)), "{error}");
        assert_eq!(fs::read(root.path().join("signals.csv")).unwrap(), b"theirs");
        assert_eq!(listing(root.path()), ["signals.csv"]);
    }

    #[test]
    fn outputs_of_an_earlier_run_without_a_successor_are_removed() {
        let root = tempfile::tempdir().unwrap();
        for name in ["signals.csv", "rejects.ndjson", "notes.txt"] {
            fs::write(root.path().join(name), "old").unwrap();
        }
        let staging = Folder::new(root.path(), Overwrite::Yes, &NAMES).unwrap();
        let file = written(&staging, "signals.csv", "new");
        let committed = staging.commit(vec![file]).unwrap();
        assert_eq!(committed.removed, [root.path().join("rejects.ndjson")]);
        assert_eq!(listing(root.path()), ["notes.txt", "signals.csv"]);
        assert_eq!(fs::read(root.path().join("signals.csv")).unwrap(), b"new");
    }

    #[test]
    fn files_as_directories_and_directories_as_files_are_errors() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Folder::new(&file, Overwrite::Yes, &NAMES).unwrap_err();
        assert!(matches!(error, StagingError::NotADirectory(_)), "{error}");
        assert!(Folder::new(&file.join("below"), Overwrite::Yes, &NAMES).is_err());
        fs::create_dir(root.path().join("signals.csv")).unwrap();
        let error = Folder::new(root.path(), Overwrite::Yes, &NAMES).unwrap_err();
        assert!(matches!(error, StagingError::IsADirectory(_)), "{error}");
    }

    #[test]
    fn a_failed_write_names_the_file_and_keeps_its_kind() {
        let root = tempfile::tempdir().unwrap();
        let staging = Folder::new(root.path(), Overwrite::No, &NAMES).unwrap();
        let file = staging.create("signals.csv").unwrap();
        let error = file.with_path(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("signals.csv"));
    }
}
