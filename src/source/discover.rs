//! Discovery: from the arguments to the list of inputs.

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
use super::outputs;
use super::pattern::{self, Matches};
use super::remote::{FindError, Remote};
use super::stdin;
use super::suggestion::similar_path;
use crate::store::{Access, Object, Scheme, StoreError, Stores, Url, UrlError};

/// How an input was discovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An argument names it.
    Named,
    /// It is in a folder that an argument names, or matches a pattern.
    Found,
}

/// A file, object or stream to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The path; `None` for standard input, objects and members of archives.
    pub path: Option<PathBuf>,
    /// The object, if the input is one of a store.
    pub object: Option<Object>,
    /// The name in messages; `-` is standard input.
    pub display: String,
    /// The stored size in bytes; `None` for pipes, members of archives and other streams of unknown
    /// length.
    pub size: Option<u64>,
    /// How it was discovered.
    pub origin: Origin,
}

/// The inputs that the arguments name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The inputs in the order of the arguments; those of one argument are sorted by the bytes of
    /// their paths.
    pub inputs: Inputs,
    /// Folders and files that could not be read.
    pub faults: Vec<Fault>,
    /// Messages about skipped inputs, such as outputs of an earlier run.
    pub skipped: Vec<String>,
}

/// An error of an argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// No argument, and standard input is a terminal.
    #[error("no input: name files or folders, or pipe events in")]
    NoInput,
    /// A file or folder that does not exist.
    #[error("{}: no such file or folder{}", .path.display(), did_you_mean(.similar.as_deref()))]
    Missing {
        /// The argument.
        path: PathBuf,
        /// The most similar path that exists.
        similar: Option<PathBuf>,
    },
    /// A URL that is not supported.
    #[error("{0}")]
    Url(UrlError),
    /// A store that cannot be listed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A URL with neither an object nor a folder.
    #[error("{0}: no such object, and none below it")]
    NoObject(String),
    /// A pattern that matches no file.
    #[error("{0}: no file matches this pattern; `*` stays in one folder, `**` goes into all below")]
    NoMatch(String),
    /// A pattern with invalid syntax.
    #[error("{pattern}: not a valid pattern: {message}; `[[]` stands for `[` itself")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// The syntax error.
        message: String,
    },
}

/// Lists the inputs that `args` name, without credentials for stores. An argument is a file, a
/// folder (for all files in it and its subfolders, except hidden ones), a pattern if no file has
/// that name, or `-` for standard input. Without arguments, standard input is read unless it is a
/// terminal. An input that is named twice is listed once.
///
/// Links to folders are followed if an argument names them, but not if they are found in a folder
/// or by `**`. Other components of patterns follow them.
///
/// # Errors
/// Returns an error if an argument names nothing. A folder that exists but cannot be read is a
/// [`Fault`] in the result.
pub fn discover(args: &[OsString], stdin_is_terminal: bool) -> Result<Discovery, DiscoverError> {
    let stores = Stores::new(Access::default());
    discover_with(args, stdin_is_terminal, &Remote { stores: &stores, window: (None, None) })
}

/// Like [`discover`], with the credentials of `remote` for stores. URLs name objects, folders (all
/// objects below a prefix) and patterns. Archives of events are restricted to the days of the
/// window in `remote`.
///
/// # Errors
/// Returns an error if an argument names nothing, or if a store cannot be listed completely, which
/// would lose events.
pub fn discover_with(
    args: &[OsString],
    stdin_is_terminal: bool,
    remote: &Remote<'_>,
) -> Result<Discovery, DiscoverError> {
    let mut finder = Finder::default();
    if args.is_empty() {
        if stdin_is_terminal {
            return Err(DiscoverError::NoInput);
        }
        finder.add_stdin();
    }
    for arg in args {
        if arg == "-" {
            finder.add_stdin();
        } else if let Some(url) = arg.to_str().and_then(Url::parse) {
            finder.add_url(&url.map_err(DiscoverError::Url)?, args.len() == 1, remote)?;
        } else {
            finder.add_argument(Path::new(arg))?;
        }
    }
    Ok(finder.discovery)
}

/// The identity of an input, equal for two paths of one file.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    Path(PathBuf),
    /// The hash of a URL, as there may be millions of URLs.
    Object(u128),
}

impl Identity {
    /// Returns the identity of the file at `path`.
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

/// Collects inputs, each once.
#[derive(Default)]
struct Finder {
    discovery: Discovery,
    seen: HashSet<Identity>,
    /// Folders whose files were listed already.
    walked: HashSet<Identity>,
}

impl Finder {
    fn add_stdin(&mut self) {
        // A file that is both named and redirected is read once, if the system reports its
        // identity.
        let path = Path::new("/dev/stdin");
        let identity = fs::metadata(path).map(|metadata| Identity::of(path, &metadata));
        if self.seen.insert(identity.unwrap_or_else(|_| Identity::Path("-".into()))) {
            self.discovery.inputs.push(Input {
                path: None,
                object: None,
                display: "-".into(),
                size: stdin::size(),
                origin: Origin::Named,
            });
        }
    }

    fn add_argument(&mut self, path: &Path) -> Result<(), DiscoverError> {
        match fs::metadata(path) {
            Ok(metadata) => self.add_existing(path, &metadata, Origin::Named),
            Err(error) if is_missing(&error) => match path.to_str().filter(|s| is_pattern(s)) {
                Some(pattern) if fs::symlink_metadata(path).is_err() => {
                    self.add_pattern(pattern)?;
                }
                _ => {
                    let similar = similar_path(path);
                    return Err(DiscoverError::Missing { path: path.to_path_buf(), similar });
                }
            },
            Err(error) => self.add_fault(path, &error),
        }
        Ok(())
    }

    /// Adds the objects that `url` names. `is_only` states that there is no other argument.
    fn add_url(
        &mut self,
        url: &Url,
        is_only: bool,
        remote: &Remote<'_>,
    ) -> Result<(), DiscoverError> {
        let named = remote.find(url).map_err(|error| match error {
            FindError::Store(error) => error.into(),
            FindError::NotFound if is_pattern(url.key()) => DiscoverError::NoMatch(url.to_string()),
            FindError::NotFound => DiscoverError::NoObject(url.to_string()),
            FindError::Pattern(error) => bad_pattern(&url.to_string(), &error),
        })?;
        self.discovery.skipped.extend(named.skipped);
        if is_only {
            // One URL has no duplicates, so hashing, possibly of millions of URLs, is unnecessary.
            debug_assert!(self.discovery.inputs.is_empty());
            self.discovery.inputs = named.objects;
            return Ok(());
        }
        for input in &named.objects {
            // Web addresses may differ only in their queries.
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

    /// Adds a file, or the files in a folder.
    fn add_existing(&mut self, path: &Path, metadata: &Metadata, origin: Origin) {
        if metadata.is_dir() {
            self.add_folder(path);
        } else {
            self.add_file(path, metadata, origin);
        }
    }

    fn add_file(&mut self, path: &Path, metadata: &Metadata, origin: Origin) {
        if origin == Origin::Found
            && let Some(output) = outputs::detect_file(path)
        {
            let text = outputs::skipped(&path.display().to_string(), output);
            self.discovery.skipped.push(text);
            return;
        }
        if self.seen.insert(Identity::of(path, metadata)) {
            self.discovery.inputs.push(Input {
                path: Some(path.to_path_buf()),
                object: None,
                display: path.display().to_string(),
                size: metadata.is_file().then_some(metadata.len()),
                origin,
            });
        }
    }

    /// Adds the files in `folder` and its subfolders. Each folder is walked once.
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
                // Pipes and devices are read only if an argument names them.
                Ok(metadata) if metadata.is_file() => {
                    self.add_file(&path, &metadata, Origin::Found);
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
                Ok(metadata) => self.add_existing(&path, &metadata, Origin::Found),
                Err(error) => self.add_fault(&path, &error),
            }
        }
        Ok(())
    }

    fn add_fault(&mut self, path: &Path, error: &io::Error) {
        // `walkdir` adds the path to its errors; the cause does not contain it.
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

/// Returns `; did you mean exports/?`, or nothing without a similar path.
pub(crate) fn did_you_mean(similar: Option<&Path>) -> String {
    similar.map_or_else(String::new, |path| format!("; did you mean {}?", path.display()))
}

/// Returns `true` if the error says that the path cannot exist.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Returns `true` if `name` contains special characters of patterns.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Returns `true` if an entry below the named folder is hidden.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && is_dotted(entry.file_name())
}

fn is_dotted(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Sorts paths by their bytes: `a.json` before `a/b.json`.
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

    /// Returns the names of the inputs, relative to `root`.
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
    fn inputs_are_in_the_order_of_the_arguments_without_duplicates() {
        let root = tree(&["b", "a", "d/c"]);
        fs::hard_link(root.path().join("a"), root.path().join("d/again")).unwrap();
        assert_eq!(names(root.path(), &["b", "d", "d/../b", ""]), ["b", "d/again", "d/c"]);
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_to_files_and_named_links_to_folders() {
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
            size: stdin::size(), // the test runner may redirect any
            origin: Origin::Named,
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
