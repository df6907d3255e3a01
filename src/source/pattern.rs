//! Expansion of glob patterns (`logs/**/*.gz`).

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

use super::discover::Identity;

/// Wildcards do not match a leading dot, as in shells.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// A component of a pattern.
enum PatternPart {
    /// This name, or the root, `.` or `..`.
    Literal(PathBuf),
    /// Every name that matches.
    Name(Pattern),
    /// `**`: the folder itself and all folders below it that are not hidden. Links to folders are
    /// not followed.
    Recursive,
}

/// The result of an expansion.
#[derive(Default)]
pub(super) struct Matches {
    /// The matching paths, in no particular order and possibly repeated.
    pub paths: Vec<PathBuf>,
    /// Folders that could not be listed.
    pub faults: Vec<(PathBuf, io::Error)>,
}

/// Finds the paths that match `pattern`.
///
/// # Errors
/// Returns an error if the syntax of the pattern is invalid.
pub(super) fn matches(pattern: &str) -> Result<Matches, PatternError> {
    // Errors have the position in the whole pattern.
    Pattern::new(pattern)?;
    let mut parts = Vec::new();
    for component in Path::new(pattern).components() {
        let text = component.as_os_str().to_string_lossy();
        parts.push(match component {
            Component::Normal(_) if text == "**" => PatternPart::Recursive,
            Component::Normal(_) if super::discover::is_pattern(&text) => {
                PatternPart::Name(Pattern::new(&text)?)
            }
            _ => PatternPart::Literal(component.as_os_str().into()),
        });
    }
    let mut walk = Walk { parts: &parts, seen: HashSet::new(), found: Matches::default() };
    walk.expand(PathBuf::new(), 0);
    Ok(walk.found)
}

/// The expansion of one pattern.
struct Walk<'p> {
    parts: &'p [PatternPart],
    /// Folders that were listed, with the component that their entries were matched with. Prevents
    /// cycles through links.
    seen: HashSet<(Identity, usize)>,
    found: Matches,
}

impl Walk<'_> {
    /// Adds the paths below `path` that match the components from `at` on.
    fn expand(&mut self, path: PathBuf, at: usize) {
        match self.parts.get(at) {
            None => self.found.paths.push(path),
            Some(PatternPart::Literal(name)) => {
                let path = path.join(name);
                if fs::symlink_metadata(&path).is_ok() {
                    self.expand(path, at + 1);
                }
            }
            Some(PatternPart::Name(_) | PatternPart::Recursive) => self.list(&path, at),
        }
    }

    /// Expands the entries of the folder `path` that match component `at`, which is not a literal.
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
        if matches!(self.parts[at], PatternPart::Recursive) {
            // `**` also matches the folder itself.
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
            PatternPart::Name(pattern) => {
                if pattern.matches_with(&name.to_string_lossy(), OPTIONS) {
                    self.expand(path.to_path_buf(), at + 1);
                }
            }
            PatternPart::Recursive => {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder && !name.as_encoded_bytes().starts_with(b".") {
                    self.list(path, at);
                }
            }
            PatternPart::Literal(_) => {}
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
    fn cyclic_links_are_followed_once() {
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
    fn links_to_folders_are_followed_only_by_components_that_match_their_name() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("real/x")).unwrap();
        fs::write(root.path().join("real/x/a.json"), "").unwrap();
        symlink("real", root.path().join("current")).unwrap();
        assert_eq!(found(root.path(), "current/**/*.json"), ["current/x/a.json"]);
        assert_eq!(found(root.path(), "c*/x/*.json"), ["current/x/a.json"]);
        assert_eq!(found(root.path(), "**/*.json"), ["real/x/a.json"]);
    }
}
