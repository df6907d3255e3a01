//! The format of a file, detected from its first bytes.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::archive::{self, Archive, Tar};
use super::bytes::{DecodeError, Raw, Source};
use super::codec::{Decoder, Packing};
use super::discover::Given;
use super::foreign::Foreign;
use super::unicode::{Encoding, Transcoder};
use super::{outputs, table};

/// How many of a file's first bytes are looked at.
const HEAD: usize = 512;

/// How many are looked at where these are text that does not begin as JSON does.
const LONG_HEAD: usize = 64 << 10;

/// How many times a file may be packed.
const LAYERS: usize = 4;

/// Extensions of files that hold no events, whatever braces stand in them.
const DOCUMENTS: [&str; 22] = [
    "md", "markdown", "rst", "adoc", "tex", "html", "htm", "xml", "svg", "yml", "yaml", "toml",
    "ini", "cfg", "css", "js", "ts", "py", "rb", "sh", "sql", "tf",
];

/// Extensions of files that hold JSON, even if what they begin with is none.
const DATA: [&str; 5] = ["json", "ndjson", "jsonl", "jsonlines", "log"];

/// What a file holds.
pub(super) enum Content {
    /// Text.
    Text {
        /// Its bytes, in UTF-8 if all is well.
        source: Box<dyn Source>,
        /// Whether these are other bytes than the stored ones.
        is_decoded: bool,
    },
    /// Files.
    Archive(Box<dyn Archive>),
    /// Something that is not read.
    Foreign(Foreign),
    /// This output of an earlier run.
    Output(&'static str),
}

/// A file whose content is to be told.
pub(super) struct Unknown<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Whether it was named or found. Of those that were named, less is passed over.
    pub given: Given,
    /// Counts the bytes that are read where that is not done already.
    pub bytes_read: &'a Arc<AtomicU64>,
}

impl Content {
    /// Unpacks `source` as far as it is packed, and tells what it is.
    ///
    /// # Errors
    /// When it is packed too often, or is a zip archive that cannot be read.
    pub fn of(mut source: Box<dyn Source>, file: &Unknown<'_>) -> Result<Self, DecodeError> {
        for layer in 0..=LAYERS {
            let mut raw = Raw::new(source, HEAD);
            // A fault comes again, behind the bytes that were read before it.
            let _ = raw.refill(HEAD);
            let head = raw.available();
            if let Some(packing) = Packing::of(head) {
                source = Box::new(Decoder::new(raw, packing)?);
            } else if let Some(encoding) = Encoding::of(head) {
                source = Box::new(Transcoder::new(raw, encoding));
            } else if archive::begins_tar(head) {
                return Ok(Self::Archive(Box::new(Tar::new(raw))));
            } else if archive::begins_zip(head) {
                return Ok(Self::Archive(zip(raw, file.bytes_read)?));
            } else if let Some(foreign) = Foreign::of(head) {
                return Ok(Self::Foreign(foreign));
            } else {
                return Ok(Self::text(raw, layer > 0, file));
            }
        }
        let message = format!("it is packed more than {LAYERS} times; unpack it first");
        Err(DecodeError { offset: 0, message })
    }

    /// What a text is.
    fn text(mut raw: Raw, is_decoded: bool, file: &Unknown<'_>) -> Self {
        let output = |head: &[u8]| match file.given {
            Given::Found => outputs::told(head),
            Given::Named => None,
        };
        if let Some(output) = output(raw.available()) {
            return Self::Output(output);
        }
        if !begins_as_json(raw.available()) {
            raw.grow(LONG_HEAD);
            let _ = raw.refill(LONG_HEAD);
            let head = raw.available();
            if let Some(foreign) = markup(head).or_else(|| table::told(head)) {
                return Self::Foreign(foreign);
            }
            if file.given == Given::Found && !may_hold_json(head, file.name) {
                return Self::Foreign(Foreign::other("text without JSON"));
            }
        }
        Self::Text { source: Box::new(raw), is_decoded }
    }
}

/// Whether a text begins with an object, a list or a separator of RFC 7464, or is blank.
fn begins_as_json(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    matches!(text.first(), None | Some(b'{' | b'[' | 0x1e))
}

/// HTML or XML.
fn markup(head: &[u8]) -> Option<Foreign> {
    let start = head.trim_ascii_start();
    let begins = |text: &str| {
        start.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") {
        return Some(Foreign::other("an HTML page"));
    }
    begins("<?xml").then_some(Foreign::other("an XML document"))
}

/// Whether a text that does not begin as JSON may hold some all the same, as logs do.
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

/// The zip archive in `raw`: in place if that is a file, else in a temporary one.
fn zip(mut raw: Raw, bytes_read: &Arc<AtomicU64>) -> Result<Box<dyn Archive>, DecodeError> {
    match raw.file() {
        Some(file) => archive::open_zip(file, Arc::clone(bytes_read)),
        // Its bytes are counted when they are copied.
        None => archive::open_zip(&archive::spooled(&mut raw)?, Arc::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_passed_over_only_where_it_plainly_holds_no_json() {
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
    fn what_may_begin_a_value_begins_as_json() {
        for text in ["{", " [", "\u{feff}{", "\u{1e}{", "", " \r\n"] {
            assert!(begins_as_json(text.as_bytes()), "{text:?}");
        }
        for text in ["a", "1", "\"a\"", "<"] {
            assert!(!begins_as_json(text.as_bytes()), "{text:?}");
        }
    }
}
