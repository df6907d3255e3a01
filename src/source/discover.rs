//! From arguments to the list of inputs.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use glob::PatternError;
use walkdir::{DirEntry, WalkDir};
use xxhash_rust::xxh3::xxh3_128;

use super::fault::Fault;
use super::inputs::Inputs;
use super::nearby::nearby;
use super::outputs;
use super::pattern::{self, Matches};
use super::remote::{Refused, Remote};
use super::stdin;
use crate::store::{Access, Object, Scheme, StoreError, Stores, Url, UrlError};

/// How an input came into the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// It was named.
    Named,
    /// It was found in a folder, or by a pattern.
    Found,
}

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Where it is; `None` of standard input, of objects, and of members of archives.
    pub path: Option<PathBuf>,
    /// The object that it is, if it is one of a store.
    pub object: Option<Object>,
    /// What to call it before the user; `-` is standard input.
    pub display: String,
    /// Its size in bytes as it is stored; `None` of pipes, members of archives and the like.
    pub size: Option<u64>,
    /// Whether it was named or found.
    pub given: Given,
}

/// What the arguments name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// In the order of the arguments, each argument's sorted by the bytes of their paths.
    pub inputs: Inputs,
    /// Folders that could not be listed, and the like.
    pub faults: Vec<Fault>,
    /// What is said of each output of an earlier run that was passed over.
    pub passed_over: Vec<String>,
}

/// Arguments that name nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// No argument, and nothing is piped in.
    #[error("no input: name files or folders, or pipe events in")]
    NoInput,
    /// No such file or folder.
    #[error("{}: no such file or folder{}", .path.display(), did_you_mean(.nearby.as_deref()))]
    Missing {
        /// What was named.
        path: PathBuf,
        /// What was likely meant.
        nearby: Option<PathBuf>,
    },
    /// A URL that cannot be read.
    #[error("{0}")]
    Url(UrlError),
    /// A store that does not say what is there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No object of this name, and none below it.
    #[error("{0}: no such object, and none below it")]
    NoObject(String),
    /// A pattern that matches no file.
    #[error("{0}: no file matches this pattern; `*` stays in one folder, `**` goes into all below")]
    NoMatch(String),
    /// A pattern that cannot be understood.
    #[error("{pattern}: not a valid pattern: {message}; `[[]` stands for `[` itself")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
}

/// Lists what `args` name, without credentials for stores: files, folders (all files in them and below, hidden ones left out),
/// patterns where no file has that very name, and `-` for standard input, which is also meant by no
/// argument at all unless it is a terminal. What is reached twice is listed once.
///
/// Links to folders are followed when they are named, not when they are met on the way; that holds of
/// patterns too, in which `**` meets them and any other component names them.
///
/// # Errors
/// If an argument names nothing. A folder that is there but cannot be read is no error but a
/// [`Fault`] in the result.
pub fn discover(args: &[OsString], stdin_is_terminal: bool) -> Result<Discovery, DiscoverError> {
    let stores = Stores::new(Access::default());
    discover_with(args, stdin_is_terminal, &Remote { stores: &stores, window: (None, None) })
}

/// The same, with objects of stores: URLs name objects, folders (all objects below a prefix) and
/// patterns as paths do. What `remote` has a window for is narrowed to the days of it.
///
/// # Errors
/// As of [`discover`], and when a store does not say what is there: a listing that is not whole would
/// lose events.
pub fn discover_with(
    args: &[OsString],
    stdin_is_terminal: bool,
    remote: &Remote<'_>,
) -> Result<Discovery, DiscoverError> {
    let mut found = Finder::default();
    if args.is_empty() {
        if stdin_is_terminal {
            return Err(DiscoverError::NoInput);
        }
        found.add_stdin();
    }
    for arg in args {
        if arg == "-" {
            found.add_stdin();
        } else if let Some(url) = arg.to_str().and_then(Url::parse) {
            found.add_url(&url.map_err(DiscoverError::Url)?, args.len() == 1, remote)?;
        } else {
            found.add_argument(Path::new(arg))?;
        }
    }
    Ok(found.discovery)
}

/// What makes two paths the same file.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    Path(PathBuf),
    /// The hash of a URL, of which there may be millions.
    Object(u128),
}

impl Identity {
    /// What tells the file at `path` from all others.
    pub fn of(path: &Path, metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            // Some file systems have no inode numbers.
            if metadata.ino() != 0 {
                return Self::Inode(metadata.dev(), metadata.ino());
            }
        }
        let _ = metadata;
        Self::Path(fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()))
    }
}

#[derive(Default)]
struct Finder {
    discovery: Discovery,
    seen: HashSet<Identity>,
    /// Folders whose files are listed already.
    walked: HashSet<Identity>,
}

impl Finder {
    fn add_stdin(&mut self) {
        // So that a file both named and redirected is read once, where the system can tell.
        let path = Path::new("/dev/stdin");
        let identity = fs::metadata(path).map(|metadata| Identity::of(path, &metadata));
        if self.seen.insert(identity.unwrap_or_else(|_| Identity::Path("-".into()))) {
            self.discovery.inputs.push(Input {
                path: None,
                object: None,
                display: "-".into(),
                size: stdin::size(),
                given: Given::Named,
            });
        }
    }

    fn add_argument(&mut self, path: &Path) -> Result<(), DiscoverError> {
        match fs::metadata(path) {
            Ok(metadata) => self.add_existing(path, &metadata, Given::Named),
            Err(error) if is_missing(&error) => match path.to_str().filter(|s| is_pattern(s)) {
                Some(pattern) if fs::symlink_metadata(path).is_err() => {
                    self.add_pattern(pattern)?;
                }
                _ => {
                    let nearby = nearby(path);
                    return Err(DiscoverError::Missing { path: path.to_path_buf(), nearby });
                }
            },
            Err(error) => self.add_fault(path, &error),
        }
        Ok(())
    }

    /// Adds what `url` names, which may be the only argument.
    fn add_url(
        &mut self,
        url: &Url,
        is_only: bool,
        remote: &Remote<'_>,
    ) -> Result<(), DiscoverError> {
        let named = remote.find(url).map_err(|refused| match refused {
            Refused::Store(error) => error.into(),
            Refused::Nothing if is_pattern(url.key()) => DiscoverError::NoMatch(url.to_string()),
            Refused::Nothing => DiscoverError::NoObject(url.to_string()),
            Refused::Pattern(error) => bad_pattern(&url.to_string(), &error),
        })?;
        self.discovery.passed_over.extend(named.passed_over);
        if is_only {
            // Nothing is found twice, and there may be millions.
            debug_assert!(self.discovery.inputs.is_empty());
            self.discovery.inputs = named.objects;
            return Ok(());
        }
        for input in &named.objects {
            // Addresses of the web differ in their queries, too.
            let identity = if url.scheme() == Scheme::Web {
                xxh3_128(url.address().as_bytes())
            } else {
                xxh3_128(input.display.as_bytes())
            };
            if self.seen.insert(Identity::Object(identity)) {
                self.discovery.inputs.push(input);
            }
        }
        Ok(())
    }

    /// Adds a named file, or the files of a named folder.
    fn add_existing(&mut self, path: &Path, metadata: &Metadata, given: Given) {
        if metadata.is_dir() {
            self.add_folder(path);
        } else {
            self.add_file(path, metadata, given);
        }
    }

    fn add_file(&mut self, path: &Path, metadata: &Metadata, given: Given) {
        if given == Given::Found
            && let Some(output) = outputs::at(path)
        {
            let text = outputs::passed_over(&path.display().to_string(), output);
            self.discovery.passed_over.push(text);
            return;
        }
        if self.seen.insert(Identity::of(path, metadata)) {
            self.discovery.inputs.push(Input {
                path: Some(path.to_path_buf()),
                object: None,
                display: path.display().to_string(),
                size: metadata.is_file().then_some(metadata.len()),
                given,
            });
        }
    }

    /// Adds the files in `folder` and below it; each folder is walked once.
    fn add_folder(&mut self, folder: &Path) {
        let mut paths = Vec::new();
        let (walked, mut faults) = (&mut self.walked, Vec::new());
        let mut is_new = |entry: &DirEntry| {
            let is_folder = entry.file_type().is_dir();
            let metadata = is_folder.then(|| entry.metadata().ok()).flatten();
            metadata.is_none_or(|metadata| walked.insert(Identity::of(entry.path(), &metadata)))
        };
        let is_new = |entry: &DirEntry| !is_hidden(entry) && is_new(entry);
        for entry in WalkDir::new(folder).into_iter().filter_entry(is_new) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => paths.push(entry.into_path()),
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_path_buf();
                    faults.push((path, error.into()));
                }
            }
        }
        for (path, error) in &faults {
            self.add_fault(path, error);
        }
        sort_by_bytes(&mut paths);
        for path in paths {
            match fs::metadata(&path) {
                // Pipes and devices are read when named, but nobody means them by a folder.
                Ok(metadata) if metadata.is_file() => {
                    self.add_file(&path, &metadata, Given::Found);
                }
                Ok(_) => {}
                Err(error) => self.add_fault(&path, &error),
            }
        }
    }

    fn add_pattern(&mut self, pattern: &str) -> Result<(), DiscoverError> {
        let Matches { mut paths, faults } =
            pattern::matches(pattern).map_err(|error| bad_pattern(pattern, &error))?;
        if paths.is_empty() && faults.is_empty() {
            return Err(DiscoverError::NoMatch(pattern.to_owned()));
        }
        for (path, error) in faults {
            self.add_fault(&path, &error);
        }
        sort_by_bytes(&mut paths);
        for path in paths {
            match fs::metadata(&path) {
                Ok(metadata) => self.add_existing(&path, &metadata, Given::Found),
                Err(error) => self.add_fault(&path, &error),
            }
        }
        Ok(())
    }

    fn add_fault(&mut self, path: &Path, error: &io::Error) {
        // Walking adds the path to the text of its errors; the cause is the plain one.
        let cause = error.get_ref().and_then(std::error::Error::source);
        self.discovery.faults.push(Fault {
            file: None,
            display: path.display().to_string(),
            offset: None,
            decoded: None,
            message: cause.map_or_else(|| error.to_string(), ToString::to_string),
        });
    }
}

fn bad_pattern(pattern: &str, error: &PatternError) -> DiscoverError {
    let message = format!("{} at character {}", error.msg, error.pos + 1);
    DiscoverError::BadPattern { pattern: pattern.to_owned(), message }
}

/// `; did you mean exports/?` of what was likely meant.
pub(crate) fn did_you_mean(nearby: Option<&Path>) -> String {
    nearby.map_or_else(String::new, |path| format!("; did you mean {}?", path.display()))
}

/// Whether nothing can be there: a part of the path does not exist or is no folder.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether `name` can match other names.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Whether an entry below the folder that was named is hidden.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && is_dotted(entry.file_name())
}

fn is_dotted(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Sorts by the bytes of the whole path: `a.json` before `a/b.json`.
fn sort_by_bytes(paths: &mut [PathBuf]) {
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            create_dir_all(path.parent().unwrap()).unwrap();
            write(path, file).unwrap();
        }
        root
    }

    fn found(root: &Path, args: &[&str]) -> Result<Discovery, DiscoverError> {
        let args: Vec<_> = args.iter().map(|arg| root.join(arg).into_os_string()).collect();
        discover(&args, false)
    }

    /// The names of what is found, below `root`.
    fn names(root: &Path, args: &[&str]) -> Vec<String> {
        let inputs = found(root, args).unwrap().inputs;
        let prefix = format!("{}/", root.display());
        inputs.iter().map(|input| input.display.strip_prefix(&prefix).unwrap().into()).collect()
    }

    #[test]
    fn folders_are_walked_in_the_order_of_path_bytes_without_hidden_files() {
        let root = tree(&["d/a/b", "d/a.json", "d/.hidden", "d/.git/x", "d/A", "d/z/1", "d/z/.2"]);
        assert_eq!(names(root.path(), &["d"]), ["d/A", "d/a.json", "d/a/b", "d/z/1"]);
        assert_eq!(names(root.path(), &["d/.hidden", "d/.git"]), ["d/.hidden", "d/.git/x"]);
        assert_eq!(found(root.path(), &["d/A"]).unwrap().inputs.get(0).unwrap().size, Some(3));
    }

    #[test]
    fn the_order_is_that_of_the_arguments_and_what_comes_twice_is_read_once() {
        let root = tree(&["b", "a", "d/c"]);
        fs::hard_link(root.path().join("a"), root.path().join("d/again")).unwrap();
        assert_eq!(names(root.path(), &["b", "d", "d/../b", ""]), ["b", "d/again", "d/c"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_read_and_links_to_folders_only_when_named() {
        use std::os::unix::fs::symlink;
        let root = tree(&["real/x", "d/y", "other"]);
        symlink("../real", root.path().join("d/link")).unwrap();
        symlink("../d", root.path().join("d/loop")).unwrap();
        symlink("../other", root.path().join("d/one")).unwrap();
        assert_eq!(names(root.path(), &["d"]), ["d/one", "d/y"]);
        assert_eq!(names(root.path(), &["d/link"]), ["d/link/x"]);
        symlink("gone", root.path().join("d/dangling")).unwrap();
        let discovery = found(root.path(), &["d"]).unwrap();
        assert_eq!((discovery.inputs.len(), discovery.faults.len()), (2, 1));
        assert!(discovery.faults[0].to_string().contains("d/dangling: No such file"));
    }

    #[test]
    fn patterns_are_expanded_unless_a_file_has_that_name() {
        let root =
            tree(&["l/b.gz", "l/a.gz", "l/x/c.gz", "l/x/y/d.gz", "l/.h/e.gz", "l/.f.gz", "l/n"]);
        assert_eq!(names(root.path(), &["l/*.gz"]), ["l/a.gz", "l/b.gz"]);
        let deep = ["l/a.gz", "l/b.gz", "l/x/c.gz", "l/x/y/d.gz"];
        assert_eq!(names(root.path(), &["l/**/*.gz"]), deep);
        assert_eq!(names(root.path(), &["l/?.gz", "l/[x-z]"]), deep);
        assert_eq!(names(root.path(), &["l/*"])[2..], ["l/n", "l/x/c.gz", "l/x/y/d.gz"]);
        assert!(!names(root.path(), &["l/**"]).iter().any(|name| name.contains(".h")));
        write(root.path().join("l/[x-z]"), "").unwrap();
        assert_eq!(names(root.path(), &["l/[x-z]"]), ["l/[x-z]"]);
    }

    #[test]
    fn arguments_that_name_nothing_are_errors() {
        let root = tree(&["a"]);
        let error = |arg| found(root.path(), &[arg]).unwrap_err().to_string();
        assert!(error("b").ends_with("/b: no such file or folder"));
        assert!(error("a/b").ends_with("/a/b: no such file or folder"));
        assert!(error("*.gz").contains("/*.gz: no file matches this pattern; "));
        assert!(error("[a").contains("/[a: not a valid pattern: "));
        let root = tree(&["exports/june.ndjson"]);
        let error = found(root.path(), &["exprots/june.ndjson"]).unwrap_err().to_string();
        assert!(error.contains("; did you mean ") && error.ends_with("/exports/june.ndjson?"));
    }

    #[test]
    fn without_arguments_standard_input_is_read_unless_it_is_a_terminal() {
        let stdin: Inputs = std::iter::once(Input {
            path: None,
            object: None,
            display: "-".into(),
            size: stdin::size(), // a test program may be started with any
            given: Given::Named,
        })
        .collect();
        assert_eq!(discover(&[], false).unwrap().inputs, stdin);
        assert_eq!(discover(&["-".into(), "-".into()], true).unwrap().inputs, stdin);
        assert_eq!(discover(&[], true), Err(DiscoverError::NoInput));
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_a_fault() {
        let mut finder = Finder::default();
        finder.add_folder(Path::new("/nowhere/at/all"));
        let faults = finder.discovery.faults;
        assert_eq!(faults.len(), 1);
        let text = faults[0].to_string();
        assert!(text.starts_with("/nowhere/at/all: No such file"), "{text}");
        assert_eq!(text.matches("nowhere").count(), 1, "{text}");
    }
}
