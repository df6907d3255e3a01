//! Patterns (`logs/**/*.gz`) and the paths that match them.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

use super::discover::Identity;

/// A leading dot is matched only by a dot, as shells have it.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// One component of a pattern.
enum Part {
    /// A name, or the root, `.` or `..`.
    Literal(PathBuf),
    /// Any name that matches.
    Name(Pattern),
    /// `**`: this folder and all below it, but for hidden ones. Links to folders are not followed.
    Below,
}

/// What the walk came to.
#[derive(Default)]
pub(super) struct Matches {
    /// What matches, in no particular order; perhaps several times.
    pub paths: Vec<PathBuf>,
    /// Folders that could not be listed.
    pub faults: Vec<(PathBuf, io::Error)>,
}

/// Finds what matches `pattern`.
///
/// # Errors
/// When it is no pattern.
pub(super) fn matches(pattern: &str) -> Result<Matches, PatternError> {
    // The whole tells the place of an error.
    Pattern::new(pattern)?;
    let mut parts = Vec::new();
    for component in Path::new(pattern).components() {
        let text = component.as_os_str().to_string_lossy();
        parts.push(match component {
            Component::Normal(_) if text == "**" => Part::Below,
            Component::Normal(_) if super::discover::is_pattern(&text) => {
                Part::Name(Pattern::new(&text)?)
            }
            _ => Part::Literal(component.as_os_str().into()),
        });
    }
    let mut walk = Walk { parts: &parts, seen: HashSet::new(), found: Matches::default() };
    walk.expand(PathBuf::new(), 0);
    Ok(walk.found)
}

/// A walk along the components of a pattern.
struct Walk<'p> {
    parts: &'p [Part],
    /// The folders that were walked, and from which component on: no way leads twice through one.
    seen: HashSet<(Identity, usize)>,
    found: Matches,
}

impl Walk<'_> {
    /// Adds what is below `path` and matches the components from `at` on.
    fn expand(&mut self, path: PathBuf, at: usize) {
        match self.parts.get(at) {
            None => self.found.paths.push(path),
            Some(Part::Literal(name)) => {
                let path = path.join(name);
                if fs::symlink_metadata(&path).is_ok() {
                    self.expand(path, at + 1);
                }
            }
            Some(Part::Name(_) | Part::Below) => self.list(&path, at),
        }
    }

    /// Does so with the entries of the folder at `path`, for a component that they can match.
    fn list(&mut self, path: &Path, at: usize) {
        let folder = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => {
                if !self.seen.insert((Identity::of(folder, &metadata), at)) {
                    return;
                }
            }
            _ => return,
        }
        if matches!(self.parts[at], Part::Below) {
            // A last `**` stands for the folder itself.
            self.expand(path.to_path_buf(), at + 1);
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.found.faults.push((folder.to_path_buf(), error)),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.enter(&path.join(entry.file_name()), &entry, at),
                Err(error) => self.found.faults.push((folder.to_path_buf(), error)),
            }
        }
    }

    fn enter(&mut self, path: &Path, entry: &fs::DirEntry, at: usize) {
        let name = entry.file_name();
        match &self.parts[at] {
            Part::Name(pattern) => {
                if pattern.matches_with(&name.to_string_lossy(), OPTIONS) {
                    self.expand(path.to_path_buf(), at + 1);
                }
            }
            Part::Below => {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder && !name.as_encoded_bytes().starts_with(b".") {
                    self.list(path, at);
                }
            }
            Part::Literal(_) => {}
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(root: &Path, pattern: &str) -> Vec<String> {
        let found = matches(&format!("{}/{pattern}", root.display())).unwrap();
        let names = found.paths.iter().map(|path| path.strip_prefix(root).unwrap());
        let mut names: Vec<String> = names.map(|name| name.display().to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn links_to_folders_that_lead_back_do_not_make_the_walk_longer() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("d")).unwrap();
        fs::write(root.path().join("d/a.json"), "").unwrap();
        for name in ["d/l1", "d/l2"] {
            symlink(".", root.path().join(name)).unwrap();
        }
        assert_eq!(found(root.path(), "d/**/*.json"), ["d/a.json"]);
        assert_eq!(found(root.path(), "**/**/a.json"), ["d/a.json"]);
        let deep = format!("d/{}*.json", "*/".repeat(40));
        assert_eq!(found(root.path(), &deep).len(), 1);
    }

    #[test]
    fn a_link_to_a_folder_is_followed_where_a_component_names_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("real/x")).unwrap();
        fs::write(root.path().join("real/x/a.json"), "").unwrap();
        symlink("real", root.path().join("current")).unwrap();
        assert_eq!(found(root.path(), "current/**/*.json"), ["current/x/a.json"]);
        assert_eq!(found(root.path(), "c*/x/*.json"), ["current/x/a.json"]);
        assert_eq!(found(root.path(), "**/*.json"), ["real/x/a.json"]);
    }
}
