//! The file or folder that was likely meant by a path that names none.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::nearest::nearest;

/// So many names of a folder are looked at.
const MOST_NAMES: usize = 10_000;

/// What `path`, which names nothing, was likely meant to be: the first of its parts that is not
/// there is replaced by the nearest name in that folder. `None` where no name is near.
pub(crate) fn nearby(path: &Path) -> Option<PathBuf> {
    let missing = path.ancestors().take_while(|part| !exists(part)).last()?;
    let rest = path.strip_prefix(missing).ok()?;
    let folder = missing.parent()?;
    let name = missing.file_name()?.to_str()?;
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(here).ok()?.take(MOST_NAMES).filter_map(Result::ok);
    let names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let is_hidden = |name: &str| name.starts_with('.');
    let candidates = names.iter().map(String::as_str);
    let candidates = candidates.filter(|other| is_hidden(name) || !is_hidden(other));
    let found = folder.join(nearest(name, candidates)?);
    let whole = found.join(rest);
    Some(if rest != OsStr::new("") && exists(&whole) { whole } else { found })
}

/// Whether there is something; the current folder is the empty path, too.
fn exists(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_that_is_not_there_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("exports/2025")).unwrap();
        std::fs::write(path("exports/2025/june.ndjson"), "").unwrap();
        std::fs::write(path("exports/.june.ndjson"), "").unwrap();
        let found = |name: &str| {
            nearby(&path(name)).map(|found| found.strip_prefix(root.path()).unwrap().to_owned())
        };
        for (given, meant) in [
            ("exprots", "exports"),
            ("exprots/2025/june.ndjson", "exports/2025/june.ndjson"),
            ("exports/2025/june.json", "exports/2025/june.ndjson"),
            ("exprots/2024/june.ndjson", "exports"),
        ] {
            assert_eq!(found(given), Some(PathBuf::from(meant)), "{given}");
        }
        assert_eq!(found("rules.toml"), None);
        assert_eq!(found("exports/june.ndjson"), None, "a hidden file is not meant");
    }
}
