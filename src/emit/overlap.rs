//! Prevents a job from writing to a file that it reads, and from writing two outputs to one file.
//!
//! Files are compared by device and inode, so that hard and symbolic links are recognised.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};

use super::staging::StagingError;
use crate::store::Url;

/// A file, or a folder of files, that a job reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFile {
    /// The path; `None` is standard input, or an object.
    pub path: Option<PathBuf>,
    /// The URL of an object.
    pub object: Option<String>,
    /// The role of the file in errors, with its article: `an input`, `the rules file`.
    pub role: &'static str,
}

impl ReadFile {
    /// Creates the entry for the file at `path` with the given role.
    pub fn new(path: impl Into<PathBuf>, role: &'static str) -> Self {
        Self { path: Some(path.into()), object: None, role }
    }

    /// Creates the entry for an input; `None` is standard input.
    pub fn input(path: Option<PathBuf>) -> Self {
        Self { path, object: None, role: "an input" }
    }

    /// The object with this URL, an input of a job.
    pub fn object(url: impl Into<String>) -> Self {
        Self { path: None, object: Some(url.into()), role: "an input" }
    }
}

/// A file or stream that a job writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The file at this path, which is created or replaced.
    File(PathBuf),
    /// The object of this URL, which is created or replaced.
    Object(Url),
    /// Standard output.
    Stdout,
}

/// Checks that none of `targets` is the same file as one of `reads` or another target, under
/// whatever name. Pipes and devices may be written to several times.
///
/// # Errors
/// Returns an error for the first target that is also read, or that is written to twice.
pub fn check(
    targets: &[Target],
    reads: impl IntoIterator<Item = ReadFile>,
) -> Result<(), StagingError> {
    let mut known: HashMap<Identity, &Target> = HashMap::new();
    for target in targets {
        let Some(identity) = target.identity() else { continue };
        if known.insert(identity, target).is_some() {
            return Err(StagingError::WrittenTwice(target.name()));
        }
    }
    if known.keys().all(|identity| matches!(identity, Identity::Free(..))) {
        return Ok(()); // what is not there is not read
    }
    for read in reads {
        if let Some(target) = read.among(&known) {
            return Err(StagingError::AlsoRead { path: target.name(), role: read.role });
        }
    }
    Ok(())
}

impl Target {
    /// Returns the path, unless the target is standard output.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Object(_) | Self::Stdout => None,
        }
    }

    /// Returns the identity of the file, or `None` if it is not a regular file: nothing in it can
    /// be lost.
    fn identity(&self) -> Option<Identity> {
        match self {
            Self::File(path) => match fs::metadata(path) {
                Ok(found) => found.is_file().then(|| Identity::of(path, &found)),
                Err(_) => Some(Identity::of_free(path)),
            },
            Self::Object(url) => Some(Identity::Object(url.to_string())),
            Self::Stdout => Identity::of_stream(&std::io::stdout()),
        }
    }

    fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Object(url) => url.to_string().into(),
            Self::Stdout => "standard output".into(),
        }
    }
}

impl ReadFile {
    /// Returns the element of `targets` that is the same file, if any.
    fn among<'t>(&self, targets: &HashMap<Identity, &'t Target>) -> Option<&'t Target> {
        if let Some(url) = &self.object {
            return targets.get(&Identity::Object(url.clone())).copied();
        }
        let Some(path) = &self.path else {
            return targets.get(&Identity::of_stream(&std::io::stdin())?).copied();
        };
        let found = fs::metadata(path).ok()?;
        if found.is_file() {
            return targets.get(&Identity::of(path, &found)).copied();
        }
        let folder = path.canonicalize().ok().filter(|_| found.is_dir())?;
        let is_inside = |target: &&Target| {
            let real = target.file().and_then(|path| path.canonicalize().ok());
            real.is_some_and(|path| path.starts_with(&folder))
        };
        targets.values().copied().find(is_inside)
    }
}

/// The identity of a file, whatever its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// The device and the inode.
    Inode(u64, u64),
    /// The canonical path, if the system has no inodes.
    Path(PathBuf),
    /// The URL of an object.
    Object(String),
    /// A path that does not exist, below the canonical path of its nearest existing folder.
    Free(PathBuf),
}

impl Identity {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            // Some file systems have no inode numbers.
            if metadata.ino() != 0 {
                return Self::Inode(metadata.dev(), metadata.ino());
            }
        }
        let _ = metadata;
        Self::Path(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    fn of_free(path: &Path) -> Self {
        let here = Path::new(".").join(path);
        let real = |above: &Path| above.canonicalize().ok().map(|real| (real, above.to_owned()));
        let Some((mut real, above)) = here.ancestors().skip(1).find_map(real) else {
            return Self::Free(here);
        };
        for part in here.strip_prefix(&above).unwrap_or(path).components() {
            match part {
                Component::ParentDir => _ = real.pop(),
                Component::Normal(name) => real.push(name),
                _ => {}
            }
        }
        Self::Free(real)
    }

    /// Returns the identity of the regular file to or from which a standard stream is redirected.
    #[cfg(unix)]
    fn of_stream(stream: &impl std::os::fd::AsFd) -> Option<Self> {
        let file = fs::File::from(stream.as_fd().try_clone_to_owned().ok()?);
        let metadata = file.metadata().ok().filter(Metadata::is_file)?;
        Some(Self::of(Path::new("-"), &metadata))
    }

    #[cfg(not(unix))]
    fn of_stream<T>(_: &T) -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: impl Into<PathBuf>) -> Target {
        Target::File(path.into())
    }

    fn message(targets: &[Target], read: &Path) -> String {
        let read = ReadFile::new(read, "the rules file");
        check(targets, [read]).err().map_or_else(String::new, |error| error.to_string())
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_read_is_known_by_any_name() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("r.toml"), "").unwrap();
        fs::write(at("other"), "").unwrap();
        fs::hard_link(at("r.toml"), at("hard")).unwrap();
        std::os::unix::fs::symlink("r.toml", at("soft")).unwrap();
        for name in ["r.toml", "hard", "soft", "../".to_owned().as_str()] {
            let target = if name == "../" { at("").join(".").join("r.toml") } else { at(name) };
            let said = message(&[file(at("new")), file(target)], &at("r.toml"));
            assert!(said.contains("is also read as the rules file"), "{name}: {said}");
        }
        assert_eq!(message(&[file(at("new")), file(at("other"))], &at("r.toml")), "");
        assert!(message(&[file(at("r.toml"))], root.path()).contains("is also read"));
    }

    #[test]
    fn two_outputs_on_one_path_are_told_whether_it_is_there_or_not() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("there"), "").unwrap();
        for (a, b) in [("there", "./there"), ("new", "./new"), ("a/b", "a/../a/b")] {
            let said = message(&[file(at(a)), file(at(b))], &at("r.toml"));
            assert!(said.contains("two outputs"), "{a} {b}: {said}");
        }
        assert_eq!(message(&[file(at("new")), file(at("newer"))], &at("r.toml")), "");
    }

    #[test]
    fn an_object_that_is_read_is_known_by_its_url() {
        let url = |text: &str| Url::parse(text).unwrap().unwrap();
        let targets = [Target::Object(url("s3://b/out/leads.csv"))];
        let said = |read: &str| {
            let read = ReadFile::object(url(read).to_string());
            check(&targets, [read]).err().map_or_else(String::new, |error| error.to_string())
        };
        let refusal = said("s3a://b/out/leads.csv");
        assert!(refusal.starts_with("s3://b/out/leads.csv: is also read as an input"), "{refusal}");
        assert_eq!(said("s3://b/out/leads.csv.gz"), "");
        assert_eq!(said("gs://b/out/leads.csv"), "");
    }

    #[cfg(unix)]
    #[test]
    fn devices_may_be_written_to_twice() {
        let targets = [file("/dev/null"), file("/dev/null")];
        assert_eq!(message(&targets, Path::new("/dev/null")), "");
    }
}
