//! Archives, which contain files.

mod salvage;
mod tar;
mod zip;

pub(super) use tar::{Tar, is_tar};
pub(super) use zip::{copy_to_file, is_zip, open as open_zip};

use super::bytes::{DecodeError, Source};

/// A file in an archive.
pub(super) struct Member {
    /// The path in the archive.
    pub name: String,
    /// The contents, or the error that prevents reading them.
    pub source: Result<Box<dyn Source>, DecodeError>,
}

/// The files of an archive, in stored order.
pub(super) trait Archive: Send {
    /// Returns the next member to be read. Skips folders, links and hidden files. The previous
    /// member need not be read to its end.
    ///
    /// # Errors
    /// Returns an error if the rest of the archive cannot be read.
    fn next(&mut self) -> Result<Option<Member>, DecodeError>;
}

/// Returns the display path of a member; `None` for hidden files and metadata of macOS.
fn display_path(path: &str) -> Option<String> {
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
    use super::display_path;

    #[test]
    fn hidden_members_and_metadata_of_macos_are_skipped() {
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
            assert_eq!(display_path(path).as_deref(), shown, "{path}");
        }
    }
}
