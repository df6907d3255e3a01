//! Output files of a folder, which appear whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempPath;

use super::directory::Directory;
use super::error::{Result, failed};
use super::publish::{Synced, publish};
use super::temporary::{self, Readers};
use super::{Committed, Overwrite, journal, place};
use crate::diagnostic::shown;

/// Bytes held back before a write; chunks of rows are larger and pass straight through.
const BUFFER_BYTES: usize = 64 << 10;

/// An output directory with files in the making.
#[derive(Debug)]
pub(super) struct Folder {
    dir: Arc<Directory>,
    overwrite: Overwrite,
    names: Vec<String>,
}

/// One file in the making. Errors of writing to it name its final path. Dropping it removes it.
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
    /// Makes `dir` and its parents where they are missing, puts in order what a killed run left
    /// there, and checks the `names` of every file that may be written.
    ///
    /// # Errors
    /// When `dir` is no directory or cannot be made, when one of `names` is there and `overwrite`
    /// does not allow it, or when one of them is no regular file.
    pub fn new(dir: &Path, overwrite: Overwrite, names: &[&str]) -> Result<Self> {
        let staging = Self {
            dir: Arc::new(Directory::make(dir)?),
            overwrite,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        journal::recover(dir)?;
        temporary::sweep(dir);
        for name in names {
            place::check(&dir.join(name), overwrite)?;
        }
        Ok(staging)
    }

    /// Whether files may be replaced.
    pub fn overwrite(&self) -> Overwrite {
        self.overwrite
    }

    /// Where the file `name` is, or will be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path.join(name)
    }

    /// Begins the file `name`, readable and writable by its owner alone.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn create(&self, name: &str) -> Result<FolderFile> {
        let dir = &self.dir.path;
        let made = temporary::create(dir, Readers::Owner);
        let (file, temporary) = made.map_err(failed("write here", dir))?;
        Ok(FolderFile {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            temporary,
            name: name.to_owned(),
            path: dir.join(name),
            _dir: Arc::clone(&self.dir),
        })
    }

    /// Brings every file of `files` to its place, having synced all of them first, and removes
    /// those of the names given to [`Folder::new`] that stand there from an earlier run.
    ///
    /// Without leave to overwrite a file only gets a name that is free at that moment. Where the
    /// file system has neither a rename that replaces nothing nor hard links, a file that another
    /// program makes in the same instant can be replaced.
    ///
    /// # Errors
    /// When a file cannot be written out or put in place, or when one has appeared in the meantime
    /// that must not be overwritten; then what was there before is there again.
    pub fn commit(self, files: Vec<FolderFile>) -> Result<Committed> {
        let mut synced = Vec::with_capacity(files.len());
        for file in files {
            place::check(&file.path, self.overwrite)?;
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
    /// Writes out what is buffered and waits until the disk has it.
    fn sync(mut self) -> Result<Synced> {
        let flushed = self.file.flush();
        flushed.map_err(failed("write", &self.path))?;
        let (file, _) = self.file.into_parts();
        file.sync_all().map_err(failed("write", &self.path))?;
        Ok(Synced { _lock: file, temporary: self.temporary, name: self.name })
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", shown(&self.path)))
    }
}

impl Write for FolderFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| self.named(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| self.named(&error))
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
    fn a_commit_makes_the_directory_and_private_files() {
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
    fn a_run_that_gives_up_leaves_no_trace() {
        let root = tempfile::tempdir().unwrap();
        let staging = Folder::new(&root.path().join("a/b"), Overwrite::No, &NAMES).unwrap();
        let file = written(&staging, "signals.csv", "rows");
        drop(staging);
        drop(file);
        assert!(listing(root.path()).is_empty());
    }

    #[test]
    fn a_run_that_gives_up_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("signals.csv"), "old").unwrap();
        let staging = Folder::new(root.path(), Overwrite::Yes, &NAMES).unwrap();
        drop(written(&staging, "signals.csv", "new"));
        drop(staging);
        assert_eq!(listing(root.path()), ["signals.csv"]);
        assert_eq!(fs::read(root.path().join("signals.csv")).unwrap(), b"old");
    }

    #[test]
    fn existing_output_is_refused_by_name_unless_asked_for() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("rejects.ndjson"), "old").unwrap();
        let error = Folder::new(root.path(), Overwrite::No, &NAMES).unwrap_err().to_string();
        assert!(error.contains("rejects.ndjson") && error.contains("--overwrite"), "{error}");
        assert!(Folder::new(root.path(), Overwrite::Yes, &NAMES).is_ok());
    }

    #[test]
    fn output_that_appears_during_the_run_is_not_overwritten() {
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
    fn what_an_earlier_run_left_and_this_one_lacks_is_removed() {
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
    fn a_file_is_no_output_directory_and_a_directory_no_output() {
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
        let error = file.named(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("signals.csv"));
    }
}
