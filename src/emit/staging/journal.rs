//! The journal of a commit: a hidden file in the output directory that lists the files being
//! replaced.
//!
//! It exists while files are replaced, and the process that writes it holds a lock on it, so that
//! commits to a directory are serialized. A journal without a lock is from a killed process, whose
//! changes are undone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::{Result, StagingError, io_error};
use super::temporary::{PREFIX, is_at};

/// The name of the journal.
const JOURNAL_NAME: &str = ".backtrail-journal";
/// The suffix of backups of replaced files.
const BACKUP_SUFFIX: &str = ".old";
const VERSION: u32 = 1;
/// The maximum time to wait for another commit.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// The change of one name in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The name.
    pub name: String,
    /// The file that gets the name; `None` if the name is removed.
    pub new: Option<FileIdentity>,
}

/// Identifies a file among others with its name, by inode (or modification time) and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileIdentity {
    id: u64,
    bytes: u64,
}

impl FileIdentity {
    /// Returns the identity of the file at `path`. Does not follow links.
    pub fn of(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        #[cfg(unix)]
        let id = std::os::unix::fs::MetadataExt::ino(&found);
        #[cfg(not(unix))]
        let id = {
            let since = found.modified()?.duration_since(std::time::UNIX_EPOCH);
            since.unwrap_or_default().as_secs()
        };
        Ok(Self { id, bytes: found.len() })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    entries: Vec<Entry>,
}

/// The locked journal of a directory. Dropping it removes the file, unless it lists changes to be
/// undone.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    dir: PathBuf,
    has_changes: bool,
}

/// Returns the path of the backup of the file `name` in `dir`.
pub(super) fn backup_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{PREFIX}{name}{BACKUP_SUFFIX}"))
}

/// Undoes the changes of a killed process in `dir`, and removes its backups.
pub(super) fn recover(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let is_ours = |name: &[u8]| {
        name == JOURNAL_NAME.as_bytes()
            || (name.starts_with(PREFIX.as_bytes()) && name.ends_with(BACKUP_SUFFIX.as_bytes()))
    };
    let found = entries.flatten().any(|entry| is_ours(entry.file_name().as_encoded_bytes()));
    if found { Journal::acquire(dir).map(drop) } else { Ok(()) }
}

impl Journal {
    /// Creates and locks the journal of `dir`. Waits for another commit, and undoes an interrupted
    /// one.
    pub fn acquire(dir: &Path) -> Result<Self> {
        let path = dir.join(JOURNAL_NAME);
        let since = Instant::now();
        loop {
            let file = open(&path).map_err(io_error("write here", dir))?;
            match file.try_lock() {
                // The previous holder has removed the file, so the lock has no effect.
                Ok(()) if !is_at(&file, &path) => {}
                Err(TryLockError::WouldBlock) => {}
                // On file systems without locks, commits are not serialized.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    let dir = dir.to_owned();
                    let mut journal = Self { file, path, dir, has_changes: true };
                    journal.undo_found()?;
                    return Ok(journal);
                }
            }
            if since.elapsed() > LOCK_TIMEOUT {
                return Err(StagingError::Busy(dir.to_owned()));
            }
            sleep(LOCK_RETRY_INTERVAL);
        }
    }

    /// Undoes the changes in the journal, and removes the backups.
    fn undo_found(&mut self) -> Result<()> {
        let mut text = String::new();
        // A truncated record was written by a process that had not changed a file yet.
        let record = self.file.read_to_string(&mut text).ok();
        let record = record.and_then(|_| serde_json::from_str::<Record>(&text).ok());
        self.has_changes = !text.is_empty();
        match record {
            Some(Record { version: VERSION, entries }) => {
                self.undo(&entries).map_err(io_error(
                    "restore the files that an interrupted run was replacing",
                    &self.dir,
                ))?;
            }
            Some(_) => {
                let source = io::Error::other("it was written by another version of this program");
                return Err(io_error("read the journal of an interrupted run", &self.path)(source));
            }
            None if text.is_empty() => {}
            None => self.clear().map_err(io_error("write here", &self.dir))?,
        }
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            if name.starts_with(PREFIX.as_bytes()) && name.ends_with(BACKUP_SUFFIX.as_bytes()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Writes `entries` before they are carried out, and syncs the journal to the disk.
    pub fn write(&mut self, entries: &[Entry]) -> io::Result<()> {
        let record = Record { version: VERSION, entries: entries.to_vec() };
        self.file.rewind()?;
        self.has_changes = true;
        self.file.write_all(&serde_json::to_vec(&record)?)?;
        self.file.sync_all()?;
        sync(&self.dir)
    }

    /// Empties the journal, so that the changes are not undone any more.
    pub fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_all()?;
        self.has_changes = false;
        Ok(())
    }

    /// Undoes `entries` as far as they were carried out, and empties the journal.
    pub fn undo(&mut self, entries: &[Entry]) -> io::Result<()> {
        for entry in entries.iter().filter(|entry| is_plain(&entry.name)) {
            let (path, backup) = (self.dir.join(&entry.name), backup_path(&self.dir, &entry.name));
            if fs::symlink_metadata(&backup).is_ok() {
                restore(&backup, &path)?;
            } else if entry.new.is_some() && FileIdentity::of(&path).ok() == entry.new {
                // Without a backup, the name was free before.
                fs::remove_file(&path)?;
            }
        }
        sync(&self.dir)?;
        self.clear()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.has_changes {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Renames the backup to the original name.
fn restore(backup: &Path, path: &Path) -> io::Result<()> {
    if fs::rename(backup, path).is_err() {
        // The file system may not replace files by a rename.
        let _ = fs::remove_file(path);
        fs::hard_link(backup, path)?;
    }
    // If both names are hard links to one file, the rename has no effect.
    match fs::remove_file(backup) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns `true` if `name` is the name of a file directly in the directory.
fn is_plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|plain| plain == name)
}

/// Syncs the entries of `dir` to the disk.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
