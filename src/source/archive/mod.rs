//! Archives: files that hold files.

mod salvage;
mod tar;
mod zip;

pub(super) use tar::{Tar, begins as begins_tar};
pub(super) use zip::{begins as begins_zip, open as open_zip, spooled};

use super::bytes::{DecodeError, Source};

/// A file of an archive.
pub(super) struct Member {
    /// Its path in the archive.
    pub name: String,
    /// Its bytes, or why there are none.
    pub source: Result<Box<dyn Source>, DecodeError>,
}

/// The files of an archive, one after the other, as they stand in it.
pub(super) trait Archive: Send {
    /// The next member that is a file and is meant to be read: folders, links and hidden files are
    /// left out, as in folders. The one before need not be read to its end.
    ///
    /// # Errors
    /// If the archive cannot be read on; that is its end.
    fn next(&mut self) -> Result<Option<Member>, DecodeError>;
}

/// The path of a member as it is shown; `None` of hidden ones, and of what macOS adds.
fn visible(path: &str) -> Option<String> {
    let parts: Vec<&str> =
        path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    let hidden = |part: &&str| *part != ".." && part.starts_with('.');
    if parts.is_empty() || parts.iter().any(hidden) || parts[0] == "__MACOSX" {
        return None;
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn hidden_members_and_those_of_macos_are_not_shown() {
        for (path, shown) in [
            ("a.json", Some("a.json")),
            ("./logs//a.json", Some("logs/a.json")),
            ("../a.json", Some("../a.json")),
            ("logs\\a.json", Some("logs/a.json")),
            (".a.json", None),
            ("logs/.git/a", None),
            ("__MACOSX/logs/a.json", None),
            ("./", None),
        ] {
            assert_eq!(visible(path).as_deref(), shown, "{path}");
        }
    }
}
