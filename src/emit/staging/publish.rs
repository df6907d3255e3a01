//! Moves several files to their final paths, all of them or none.
//!
//! What stands at a name is kept under another one, by a hard link where the file system has them,
//! until every new file has its name. A failure on the way puts the old files back at once; after
//! a kill the next process that writes here does, by the journal.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::Overwrite;
use super::error::{Result, StagingError, failed};
use super::journal::{Entry, Journal, Stamp, kept, sync};
use super::place::{Place, check};

/// A file that is complete and on the disk, under a temporary name.
pub(super) struct Synced {
    /// Keeps the lock of the temporary file.
    pub _lock: File,
    pub temporary: TempPath,
    /// The name that it is to get.
    pub name: String,
}

/// A commit in a directory.
pub(super) struct Publication<'d> {
    dir: &'d Path,
    overwrite: Overwrite,
    journal: Journal,
    entries: Vec<Entry>,
}

/// Gives every one of `files` its name in `dir`, and frees the names `stale` as far as something
/// has them. Returns the paths that were freed.
pub(super) fn publish(
    dir: &Path,
    overwrite: Overwrite,
    files: Vec<Synced>,
    stale: &[String],
) -> Result<Vec<PathBuf>> {
    let mut publication = Publication::begin(dir, overwrite, &files, stale)?;
    match files.into_iter().try_for_each(|file| publication.place(file)) {
        Ok(()) => publication.finish(),
        Err(failure) => Err(publication.undo(failure)),
    }
}

impl<'d> Publication<'d> {
    /// Checks every name, and writes down what is about to be done.
    pub fn begin(
        dir: &'d Path,
        overwrite: Overwrite,
        files: &[Synced],
        stale: &[String],
    ) -> Result<Self> {
        let mut journal = Journal::acquire(dir)?;
        let mut entries = Vec::with_capacity(files.len() + stale.len());
        for file in files {
            check(&dir.join(&file.name), overwrite)?;
            let new = Stamp::of(&file.temporary).map_err(failed("write here", dir))?;
            entries.push(Entry { name: file.name.clone(), new: Some(new) });
        }
        for name in stale {
            if check(&dir.join(name), overwrite)? == Place::File {
                entries.push(Entry { name: name.clone(), new: None });
            }
        }
        let written = journal.write(&entries);
        if let Err(error) = written {
            let _ = journal.clear();
            return Err(failed("write here", dir)(error));
        }
        Ok(Self { dir, overwrite, journal, entries })
    }

    /// Gives `file` its name.
    pub fn place(&mut self, file: Synced) -> Result<()> {
        let path = self.dir.join(&file.name);
        keep(&path, &kept(self.dir, &file.name))?;
        put(file.temporary, &path, self.overwrite).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                StagingError::Exists(path)
            } else {
                failed("put the file in place", &path)(error)
            }
        })
    }

    /// Frees the names that are to be free, and lets go of the old files.
    pub fn finish(mut self) -> Result<Vec<PathBuf>> {
        let stale: Vec<_> = self.entries.iter().filter(|entry| entry.new.is_none()).collect();
        let stale: Vec<_> = stale.into_iter().map(|entry| self.dir.join(&entry.name)).collect();
        match self.free(&stale) {
            Ok(()) => {}
            Err(failure) => return Err(self.undo(failure)),
        }
        for entry in &self.entries {
            let _ = fs::remove_file(kept(self.dir, &entry.name));
        }
        Ok(stale)
    }

    fn free(&mut self, stale: &[PathBuf]) -> Result<()> {
        for (path, entry) in stale.iter().zip(self.entries.iter().filter(|it| it.new.is_none())) {
            keep(path, &kept(self.dir, &entry.name))?;
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove the file of an earlier run", path)(error));
                }
                _ => {}
            }
        }
        sync(self.dir).map_err(failed("sync the directory", self.dir))?;
        self.journal.clear().map_err(failed("write here", self.dir))
    }

    /// Puts the old files back after `failure`.
    fn undo(mut self, failure: StagingError) -> StagingError {
        match self.journal.undo(&self.entries) {
            Ok(()) => failure,
            Err(source) => StagingError::NotRestored { failure: Box::new(failure), source },
        }
    }
}

/// Keeps what is at `path`, if anything, at `kept` as well, or there alone where the file system
/// has no hard links.
fn keep(path: &Path, kept: &Path) -> Result<()> {
    match fs::hard_link(path, kept).or_else(|_| fs::rename(path, kept)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("keep the file of an earlier run", path)(error))
        }
        _ => Ok(()),
    }
}

/// Gives a file its name; without leave to overwrite, only a name that is free at that moment.
fn put(temporary: TempPath, path: &Path, overwrite: Overwrite) -> io::Result<()> {
    if overwrite == Overwrite::Yes {
        return temporary.persist(path).map_err(|error| error.error);
    }
    let Err(refused) = temporary.persist_noclobber(path) else { return Ok(()) };
    let unable = matches!(
        refused.error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
    );
    if unable && fs::symlink_metadata(path).is_err() {
        // Neither a rename that replaces nothing nor hard links: what is left is to look first.
        return refused.path.persist(path).map_err(|error| error.error);
    }
    Err(refused.error)
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

    /// All files of `dir` and their texts.
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

    /// `a.csv` is new, `b.csv` replaces a file, `c.csv` and `stale.csv` are there.
    fn before(dir: &Path) -> Vec<(String, String)> {
        for name in ["b.csv", "c.csv", "stale.csv"] {
            fs::write(dir.join(name), format!("old {name}")).unwrap();
        }
        contents(dir)
    }

    fn stale() -> [String; 1] {
        ["stale.csv".to_owned()]
    }

    #[test]
    fn a_commit_replaces_all_and_leaves_nothing_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        before(root.path());
        let files = NAMES.map(|name| synced(root.path(), name)).into();
        let freed = publish(root.path(), Overwrite::Yes, files, &stale()).unwrap();
        assert_eq!(freed, [root.path().join("stale.csv")]);
        let expected = NAMES.map(|name| (name.to_owned(), "the new text".to_owned()));
        assert_eq!(contents(root.path()), expected);
    }

    #[test]
    fn a_rename_that_fails_puts_every_old_file_back() {
        for fails in NAMES {
            let root = tempfile::tempdir().unwrap();
            let old = before(root.path());
            let files: Vec<_> = NAMES.map(|name| synced(root.path(), name)).into();
            let gone = files.iter().find(|file| file.name == fails).unwrap();
            let gone = gone.temporary.to_path_buf();
            let mut publication =
                Publication::begin(root.path(), Overwrite::Yes, &files, &stale()).unwrap();
            fs::remove_file(gone).unwrap();
            let placed = files.into_iter().try_for_each(|file| publication.place(file));
            let error = publication.undo(placed.unwrap_err()).to_string();
            assert!(error.contains(&format!("{fails}: cannot put the file in place")), "{error}");
            assert_eq!(contents(root.path()), old, "{fails}");
        }
    }

    #[test]
    fn the_next_start_undoes_a_commit_that_was_killed_anywhere() {
        for placed in 0..=NAMES.len() {
            let root = tempfile::tempdir().unwrap();
            let old = before(root.path());
            let files: Vec<_> = NAMES.map(|name| synced(root.path(), name)).into();
            let mut publication =
                Publication::begin(root.path(), Overwrite::Yes, &files, &stale()).unwrap();
            for file in files.into_iter().take(placed) {
                publication.place(file).unwrap();
            }
            drop(publication); // says nothing more, and lets go of its lock
            super::super::journal::recover(root.path()).unwrap();
            assert_eq!(contents(root.path()), old, "{placed}");
        }
    }

    #[test]
    fn what_a_finished_commit_had_kept_goes_at_the_next_start() {
        let root = tempfile::tempdir().unwrap();
        let files = vec![synced(root.path(), "a.csv")];
        publish(root.path(), Overwrite::Yes, files, &[]).unwrap();
        let now = contents(root.path());
        fs::write(kept(root.path(), "a.csv"), "old").unwrap();
        super::super::journal::recover(root.path()).unwrap();
        assert_eq!(contents(root.path()), now);
    }

    #[test]
    fn without_hard_links_the_old_file_is_kept_by_its_name() {
        let root = tempfile::tempdir().unwrap();
        let old = before(root.path());
        let files = vec![synced(root.path(), "b.csv")];
        let mut publication = Publication::begin(root.path(), Overwrite::Yes, &files, &[]).unwrap();
        // As on such a file system: a link fails, here because the name is taken.
        fs::write(kept(root.path(), "b.csv"), "in the way").unwrap();
        files.into_iter().try_for_each(|file| publication.place(file)).unwrap();
        drop(publication);
        super::super::journal::recover(root.path()).unwrap();
        assert_eq!(contents(root.path()), old);
    }

    #[test]
    fn without_leave_a_name_that_is_taken_in_the_meantime_undoes_all() {
        let root = tempfile::tempdir().unwrap();
        let files: Vec<_> = NAMES.map(|name| synced(root.path(), name)).into();
        let mut publication = Publication::begin(root.path(), Overwrite::No, &files, &[]).unwrap();
        fs::write(root.path().join("c.csv"), "theirs").unwrap();
        let placed = files.into_iter().try_for_each(|file| publication.place(file));
        let failure = publication.undo(placed.unwrap_err());
        assert!(matches!(failure, StagingError::Exists(_)), "{failure}");
        assert_eq!(contents(root.path()), [("c.csv".to_owned(), "theirs".to_owned())]);
    }
}
