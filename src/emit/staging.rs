//! Output files that appear whole or not at all.
//!
//! Each file is written under a hidden name beside its place, synced, and only then renamed, all
//! of them at the end. What is dropped before that leaves no trace: not a temporary file, not a
//! directory that was made for it, and what stood there before stands there still.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::NamedTempFile;
use thiserror::Error;

/// Bytes held back before a write; chunks of rows are larger and pass straight through.
const BUFFER_BYTES: usize = 64 << 10;

/// Whether files of an earlier run may be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse to start.
    #[default]
    No,
    /// Replace them.
    Yes,
}

/// Why the output could not be made. Each names the path.
#[derive(Debug, Error)]
pub enum StagingError {
    /// The output directory is something else.
    #[error("{}: is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// An output of an earlier run is there.
    #[error("{}: exists already; use --overwrite to replace it", .0.display())]
    Exists(PathBuf),
    /// A directory stands where a file belongs.
    #[error("{}: is a directory, and a file of that name is to be written", .0.display())]
    IsADirectory(PathBuf),
    /// The system refused.
    #[error("{}: cannot {action}: {source}", .path.display())]
    Io {
        /// What it is about.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// The result of something that needs the output directory.
pub type Result<T> = std::result::Result<T, StagingError>;

/// An output directory with files in the making.
#[derive(Debug)]
pub struct Staging {
    dir: Arc<Directory>,
    overwrite: Overwrite,
    names: Vec<String>,
}

/// One file in the making. Errors of writing to it name its final path. Dropping it removes it.
#[derive(Debug)]
pub struct StagedFile {
    // Dropped before the directory, which can only be removed once it is empty again.
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
    _dir: Arc<Directory>,
}

/// What a commit left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    /// The new files, in the order in which they were given.
    pub written: Vec<PathBuf>,
    /// Files of an earlier run that this one has no counterpart of: they were removed, because
    /// beside the new ones they would be wrong.
    pub removed: Vec<PathBuf>,
}

impl Staging {
    /// Makes `dir` and its parents where they are missing, and checks the `names` of every file
    /// that may be written there.
    ///
    /// # Errors
    /// When `dir` is no directory or cannot be made, when one of `names` is there and `overwrite`
    /// does not allow it, or when one of them is a directory.
    pub fn new(dir: &Path, overwrite: Overwrite, names: &[&str]) -> Result<Self> {
        let staging = Self {
            dir: Arc::new(Directory::make(dir)?),
            overwrite,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        staging.names.iter().try_for_each(|name| staging.check(&dir.join(name)))?;
        Ok(staging)
    }

    /// Begins the file `name`, readable and writable by its owner alone.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn create(&self, name: &str) -> Result<StagedFile> {
        let path = self.dir.path.join(name);
        let file = tempfile::Builder::new()
            .prefix(".backtrail-")
            .suffix(".tmp")
            .tempfile_in(&self.dir.path)
            .map_err(failed("write here", &self.dir.path))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(StagedFile { file, path, _dir: Arc::clone(&self.dir) })
    }

    /// A file in the output directory that has no name and goes when it is closed: for what does
    /// not fit into memory, on the disk that must have room for the output anyway.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn spill(&self) -> Result<File> {
        tempfile::tempfile_in(&self.dir.path).map_err(failed("write here", &self.dir.path))
    }

    /// Brings every file of `files` to its place, having synced all of them first, and removes
    /// those of the names given to [`Staging::new`] that stand there from an earlier run.
    ///
    /// # Errors
    /// When a file cannot be written out, or when one has appeared in the meantime that must not
    /// be overwritten; then nothing has changed. When a rename fails after all, what was put in
    /// place before it stays.
    pub fn commit(self, files: Vec<StagedFile>) -> Result<Committed> {
        let mut synced = Vec::with_capacity(files.len());
        for file in files {
            self.check(&file.path)?;
            synced.push(file.sync()?);
        }
        let mut written = Vec::with_capacity(synced.len());
        for (file, path) in synced {
            file.persist(&path).map_err(|e| failed("put the file in place", &path)(e.error))?;
            self.dir.in_use.store(true, Ordering::Relaxed);
            written.push(path);
        }
        let removed = self.remove_stale(&written)?;
        self.dir.in_use.store(true, Ordering::Relaxed);
        self.dir.sync()?;
        Ok(Committed { written, removed })
    }

    /// Whether a file may be put at `path`.
    fn check(&self, path: &Path) -> Result<()> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Err(StagingError::IsADirectory(path.to_owned())),
            Ok(_) if self.overwrite == Overwrite::No => Err(StagingError::Exists(path.to_owned())),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("look for the file", path)(error))
            }
            _ => Ok(()),
        }
    }

    fn remove_stale(&self, written: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let mut removed = Vec::new();
        if self.overwrite == Overwrite::No {
            return Ok(removed);
        }
        for path in self.names.iter().map(|name| self.dir.path.join(name)) {
            if written.contains(&path) {
                continue;
            }
            match fs::remove_file(&path) {
                Ok(()) => removed.push(path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(failed("remove the file of an earlier run", &path)(error));
                }
            }
        }
        Ok(removed)
    }
}

impl StagedFile {
    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes out what is buffered and waits until the disk has it.
    fn sync(mut self) -> Result<(NamedTempFile, PathBuf)> {
        let flushed = self.file.flush();
        flushed.map_err(failed("write", &self.path))?;
        let (file, _) = self.file.into_parts();
        file.as_file().sync_all().map_err(failed("write", &self.path))?;
        Ok((file, self.path))
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: cannot write: {error}", self.path.display()))
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| self.named(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| self.named(&error))
    }
}

/// A [`StagingError::Io`] about `path`.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StagingError {
    move |source| StagingError::Io { path: path.to_owned(), action, source }
}

/// The output directory. Unless it came into use, dropping it removes what was made of it.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    /// The directories that were made for it, the outermost first.
    made: Vec<PathBuf>,
    in_use: AtomicBool,
}

impl Directory {
    fn make(path: &Path) -> Result<Self> {
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

    /// Waits until the disk knows the new names.
    fn sync(&self) -> Result<()> {
        if cfg!(unix) {
            let dir = File::open(&self.path).and_then(|dir| dir.sync_all());
            dir.map_err(failed("sync the directory", &self.path))?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["signals.csv", "rejects.ndjson"];

    fn listing(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn written(staging: &Staging, name: &str, text: &str) -> StagedFile {
        let mut file = staging.create(name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_commit_makes_the_directory_and_private_files() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        let staging = Staging::new(&dir, Overwrite::No, &NAMES).unwrap();
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
        let staging = Staging::new(&root.path().join("a/b"), Overwrite::No, &NAMES).unwrap();
        let file = written(&staging, "signals.csv", "rows");
        let spill = staging.spill().unwrap();
        drop(staging);
        drop((file, spill));
        assert!(listing(root.path()).is_empty());
    }

    #[test]
    fn a_run_that_gives_up_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("signals.csv"), "old").unwrap();
        let staging = Staging::new(root.path(), Overwrite::Yes, &NAMES).unwrap();
        drop(written(&staging, "signals.csv", "new"));
        drop(staging);
        assert_eq!(listing(root.path()), ["signals.csv"]);
        assert_eq!(fs::read(root.path().join("signals.csv")).unwrap(), b"old");
    }

    #[test]
    fn existing_output_is_refused_by_name_unless_asked_for() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("rejects.ndjson"), "old").unwrap();
        let error = Staging::new(root.path(), Overwrite::No, &NAMES).unwrap_err().to_string();
        assert!(error.contains("rejects.ndjson") && error.contains("--overwrite"), "{error}");
        assert!(Staging::new(root.path(), Overwrite::Yes, &NAMES).is_ok());
    }

    #[test]
    fn output_that_appears_during_the_run_is_not_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let staging = Staging::new(root.path(), Overwrite::No, &NAMES).unwrap();
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
        let staging = Staging::new(root.path(), Overwrite::Yes, &NAMES).unwrap();
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
        let error = Staging::new(&file, Overwrite::Yes, &NAMES).unwrap_err();
        assert!(matches!(error, StagingError::NotADirectory(_)), "{error}");
        assert!(Staging::new(&file.join("below"), Overwrite::Yes, &NAMES).is_err());
        fs::create_dir(root.path().join("signals.csv")).unwrap();
        let error = Staging::new(root.path(), Overwrite::Yes, &NAMES).unwrap_err();
        assert!(matches!(error, StagingError::IsADirectory(_)), "{error}");
    }

    #[test]
    fn a_failed_write_names_the_file_and_keeps_its_kind() {
        let root = tempfile::tempdir().unwrap();
        let staging = Staging::new(root.path(), Overwrite::No, &NAMES).unwrap();
        let file = staging.create("signals.csv").unwrap();
        let error = file.named(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("signals.csv"));
    }
}
