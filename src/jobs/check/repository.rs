//! The repository of the files, so that each file has the same name from whatever folder the check
//! is started.

use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters of a path that need no escape in a URI (RFC 3986, `unreserved` and the slash).
const IN_URI: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A repository, and the folder in which the check was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    root: PathBuf,
    here: PathBuf,
}

impl Repository {
    /// Returns the repository of the working folder `here`, which is absolute: the nearest folder
    /// upwards that has a `.git`, or `here` itself if there is none.
    pub fn around(here: &Path) -> Self {
        let root = here.ancestors().find(|folder| folder.join(".git").exists());
        Self { root: root.unwrap_or(here).to_owned(), here: here.to_owned() }
    }

    /// Returns the path of `file`, as the user wrote it, from the root of the repository; an
    /// absolute path if it is outside. Links are not followed.
    pub fn name(&self, file: &str) -> String {
        if file.is_empty() || file == "-" {
            return file.to_owned();
        }
        let path = plain(&self.here.join(file));
        let path = path.strip_prefix(&self.root).unwrap_or(&path);
        path.to_string_lossy().into_owned()
    }

    /// Returns the path as a URI: relative to the root of the repository, or with the scheme
    /// `file`.
    pub fn uri(&self, file: &str) -> String {
        let name = self.name(file);
        let scheme = if name.starts_with('/') { "file://" } else { "" };
        format!("{scheme}{}", utf8_percent_encode(&name, IN_URI))
    }

    /// Returns `true` if the file that [`Repository::name`] calls `name` exists.
    pub fn has(&self, name: &str) -> bool {
        name == "-" || self.root.join(name).exists()
    }
}

/// Returns `path` without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> Repository {
        Repository { root: "/repo".into(), here: "/repo/sub".into() }
    }

    #[test]
    fn a_file_has_one_name_from_everywhere() {
        for file in ["a b.json", "./a b.json", "../sub/a b.json", "/repo/sub/x/../a b.json"] {
            assert_eq!(repository().name(file), "sub/a b.json");
        }
        assert_eq!(repository().name("../../other.json"), "/other.json");
        assert_eq!(repository().name("-"), "-");
    }

    #[test]
    fn uris_hold_nothing_that_needs_an_escape() {
        assert_eq!(repository().uri("a b:%ü#?.json"), "sub/a%20b%3A%25%C3%BC%23%3F.json");
        assert_eq!(repository().uri("/tmp/a b"), "file:///tmp/a%20b");
    }

    #[test]
    fn the_root_is_the_next_folder_with_a_git_folder() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("one/two");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(dir.path().join("one/.git")).unwrap();
        std::fs::write(deep.join("x.json"), "").unwrap();
        let repository = Repository::around(&deep);
        assert_eq!(repository.name("x.json"), "two/x.json");
        assert!(repository.has("two/x.json") && !repository.has("x.json"));
    }
}
