//! The journal of a commit: a small hidden file in the output directory that says which files are
//! being replaced.
//!
//! It is there from before the first file is touched until all are in place, and locked by the
//! process that writes it; so there is one commit at a time in a directory. One that is found
//! without a lock is of a process that was killed: what it had begun is undone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::{Result, StagingError, failed};
use super::temporary::{PREFIX, is_at};

/// The name of the file.
const NAME: &str = ".backtrail-journal";
/// What the names of files end with that are kept until the new ones are in place.
const KEPT_SUFFIX: &str = ".old";
const VERSION: u32 = 1;
/// How long another commit may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// What a commit does to one name of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The name.
    pub name: String,
    /// The file that gets it; `None` where the name is to be free.
    pub new: Option<Stamp>,
}

/// Tells a file from others of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    id: u64,
    bytes: u64,
}

impl Stamp {
    /// The stamp of what is at `path` itself, which may be a link.
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

/// The journal of a directory, locked. Dropping it removes the file, unless it still says that
/// something is to be undone.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    dir: PathBuf,
    pending: bool,
}

/// Where what had the name `name` in `dir` is kept meanwhile.
pub(super) fn kept(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{PREFIX}{name}{KEPT_SUFFIX}"))
}

/// Undoes what a killed process has begun in `dir`, and removes what it kept there.
pub(super) fn recover(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let is_ours = |name: &[u8]| {
        name == NAME.as_bytes()
            || (name.starts_with(PREFIX.as_bytes()) && name.ends_with(KEPT_SUFFIX.as_bytes()))
    };
    let found = entries.flatten().any(|entry| is_ours(entry.file_name().as_encoded_bytes()));
    if found { Journal::acquire(dir).map(drop) } else { Ok(()) }
}

impl Journal {
    /// Makes and locks the journal of `dir`, having waited for the commit that goes on there, and
    /// having undone the one that was cut short.
    pub fn acquire(dir: &Path) -> Result<Self> {
        let path = dir.join(NAME);
        let since = Instant::now();
        loop {
            let file = open(&path).map_err(failed("write here", dir))?;
            match file.try_lock() {
                // The one that held it has removed it: that lock is on nothing.
                Ok(()) if !is_at(&file, &path) => {}
                Err(TryLockError::WouldBlock) => {}
                // Where there are no locks, two commits at a time are not kept apart.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    let dir = dir.to_owned();
                    let mut journal = Self { file, path, dir, pending: true };
                    journal.undo_found()?;
                    return Ok(journal);
                }
            }
            if since.elapsed() > PATIENCE {
                return Err(StagingError::Busy(dir.to_owned()));
            }
            sleep(PAUSE);
        }
    }

    /// Undoes what the journal says, and removes what was kept for that.
    fn undo_found(&mut self) -> Result<()> {
        let mut text = String::new();
        // What is cut short was written by a process that had not touched a file yet.
        let record = self.file.read_to_string(&mut text).ok();
        let record = record.and_then(|_| serde_json::from_str::<Record>(&text).ok());
        self.pending = !text.is_empty();
        match record {
            Some(Record { version: VERSION, entries }) => {
                self.undo(&entries).map_err(failed(
                    "put back the files that an interrupted run was replacing",
                    &self.dir,
                ))?;
            }
            Some(_) => {
                let source = io::Error::other("it is of another version of this program");
                return Err(failed("read the journal of an interrupted run", &self.path)(source));
            }
            None if text.is_empty() => {}
            None => self.clear().map_err(failed("write here", &self.dir))?,
        }
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            if name.starts_with(PREFIX.as_bytes()) && name.ends_with(KEPT_SUFFIX.as_bytes()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Writes down what is about to be done, and waits until the disk has it.
    pub fn write(&mut self, entries: &[Entry]) -> io::Result<()> {
        let record = Record { version: VERSION, entries: entries.to_vec() };
        self.file.rewind()?;
        self.pending = true;
        self.file.write_all(&serde_json::to_vec(&record)?)?;
        self.file.sync_all()?;
        sync(&self.dir)
    }

    /// Forgets what was written: from here on, what was done stays.
    pub fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_all()?;
        self.pending = false;
        Ok(())
    }

    /// Puts back what `entries` have replaced as far as that has happened, and forgets them.
    pub fn undo(&mut self, entries: &[Entry]) -> io::Result<()> {
        for entry in entries.iter().filter(|entry| is_plain(&entry.name)) {
            let (path, kept) = (self.dir.join(&entry.name), kept(&self.dir, &entry.name));
            if fs::symlink_metadata(&kept).is_ok() {
                restore(&kept, &path)?;
            } else if entry.new.is_some() && Stamp::of(&path).ok() == entry.new {
                // Nothing was kept: the name was free before the file got it.
                fs::remove_file(&path)?;
            }
        }
        sync(&self.dir)?;
        self.clear()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.pending {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Gives the file at `kept` its name back.
fn restore(kept: &Path, path: &Path) -> io::Result<()> {
    if fs::rename(kept, path).is_err() {
        // Some other way, then.
        let _ = fs::remove_file(path);
        fs::hard_link(kept, path)?;
    }
    // Renaming one name of a file to another name of it does nothing.
    match fs::remove_file(kept) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether `name` is that of a file in the directory itself.
fn is_plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|plain| plain == name)
}

/// Waits until the disk knows the names in `dir`.
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
