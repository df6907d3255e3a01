//! Formats that are detected but not read.

/// Whether a format may hold events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may: not to read it loses data.
    Data,
    /// Pictures, documents and the like, which stand beside data.
    Other,
}

/// A format that is told but not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// Whether it may hold events.
    pub kind: Kind,
    /// What it is, with its article.
    what: &'static str,
    /// How to come by what is read.
    remedy: &'static str,
}

/// What is read instead.
const READ: &str = "JSON events are read (one a line, pretty-printed or in an array; plain, or in \
                    gzip, zstd, bzip2, xz, zip or tar)";

impl Foreign {
    /// Something that may hold events.
    const fn data(what: &'static str, remedy: &'static str) -> Self {
        Self { kind: Kind::Data, what, remedy }
    }

    /// Something that a function told, not its magic number.
    pub const fn new(kind: Kind, what: &'static str, remedy: &'static str) -> Self {
        Self { kind, what, remedy }
    }

    /// Something that holds no events.
    pub const fn other(what: &'static str) -> Self {
        Self { kind: Kind::Other, what, remedy: "" }
    }

    /// Tells the format from the first bytes.
    pub fn of(head: &[u8]) -> Option<Self> {
        let is_binary = is_binary(head);
        let found = MAGIC.iter().find(|(at, magic, _)| {
            let begins = head.get(*at..).is_some_and(|rest| rest.starts_with(magic));
            // A text may well begin with a few letters.
            begins && (is_binary || !magic.iter().all(u8::is_ascii_alphanumeric))
        });
        found.map(|(.., foreign)| *foreign)
    }

    /// What it is.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// What is wrong with naming it as an input, and what to do.
    pub fn refusal(&self) -> String {
        let Self { what, remedy, .. } = self;
        let then = if remedy.is_empty() { "" } else { "; " };
        format!("this is {what}, which is not read: {READ}{then}{remedy}")
    }
}

const DUCKDB: &str = "write it as JSON first, for example with DuckDB: COPY (FROM 'FILE') TO \
                      'events.ndjson'";
const UNPACK: &str = "unpack it and name what was in it";

/// Where a magic number stands, what it is, and what it says.
const MAGIC: [(usize, &[u8], Foreign); 26] = [
    (0, b"PAR1", Foreign::data("a Parquet file", DUCKDB)),
    (0, b"PARE", Foreign::data("an encrypted Parquet file", DUCKDB)),
    (
        0,
        b"Obj\x01",
        Foreign::data(
            "an Avro file",
            "write it as JSON first, for example with `avro-tools tojson FILE > events.ndjson`",
        ),
    ),
    (
        0,
        b"ORC",
        Foreign::data(
            "an ORC file",
            "write it as JSON first, for example with `orc-contents FILE > events.ndjson`",
        ),
    ),
    (0, b"ARROW1\0\0", Foreign::data("an Arrow (Feather) file", DUCKDB)),
    (0, b"FEA1", Foreign::data("a Feather file", DUCKDB)),
    (
        0,
        b"SQLite format 3\0",
        Foreign::data("a SQLite database", "write its events as JSON first: `sqlite3 -json FILE`"),
    ),
    (0, b"7z\xbc\xaf\x27\x1c", Foreign::data("a 7z archive", UNPACK)),
    (0, b"Rar!\x1a\x07", Foreign::data("a RAR archive", UNPACK)),
    (0, b"MSCF\0\0\0\0", Foreign::data("a cabinet archive", UNPACK)),
    (0, b"\x04\x22\x4d\x18", Foreign::data("an LZ4 file", "unpack it first with `lz4 -d`")),
    (0, b"LZIP", Foreign::data("an lzip file", "unpack it first with `lzip -d`")),
    (0, b"\x1f\x9d", Foreign::data("a `compress` file", "unpack it first with `uncompress`")),
    (0, b"\x89LZO\0\r\n\x1a\n", Foreign::data("an LZO file", "unpack it first with `lzop -d`")),
    (
        0,
        b"\xff\x06\0\0sNaPpY",
        Foreign::data("a Snappy file", "unpack it first, for example with `snzip -d`"),
    ),
    (0, b"\x5d\0\0", Foreign::data("an LZMA file", "unpack it first with `xz --format=lzma -d`")),
    (0, b"%PDF-", Foreign::other("a PDF document")),
    (0, b"\x89PNG\r\n\x1a\n", Foreign::other("a PNG image")),
    (0, b"\xff\xd8\xff", Foreign::other("a JPEG image")),
    (0, b"GIF8", Foreign::other("a GIF image")),
    (8, b"WEBPVP8", Foreign::other("a WebP image")),
    (0, b"BM", Foreign::other("a BMP image")),
    (0, b"\0\0\x01\0", Foreign::other("an icon")),
    (4, b"ftyp", Foreign::other("a video")),
    (0, b"ID3", Foreign::other("an audio file")),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign::other("an Office document")),
];

/// Whether the first bytes of a file are no text in UTF-8.
pub(super) fn is_binary(head: &[u8]) -> bool {
    let cut = |fault: std::str::Utf8Error| fault.error_len().is_some();
    head.contains(&0) || std::str::from_utf8(head).is_err_and(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_its_first_bytes_and_named_with_what_is_read_instead() {
        let refusal = Foreign::of(b"PAR1\x15\x00").unwrap().refusal();
        assert!(refusal.starts_with("this is a Parquet file"), "{refusal}");
        assert!(refusal.contains("JSON events are read"), "{refusal}");
        assert!(refusal.contains("COPY (FROM"), "{refusal}");
        assert_eq!(Foreign::of(b"Obj\x01\x04").unwrap().what(), "an Avro file");
        assert_eq!(Foreign::of(b"RIFF\0\0\0\0WEBPVP8 ").unwrap().kind, Kind::Other);
        assert_eq!(Foreign::of(b"{\"type\":\"track\"}"), None);
        assert_eq!(Foreign::of(b"ORC started {}"), None, "a text");
        assert_eq!(Foreign::of(b""), None);
    }
}
