//! NDJSON, and JSON as an array with one row per line (RFC 8259).

use super::csv::write_hash;
use super::row::{Cells, Row};
use super::scan;
use super::table::Table;
use crate::time::Time;

/// Encodes rows as JSON objects.
pub(super) struct JsonRows {
    out: Vec<u8>,
    /// Buffers for reuse.
    spare: Vec<Vec<u8>>,
    /// For each column, the text before its value: from `{` or `,` to `:`.
    keys: Vec<Box<[u8]>>,
    /// The index of the next cell's column.
    next: usize,
    own: usize,
    between: Between,
}

/// The separator of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// Each row ends with a line feed.
    Lines,
    /// Each row begins with a comma and a line feed; the writer removes the first comma of the
    /// table.
    Commas,
}

impl JsonRows {
    pub(super) fn new(table: Table<'_>, between: Between) -> Self {
        let key = |(at, (name, _))| {
            let mut key = vec![if at == 0 { b'{' } else { b',' }];
            write_string(name, &mut key);
            key.push(b':');
            key.into_boxed_slice()
        };
        Self {
            out: Vec::new(),
            spare: Vec::new(),
            keys: table.columns().enumerate().map(key).collect(),
            next: 0,
            own: table.own().len(),
            between,
        }
    }

    /// Appends a row.
    #[inline]
    pub(super) fn push(&mut self, row: &impl Row) {
        if self.between == Between::Commas {
            self.out.extend_from_slice(b",\n");
        }
        self.next = 0;
        row.write_cells(self.own, self);
        self.out.push(b'}');
        if self.between == Between::Lines {
            self.out.push(b'\n');
        }
    }

    /// Returns the rows appended since the last call.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let next = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(self.out.len()));
        std::mem::replace(&mut self.out, next)
    }

    /// Takes back a buffer for reuse.
    pub(super) fn reuse(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.spare.push(buffer);
    }

    /// Appends the name of the next column.
    #[inline]
    fn key(&mut self) {
        if let Some(key) = self.keys.get(self.next) {
            self.out.extend_from_slice(key);
        }
        self.next += 1;
    }

    #[inline]
    fn raw(&mut self, value: &str) {
        self.key();
        self.out.extend_from_slice(value.as_bytes());
    }
}

impl Cells for JsonRows {
    #[inline]
    fn hash(&mut self, hash: u128) {
        self.key();
        self.out.push(b'"');
        write_hash(hash, &mut self.out);
        self.out.push(b'"');
    }

    #[inline]
    fn time(&mut self, time: Time) {
        if time.is_missing() {
            return self.raw("null");
        }
        self.key();
        self.out.push(b'"');
        time.write(&mut self.out);
        self.out.push(b'"');
    }

    #[inline]
    fn name(&mut self, name: &'static str) {
        self.text(name);
    }

    #[inline]
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return self.raw("null");
        }
        self.key();
        write_string(text, &mut self.out);
    }

    #[inline]
    fn json(&mut self, json: &str) {
        self.raw(if json.is_empty() { "null" } else { json });
    }

    #[inline]
    fn integer(&mut self, value: i64) {
        self.raw(itoa::Buffer::new().format(value));
    }

    #[inline]
    fn flag(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    fn list(&mut self, texts: &[&str]) {
        self.key();
        self.out.push(b'[');
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            write_string(text, &mut self.out);
        }
        self.out.push(b']');
    }
}

/// Returns `true` if RFC 8259 requires the byte to be escaped in a string.
#[inline]
fn needs_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Appends `text` as a JSON string.
#[inline]
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if scan::any(text.as_bytes(), needs_escape) {
        escape(text.as_bytes(), out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

/// Appends `text` with the shortest escapes of RFC 8259.
#[cold]
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            ..b' ' => {
                out.extend_from_slice(b"\\u00");
                out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_the_shortest() {
        assert_eq!(string("a\"b\\c/d"), r#""a\"b\\c/d""#);
        assert_eq!(string("\u{8}\t\n\u{c}\r\u{1f}\u{0}"), r#""\b\t\n\f\r\u001f\u0000""#);
        assert_eq!(string("Grüße \u{7f}\u{2028}"), "\"Grüße \u{7f}\u{2028}\"");
    }

    proptest! {
        #[test]
        fn another_parser_reads_back_any_text(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&string(&text)).unwrap(), text);
        }
    }
}
