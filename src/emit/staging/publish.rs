//! Renames several files to their final paths, either all of them or none.
//!
//! Existing files are backed up, by a hard link if the file system supports them, until all new
//! files have their names. An error restores the backups at once; after a kill, the next process
//! that writes to the directory does, by the journal.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::Overwrite;
use super::error::{Result, StagingError, io_error};
use super::existing::{Existing, check};
use super::journal::{Entry, FileIdentity, Journal, backup_path, sync};

/// A complete file, synced to the disk, with a temporary name.
pub(super) struct Synced {
    /// Holds the lock of the temporary file.
    pub _lock: File,
    pub temporary: TempPath,
    /// The final name.
    pub name: String,
}

/// A commit to a directory.
pub(super) struct Publication<'d> {
    dir: &'d Path,
    overwrite: Overwrite,
    journal: Journal,
    entries: Vec<Entry>,
}

/// Renames `files` to their names in `dir`, and removes the files `stale` that exist. Returns the
/// paths that were removed.
pub(super) fn publish(
    dir: &Path,
    overwrite: Overwrite,
    files: Vec<Synced>,
    stale: &[String],
) -> Result<Vec<PathBuf>> {
    let mut publication = Publication::start(dir, overwrite, &files, stale)?;
    match files.into_iter().try_for_each(|file| publication.publish_file(file)) {
        Ok(()) => publication.finish(),
        Err(failure) => Err(publication.undo(failure)),
    }
}

impl<'d> Publication<'d> {
    /// Checks all names, and writes the journal.
    pub fn start(
        dir: &'d Path,
        overwrite: Overwrite,
        files: &[Synced],
        stale: &[String],
    ) -> Result<Self> {
        let mut journal = Journal::acquire(dir)?;
        let mut entries = Vec::with_capacity(files.len() + stale.len());
        for file in files {
            check(&dir.join(&file.name), overwrite)?;
            let new = FileIdentity::of(&file.temporary).map_err(io_error("write here", dir))?;
            entries.push(Entry { name: file.name.clone(), new: Some(new) });
        }
        for name in stale {
            if check(&dir.join(name), overwrite)? == Existing::File {
                entries.push(Entry { name: name.clone(), new: None });
            }
        }
        let written = journal.write(&entries);
        if let Err(error) = written {
            let _ = journal.clear();
            return Err(io_error("write here", dir)(error));
        }
        Ok(Self { dir, overwrite, journal, entries })
    }

    /// Renames `file` to its final name.
    pub fn publish_file(&mut self, file: Synced) -> Result<()> {
        let path = self.dir.join(&file.name);
        back_up(&path, &backup_path(self.dir, &file.name))?;
        rename(file.temporary, &path, self.overwrite).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                StagingError::Exists(path)
            } else {
                io_error("rename the file to its final name", &path)(error)
            }
        })
    }

    /// Removes the stale files, and deletes the backups.
    pub fn finish(mut self) -> Result<Vec<PathBuf>> {
        let stale: Vec<_> = self.entries.iter().filter(|entry| entry.new.is_none()).collect();
        let stale: Vec<_> = stale.into_iter().map(|entry| self.dir.join(&entry.name)).collect();
        match self.remove_stale(&stale) {
            Ok(()) => {}
            Err(failure) => return Err(self.undo(failure)),
        }
        for entry in &self.entries {
            let _ = fs::remove_file(backup_path(self.dir, &entry.name));
        }
        Ok(stale)
    }

    fn remove_stale(&mut self, stale: &[PathBuf]) -> Result<()> {
        for (path, entry) in stale.iter().zip(self.entries.iter().filter(|it| it.new.is_none())) {
            back_up(path, &backup_path(self.dir, &entry.name))?;
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("remove the file of an earlier run", path)(error));
                }
                _ => {}
            }
        }
        sync(self.dir).map_err(io_error("sync the directory", self.dir))?;
        self.journal.clear().map_err(io_error("write here", self.dir))
    }

    /// Restores the earlier files after `failure`.
    fn undo(mut self, failure: StagingError) -> StagingError {
        match self.journal.undo(&self.entries) {
            Ok(()) => failure,
            Err(source) => StagingError::NotRestored { failure: Box::new(failure), source },
        }
    }
}

/// Links the file at `path`, if it exists, to `backup`, or moves it there if the file system has no
/// hard links.
fn back_up(path: &Path, backup: &Path) -> Result<()> {
    match fs::hard_link(path, backup).or_else(|_| fs::rename(path, backup)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("back up the file of an earlier run", path)(error))
        }
        _ => Ok(()),
    }
}

/// Renames a file. With [`Overwrite::No`], fails if the name is taken.
fn rename(temporary: TempPath, path: &Path, overwrite: Overwrite) -> io::Result<()> {
    if overwrite == Overwrite::Yes {
        return temporary.persist(path).map_err(|error| error.error);
    }
    let Err(failure) = temporary.persist_noclobber(path) else { return Ok(()) };
    let is_unsupported = matches!(
        failure.error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
    );
    if is_unsupported && fs::symlink_metadata(path).is_err() {
        // There is neither a rename that does not replace nor hard links, so the check is not
        // atomic.
        return failure.path.persist(path).map_err(|error| error.error);
    }
    Err(failure.error)
}

#[cfg(test)]
mod tests {
    use super::super::temporary::{Readers, create};
    use super::*;
    use std::io::Write as _;

    const NAMES: [&str; 3] = ["a.csv", "b.csv", "c.csv"];

    fn synced(dir: &Path, name: &str) -> Synced {
        let (mut file, temporary) = create(dir, Readers::Owner).unwrap();
        file.write_all(b"the new text").unwrap();
        Synced { _lock: file, temporary, name: name.to_owned() }
    }

    /// Returns all files of `dir` with their texts.
    fn contents(dir: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        let mut found: Vec<_> = entries
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        found.sort();
        found
    }

    /// Creates `b.csv` and `c.csv`, which will be replaced, and `stale.csv`. `a.csv` will be new.
    fn create_existing(dir: &Path) -> Vec<(String, String)> {
        for name in ["b.csv", "c.csv", "stale.csv"] {
            fs::write(dir.join(name), format!("old {name}")).unwrap();
        }
        contents(dir)
    }

    fn stale() -> [String; 1] {
        ["stale.csv".to_owned()]
    }

    #[test]
    fn a_commit_replaces_all_files_and_removes_its_own() {
        let root = tempfile::tempdir().unwrap();
        create_existing(root.path());
        let files = NAMES.map(|name| synced(root.path(), name)).into();
        let freed = publish(root.path(), Overwrite::Yes, files, &stale()).unwrap();
        assert_eq!(freed, [root.path().join("stale.csv")]);
        let expected = NAMES.map(|name| (name.to_owned(), "the new text".to_owned()));
        assert_eq!(contents(root.path()), expected);
    }

    #[test]
    fn a_failed_rename_restores_all_files() {
        for fails in NAMES {
            let root = tempfile::tempdir().unwrap();
            let old = create_existing(root.path());
            let files: Vec<_> = NAMES.map(|name| synced(root.path(), name)).into();
            let gone = files.iter().find(|file| file.name == fails).unwrap();
            let gone = gone.temporary.to_path_buf();
            let mut publication =
                Publication::start(root.path(), Overwrite::Yes, &files, &stale()).unwrap();
            fs::remove_file(gone).unwrap();
            let placed = files.into_iter().try_for_each(|file| publication.publish_file(file));
            let error = publication.undo(placed.unwrap_err()).to_string();
            assert!(
                error.contains(&format!("{fails}: cannot rename the file to its final name")),
                "{error}"
            );
            assert_eq!(contents(root.path()), old, "{fails}");
        }
    }

    #[test]
    fn recovery_undoes_a_commit_killed_at_any_file() {
        for placed in 0..=NAMES.len() {
            let root = tempfile::tempdir().unwrap();
            let old = create_existing(root.path());
            let files: Vec<_> = NAMES.map(|name| synced(root.path(), name)).into();
            let mut publication =
                Publication::start(root.path(), Overwrite::Yes, &files, &stale()).unwrap();
            for file in files.into_iter().take(placed) {
                publication.publish_file(file).unwrap();
            }
            drop(publication); // releases the lock, as a kill does
            super::super::journal::recover(root.path()).unwrap();
            assert_eq!(contents(root.path()), old, "{placed}");
        }
    }

    #[test]
    fn recovery_removes_backups_of_a_completed_commit() {
        let root = tempfile::tempdir().unwrap();
        let files = vec![synced(root.path(), "a.csv")];
        publish(root.path(), Overwrite::Yes, files, &[]).unwrap();
        let now = contents(root.path());
        fs::write(backup_path(root.path(), "a.csv"), "old").unwrap();
        super::super::journal::recover(root.path()).unwrap();
        assert_eq!(contents(root.path()), now);
    }

    #[test]
    fn without_hard_links_existing_files_are_moved_to_the_backup() {
        let root = tempfile::tempdir().unwrap();
        let old = create_existing(root.path());
        let files = vec![synced(root.path(), "b.csv")];
        let mut publication = Publication::start(root.path(), Overwrite::Yes, &files, &[]).unwrap();
        // Simulates such a file system: the link fails, as its name is taken.
        fs::write(backup_path(root.path(), "b.csv"), "in the way").unwrap();
        files.into_iter().try_for_each(|file| publication.publish_file(file)).unwrap();
        drop(publication);
        super::super::journal::recover(root.path()).unwrap();
        assert_eq!(contents(root.path()), old);
    }

    #[test]
    fn without_overwrite_a_name_taken_in_the_meantime_undoes_all() {
        let root = tempfile::tempdir().unwrap();
        let files: Vec<_> = NAMES.map(|name| synced(root.path(), name)).into();
        let mut publication = Publication::start(root.path(), Overwrite::No, &files, &[]).unwrap();
        fs::write(root.path().join("c.csv"), "theirs").unwrap();
        let placed = files.into_iter().try_for_each(|file| publication.publish_file(file));
        let failure = publication.undo(placed.unwrap_err());
        assert!(matches!(failure, StagingError::Exists(_)), "{failure}");
        assert_eq!(contents(root.path()), [("c.csv".to_owned(), "theirs".to_owned())]);
    }
}
