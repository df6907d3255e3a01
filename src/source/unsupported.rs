//! Formats that are detected but not read.

/// Whether a format may contain events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may contain events, so that skipping it would lose data.
    Data,
    /// It contains no events, as images and documents, which are often stored next to data.
    Other,
}

/// A format that is detected but not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    /// Whether it may contain events.
    pub kind: Kind,
    /// The name of the format, with its article.
    what: &'static str,
    /// How to convert it to a supported format; may be empty.
    remedy: &'static str,
}

/// The supported formats.
const SUPPORTED: &str = "JSON events are read (one a line, pretty-printed or in an array; plain, or in \
                    gzip, zstd, bzip2, xz, zip or tar)";

impl Unsupported {
    /// Creates a format that may contain events.
    const fn data(what: &'static str, remedy: &'static str) -> Self {
        Self { kind: Kind::Data, what, remedy }
    }

    /// Creates a format that is detected by other means than magic bytes.
    pub const fn new(kind: Kind, what: &'static str, remedy: &'static str) -> Self {
        Self { kind, what, remedy }
    }

    /// Creates a format that contains no events.
    pub const fn other(what: &'static str) -> Self {
        Self { kind: Kind::Other, what, remedy: "" }
    }

    /// Detects a format by its magic bytes.
    pub fn of(head: &[u8]) -> Option<Self> {
        let is_binary = is_binary(head);
        let found = MAGIC.iter().find(|(at, magic, _)| {
            let is_match = head.get(*at..).is_some_and(|rest| rest.starts_with(magic));
            // A text may begin with the letters of some magic bytes.
            is_match && (is_binary || !magic.iter().all(u8::is_ascii_alphanumeric))
        });
        found.map(|(.., unsupported)| *unsupported)
    }

    /// Returns the name of the format, with its article.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Returns the message for a file that an argument names.
    pub fn message(&self) -> String {
        let Self { what, remedy, .. } = self;
        let then = if remedy.is_empty() { "" } else { "; " };
        format!("this is {what}, which is not supported:  {SUPPORTED}{then}{remedy}")
    }
}

const DUCKDB: &str = "write it as JSON first, for example with DuckDB: COPY (FROM 'FILE') TO \
                      'events.ndjson'";
const UNPACK: &str = "unpack it and name what was in it";

/// Magic bytes with their offset, and the format of each.
const MAGIC: [(usize, &[u8], Unsupported); 26] = [
    (0, b"PAR1", Unsupported::data("a Parquet file", DUCKDB)),
    (0, b"PARE", Unsupported::data("an encrypted Parquet file", DUCKDB)),
    (
        0,
        b"Obj\x01",
        Unsupported::data(
            "an Avro file",
            "write it as JSON first, for example with `avro-tools tojson FILE > events.ndjson`",
        ),
    ),
    (
        0,
        b"ORC",
        Unsupported::data(
            "an ORC file",
            "write it as JSON first, for example with `orc-contents FILE > events.ndjson`",
        ),
    ),
    (0, b"ARROW1\0\0", Unsupported::data("an Arrow (Feather) file", DUCKDB)),
    (0, b"FEA1", Unsupported::data("a Feather file", DUCKDB)),
    (
        0,
        b"SQLite format 3\0",
        Unsupported::data(
            "a SQLite database",
            "write its events as JSON first: `sqlite3 -json FILE`",
        ),
    ),
    (0, b"7z\xbc\xaf\x27\x1c", Unsupported::data("a 7z archive", UNPACK)),
    (0, b"Rar!\x1a\x07", Unsupported::data("a RAR archive", UNPACK)),
    (0, b"MSCF\0\0\0\0", Unsupported::data("a cabinet archive", UNPACK)),
    (0, b"\x04\x22\x4d\x18", Unsupported::data("an LZ4 file", "unpack it first with `lz4 -d`")),
    (0, b"LZIP", Unsupported::data("an lzip file", "unpack it first with `lzip -d`")),
    (0, b"\x1f\x9d", Unsupported::data("a `compress` file", "unpack it first with `uncompress`")),
    (0, b"\x89LZO\0\r\n\x1a\n", Unsupported::data("an LZO file", "unpack it first with `lzop -d`")),
    (
        0,
        b"\xff\x06\0\0sNaPpY",
        Unsupported::data("a Snappy file", "unpack it first, for example with `snzip -d`"),
    ),
    (
        0,
        b"\x5d\0\0",
        Unsupported::data("an LZMA file", "unpack it first with `xz --format=lzma -d`"),
    ),
    (0, b"%PDF-", Unsupported::other("a PDF document")),
    (0, b"\x89PNG\r\n\x1a\n", Unsupported::other("a PNG image")),
    (0, b"\xff\xd8\xff", Unsupported::other("a JPEG image")),
    (0, b"GIF8", Unsupported::other("a GIF image")),
    (8, b"WEBPVP8", Unsupported::other("a WebP image")),
    (0, b"BM", Unsupported::other("a BMP image")),
    (0, b"\0\0\x01\0", Unsupported::other("an icon")),
    (4, b"ftyp", Unsupported::other("a video")),
    (0, b"ID3", Unsupported::other("an audio file")),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Unsupported::other("an Office document")),
];

/// Returns `true` if the first bytes of a file are not text in UTF-8.
pub(super) fn is_binary(head: &[u8]) -> bool {
    let is_invalid = |fault: std::str::Utf8Error| fault.error_len().is_some();
    head.contains(&0) || std::str::from_utf8(head).is_err_and(is_invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_formats_and_names_the_supported_ones() {
        let message = Unsupported::of(b"PAR1\x15\x00").unwrap().message();
        assert!(message.starts_with("this is a Parquet file"), "{message}");
        assert!(message.contains("JSON events are read"), "{message}");
        assert!(message.contains("COPY (FROM"), "{message}");
        assert_eq!(Unsupported::of(b"Obj\x01\x04").unwrap().what(), "an Avro file");
        assert_eq!(Unsupported::of(b"RIFF\0\0\0\0WEBPVP8 ").unwrap().kind, Kind::Other);
        assert_eq!(Unsupported::of(b"{\"type\":\"track\"}"), None);
        assert_eq!(Unsupported::of(b"ORC started {}"), None, "a text");
        assert_eq!(Unsupported::of(b""), None);
    }
}
