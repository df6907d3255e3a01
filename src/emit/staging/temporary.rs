//! Temporary files. They are locked while in use, so that those of killed processes can be
//! recognized and removed.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use tempfile::TempPath;

/// The prefix of the names of all hidden files of this program.
pub(super) const PREFIX: &str = ".backtrail-";
/// The suffix of the names of temporary files.
const SUFFIX: &str = ".tmp";
/// How often to create a file that another process removes before it is locked.
const ATTEMPTS: usize = 16;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Only its owner.
    Owner,
    /// Those whom the umask permits.
    Umask,
}

/// Creates a temporary file in `dir`, locked until it is closed. On file systems without locks it
/// is not locked, and never removed as abandoned.
pub(super) fn create(dir: &Path, readers: Readers) -> io::Result<(File, TempPath)> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match readers {
            Readers::Owner => 0o600,
            Readers::Umask => 0o666,
        },
    );
    for _ in 0..ATTEMPTS {
        // `make_in` does not add the random name to its errors.
        let (file, path) = builder.make_in(dir, |path| options.open(path))?.into_parts();
        match file.try_lock() {
            Ok(()) if !is_at(&file, &path) => {}
            Err(TryLockError::WouldBlock) => {}
            Ok(()) | Err(TryLockError::Error(_)) => return Ok((file, path)),
        }
    }
    Err(io::Error::other("temporary files are removed as soon as they are created"))
}

/// Removes the temporary files in `dir` that no process has locked.
pub(super) fn remove_abandoned_files(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes()) {
            remove_if_abandoned(&entry.path());
        }
    }
}

fn remove_if_abandoned(path: &Path) {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return;
    }
    // Some network file systems lock only files that are open for writing.
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return };
    // The file may have been renamed between opening and locking it.
    if file.try_lock().is_ok() && is_at(&file, path) {
        let _ = fs::remove_file(path);
    }
}

/// Returns `true` if `path` is the name of `file`.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let found = fs::symlink_metadata(path).and_then(|there| Ok((there, file.metadata()?)));
    found.is_ok_and(|(there, open)| there.is_file() && is_same(&there, &open))
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true // an open file cannot be removed or renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> usize {
        fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn only_unlocked_temporary_files_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let (file, path) = create(root.path(), Readers::Owner).unwrap();
        remove_abandoned_files(root.path());
        assert!(is_at(&file, &path), "a file in use was removed");
        // A killed process leaves a closed file.
        drop(file);
        let left = path.keep().unwrap();
        for other in [".backtrail-x.old", "x.tmp", ".tmp"] {
            fs::write(root.path().join(other), "").unwrap();
        }
        fs::create_dir(root.path().join(".backtrail-d.tmp")).unwrap();
        remove_abandoned_files(root.path());
        assert!(!left.exists());
        assert_eq!(names(root.path()), 4);
    }

    #[test]
    fn an_error_does_not_name_the_temporary_file() {
        let root = tempfile::tempdir().unwrap();
        let error = create(&root.path().join("gone"), Readers::Owner).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(PREFIX), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_private_files() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let (file, _path) = create(root.path(), Readers::Owner).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
