//! Suggestions for paths that do not exist.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::nearest::nearest;

/// The maximum number of names in a folder that are compared.
const MAX_NAMES: usize = 10_000;

/// Returns the path that `path`, which does not exist, was probably meant to be: its first missing
/// component is replaced by the most similar name in that folder. Returns `None` if no name is
/// similar.
pub(crate) fn similar_path(path: &Path) -> Option<PathBuf> {
    let missing = path.ancestors().take_while(|part| !exists(part)).last()?;
    let rest = path.strip_prefix(missing).ok()?;
    let folder = missing.parent()?;
    let name = missing.file_name()?.to_str()?;
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(here).ok()?.take(MAX_NAMES).filter_map(Result::ok);
    let names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let is_hidden = |name: &str| name.starts_with('.');
    let candidates = names.iter().map(String::as_str);
    let candidates = candidates.filter(|other| is_hidden(name) || !is_hidden(other));
    let found = folder.join(nearest(name, candidates)?);
    let whole = found.join(rest);
    Some(if rest != OsStr::new("") && exists(&whole) { whole } else { found })
}

/// Returns `true` if the path exists. The empty path is the current folder.
fn exists(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_missing_component_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("exports/2025")).unwrap();
        std::fs::write(at("exports/2025/june.ndjson"), "").unwrap();
        std::fs::write(at("exports/.june.ndjson"), "").unwrap();
        let found = |name: &str| {
            similar_path(&at(name)).map(|found| found.strip_prefix(root.path()).unwrap().to_owned())
        };
        for (path, meant) in [
            ("exprots", "exports"),
            ("exprots/2025/june.ndjson", "exports/2025/june.ndjson"),
            ("exports/2025/june.json", "exports/2025/june.ndjson"),
            ("exprots/2024/june.ndjson", "exports"),
        ] {
            assert_eq!(found(path), Some(PathBuf::from(meant)), "{path}");
        }
        assert_eq!(found("rules.toml"), None);
        assert_eq!(found("exports/june.ndjson"), None, "hidden files are not suggested");
    }
}
