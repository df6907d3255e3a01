//! Detection of the format of a file from its first bytes.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::archive::{self, Archive, Tar};
use super::bytes::{BufferedSource, DecodeError, Source};
use super::codec::{Compression, Decoder};
use super::discover::Origin;
use super::unicode::{Encoding, Transcoder};
use super::unsupported::Unsupported;
use super::{csv_table, outputs};

/// The number of first bytes that are examined.
const HEAD_BYTES: usize = 512;

/// The number of first bytes that are examined if they are text that does not begin as JSON.
const TEXT_HEAD_BYTES: usize = 64 << 10;

/// The maximum number of nested compressions.
const MAX_LAYERS: usize = 4;

/// Extensions of files without events, even if they contain braces.
const DOCUMENTS: [&str; 22] = [
    "md", "markdown", "rst", "adoc", "tex", "html", "htm", "xml", "svg", "yml", "yaml", "toml",
    "ini", "cfg", "css", "js", "ts", "py", "rb", "sh", "sql", "tf",
];

/// Extensions of files with JSON, even if they do not begin with it.
const DATA: [&str; 5] = ["json", "ndjson", "jsonl", "jsonlines", "log"];

/// The content of a file.
pub(super) enum Content {
    /// Text, which may contain JSON.
    Text {
        /// The bytes, in UTF-8 if the file is valid.
        source: Box<dyn Source>,
        /// Whether the bytes are decompressed or transcoded.
        is_decoded: bool,
    },
    /// An archive of files.
    Archive(Box<dyn Archive>),
    /// A format that is not supported.
    Unsupported(Unsupported),
    /// An output of an earlier run, with its name.
    Output(&'static str),
}

/// What is known about a file before its content is detected.
pub(super) struct FileInfo<'a> {
    /// The name.
    pub name: &'a str,
    /// How it was discovered. Files named by an argument are skipped less often.
    pub origin: Origin,
    /// The counter of stored bytes, for readers that replace the source.
    pub bytes_read: &'a Arc<AtomicU64>,
}

impl Content {
    /// Decompresses `source` through all layers, and detects its content.
    ///
    /// # Errors
    /// Returns an error if there are too many layers, or if it is a zip archive that cannot be
    /// read.
    pub fn of(mut source: Box<dyn Source>, file: &FileInfo<'_>) -> Result<Self, DecodeError> {
        for layer in 0..=MAX_LAYERS {
            let mut raw = BufferedSource::new(source, HEAD_BYTES);
            // The source returns an error again after the bytes before it.
            let _ = raw.refill(HEAD_BYTES);
            let head = raw.available();
            if let Some(compression) = Compression::of(head) {
                source = Box::new(Decoder::new(raw, compression)?);
            } else if let Some(encoding) = Encoding::of(head) {
                source = Box::new(Transcoder::new(raw, encoding));
            } else if archive::is_tar(head) {
                return Ok(Self::Archive(Box::new(Tar::new(raw))));
            } else if archive::is_zip(head) {
                return Ok(Self::Archive(zip(raw, file.bytes_read)?));
            } else if let Some(unsupported) = Unsupported::of(head) {
                return Ok(Self::Unsupported(unsupported));
            } else {
                return Ok(Self::text(raw, layer > 0, file));
            }
        }
        let message = format!("it is compressed more than {MAX_LAYERS} times; decompress it first");
        Err(DecodeError { offset: 0, message })
    }

    /// Detects the content of a text.
    fn text(mut raw: BufferedSource, is_decoded: bool, file: &FileInfo<'_>) -> Self {
        let output = |head: &[u8]| match file.origin {
            Origin::Found => outputs::detect(head),
            Origin::Named => None,
        };
        if let Some(output) = output(raw.available()) {
            return Self::Output(output);
        }
        if !begins_as_json(raw.available()) {
            raw.grow(TEXT_HEAD_BYTES);
            let _ = raw.refill(TEXT_HEAD_BYTES);
            let head = raw.available();
            if let Some(unsupported) = markup(head).or_else(|| csv_table::detect(head)) {
                return Self::Unsupported(unsupported);
            }
            if file.origin == Origin::Found && !may_hold_json(head, file.name) {
                return Self::Unsupported(Unsupported::other("text without JSON"));
            }
        }
        Self::Text { source: Box::new(raw), is_decoded }
    }
}

/// Returns `true` if a text is blank, or begins with an object, an array or a record separator (RFC
/// 7464).
fn begins_as_json(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    matches!(text.first(), None | Some(b'{' | b'[' | 0x1e))
}

/// Detects HTML and XML.
fn markup(head: &[u8]) -> Option<Unsupported> {
    let start = head.trim_ascii_start();
    let begins = |text: &str| {
        start.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") {
        return Some(Unsupported::other("an HTML page"));
    }
    begins("<?xml").then_some(Unsupported::other("an XML document"))
}

/// Returns `true` if a text that does not begin as JSON may contain JSON nevertheless, as logs do.
fn may_hold_json(head: &[u8], name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let mut extensions = file.rsplit('.');
    let mut extension = extensions.next().unwrap_or_default();
    if matches!(extension, "gz" | "zst" | "bz2" | "xz") {
        extension = extensions.next().unwrap_or_default();
    }
    let has_braces = memchr::memchr2(b'{', b'[', head).is_some();
    DATA.contains(&extension) || (has_braces && !DOCUMENTS.contains(&extension))
}

/// Opens the zip archive in `raw`: in place if it is a stored file, else from a temporary copy.
fn zip(
    mut raw: BufferedSource,
    bytes_read: &Arc<AtomicU64>,
) -> Result<Box<dyn Archive>, DecodeError> {
    match raw.file() {
        Some(file) => archive::open_zip(file, Arc::clone(bytes_read)),
        // The bytes are counted while they are copied.
        None => archive::open_zip(&archive::copy_to_file(&mut raw)?, Arc::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_skipped_only_if_they_contain_no_json() {
        for (text, name, expected) in [
            ("2025-03-01 INFO {\"type\":\"track\"}\n", "in/app", true),
            ("2025-03-01 INFO {\"type\":\"track\"}\n", "in/app.txt", true),
            ("garbage\n", "in/a.ndjson", true),
            ("garbage\n", "in/a.json.gz", true),
            ("garbage\n", "in/manifest", false),
            ("garbage\n", "in/a.gz", false),
            ("# Events\n```\n{\"type\":\"track\"}\n```\n", "in/README.md", false),
            ("version: {a: 1}\n", "in/a.yaml", false),
        ] {
            assert_eq!(may_hold_json(text.as_bytes(), name), expected, "{name}: {text}");
        }
    }

    #[test]
    fn recognizes_texts_that_begin_as_json() {
        for text in ["{", " [", "\u{feff}{", "\u{1e}{", "", " \r\n"] {
            assert!(begins_as_json(text.as_bytes()), "{text:?}");
        }
        for text in ["a", "1", "\"a\"", "<"] {
            assert!(!begins_as_json(text.as_bytes()), "{text:?}");
        }
    }
}
