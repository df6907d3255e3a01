//! The layers of the library: a module uses only modules that `src/lib.rs` lists before it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Inside of the engine, the stages can use one another; the jobs cannot.
const JOBS: [&str; 5] = ["audit", "check", "explain", "queue", "run"];

/// A use of a module of the crate by another one.
struct Use {
    from: PathBuf,
    line: usize,
    path: String,
}

/// Every `crate::…` path in the code of `src`, without comments and tests.
fn uses() -> Vec<Use> {
    let mut uses = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "tests") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && path.file_name().is_some_and(|name| name != "tests.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                uses.extend(uses_in(&path, &text));
            }
        }
    }
    uses
}

fn uses_in(file: &Path, text: &str) -> Vec<Use> {
    let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
    let mut uses = Vec::new();
    for (number, line) in code.enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        for rest in line.split("crate::").skip(1) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
            let path = rest[..end.unwrap_or(rest.len())].to_owned();
            uses.push(Use { from: file.to_owned(), line: number + 1, path });
        }
    }
    uses
}

/// The module path of a file: `["jobs", "run", "output"]`.
fn module_of(file: &Path) -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let relative = file.strip_prefix(source).unwrap().with_extension("");
    let parts = relative.iter().map(|part| part.to_str().unwrap().to_owned());
    parts.filter(|part| part != "mod").collect()
}

#[test]
fn modules_use_only_those_that_the_library_lists_before_them() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    let library = library.unwrap();
    let names = library.lines().filter_map(|line| {
        line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    let floors: BTreeMap<String, usize> = names.enumerate().map(|(at, name)| (name, at)).collect();
    assert!(floors.len() > 15, "src/lib.rs lists its modules one a line");
    let mut upward = Vec::new();
    for Use { from, line, path } in uses() {
        let module = module_of(&from);
        let used = path.split("::").next().unwrap_or_default();
        let (Some(own), Some(other)) = (floors.get(&module[0]), floors.get(used)) else { continue };
        if other > own || (own == other && module[0] != used) {
            upward.push(format!("{}:{line} uses crate::{path}", from.display()));
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn a_job_uses_another_only_through_its_root_module() {
    let mut inside = Vec::new();
    for Use { from, line, path } in uses() {
        let module = module_of(&from);
        let mut parts = path.split("::");
        let (Some("jobs"), Some(job)) = (parts.next(), parts.next()) else { continue };
        let of_job = module.first().is_some_and(|first| first == "jobs");
        let is_other = of_job && module.get(1).is_some_and(|own| own != job);
        let deeper = parts.next().is_some_and(|next| next.starts_with(|c: char| c.is_lowercase()));
        if is_other && JOBS.contains(&job) && deeper && parts.next().is_some() {
            inside.push(format!("{}:{line} uses crate::{path}", from.display()));
        }
    }
    assert!(inside.is_empty(), "{}", inside.join("\n"));
}

#[test]
fn files_that_the_overview_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let overview = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let named = overview.split('`').skip(1).step_by(2);
    let paths: Vec<_> =
        named.filter(|name| name.contains('/') || name.starts_with("main")).collect();
    assert!(paths.len() > 20, "{paths:?}");
    // A file is named relative to the root, to `src`, or to one of the other folders.
    let found = |path: &&str| {
        ["", "src", "src/jobs/audit", "src/parse/capture", "src/event"]
            .iter()
            .any(|folder| root.join(folder).join(path).exists())
    };
    let missing: Vec<_> = paths.iter().filter(|path| !found(path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
