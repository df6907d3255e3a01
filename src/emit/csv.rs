//! CSV (RFC 4180 with LF line ends), guarded against formula injection.

use wide::u8x16;

use super::FormulaGuard;
use super::row::{Cells, Row};
use super::scan::Needles;
use super::table::Table;
use crate::time::{Time, TimeWriter};

/// The bytes that require quotes around a cell.
const QUOTED: Needles = Needles::new(*b"\",\n\r");

/// The initial size of a buffer, in bytes: about the size of the rows of a typical block.
const INITIAL_BYTES: usize = 320 << 10;

/// Encodes rows as CSV lines.
pub(super) struct CsvRows {
    out: Vec<u8>,
    /// Buffers for reuse.
    spare: Vec<Vec<u8>>,
    guard: FormulaGuard,
    guarded: u64,
    own: usize,
    /// A buffer for the cell of a list.
    joined: Vec<u8>,
    times: TimeWriter,
}

impl CsvRows {
    pub(super) fn new(table: Table<'_>, guard: FormulaGuard) -> Self {
        Self {
            out: Vec::new(),
            spare: Vec::new(),
            guard,
            guarded: 0,
            own: table.own().len(),
            joined: Vec::new(),
            times: TimeWriter::default(),
        }
    }

    /// Appends a line.
    #[inline]
    pub(super) fn push(&mut self, row: &impl Row) {
        if self.out.capacity() == 0 {
            self.out.reserve(INITIAL_BYTES);
        }
        row.write_cells(self.own, self);
        self.end_line();
    }

    /// Returns the lines appended since the last call, and the number of their guarded cells.
    pub(super) fn take(&mut self) -> (Vec<u8>, u64) {
        // The next rows will need about the same size, and growing a buffer copies it.
        let usual = self.out.len() + self.out.len() / 8;
        let next = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(usual));
        (std::mem::replace(&mut self.out, next), std::mem::take(&mut self.guarded))
    }

    /// Takes back a buffer for reuse.
    pub(super) fn reuse(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.spare.push(buffer);
    }

    /// Appends a cell with text from the data.
    #[inline]
    fn cell(&mut self, cell: &[u8]) {
        if cell.is_empty() {
            return self.out.push(b',');
        }
        let guard = self.guard == FormulaGuard::On && is_formula(cell);
        self.guarded += u64::from(guard);
        self.write(cell, guard);
    }

    /// Appends a cell that is not empty, after an apostrophe if `guard` is set.
    #[inline]
    fn write(&mut self, cell: &[u8], guard: bool) {
        let quote = QUOTED.are_in(cell);
        if quote {
            self.out.push(b'"');
        }
        if guard {
            self.out.push(b'\'');
        }
        if quote {
            double_quotes(cell, &mut self.out);
            self.out.push(b'"');
        } else {
            self.out.extend_from_slice(cell);
        }
        self.out.push(b',');
    }

    /// Replaces the comma after the last cell by the end of the line.
    #[inline]
    fn end_line(&mut self) {
        if let Some(last) = self.out.last_mut() {
            *last = b'\n';
        }
    }
}

/// Returns the header of `table`. Custom columns can have names from the data, so they are guarded
/// too.
pub(super) fn header(table: Table<'_>, guard: FormulaGuard) -> Vec<u8> {
    let mut rows = CsvRows::new(table, guard);
    for (name, _) in table.columns() {
        rows.text(name);
    }
    rows.end_line();
    rows.out
}

impl Cells for CsvRows {
    #[inline]
    fn hash(&mut self, hash: u128) {
        write_hash(hash, &mut self.out);
        self.out.push(b',');
    }

    #[inline]
    fn time(&mut self, time: Time) {
        self.times.write(time, &mut self.out);
        self.out.push(b',');
    }

    #[inline]
    fn name(&mut self, name: &'static str) {
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b',');
    }

    #[inline]
    fn text(&mut self, text: &str) {
        self.cell(text.as_bytes());
    }

    #[inline]
    fn json(&mut self, json: &str) {
        self.cell(json.as_bytes());
    }

    #[inline]
    fn integer(&mut self, value: i64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.out.push(b',');
    }

    #[inline]
    fn flag(&mut self, value: bool) {
        self.name(if value { "true" } else { "false" });
    }

    fn list(&mut self, texts: &[&str]) {
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        let mut guarded = false;
        // If a spreadsheet separates cells by semicolons, the text after a semicolon begins a cell.
        let pieces = texts.iter().flat_map(|text| text.as_bytes().split(|&byte| byte == b';'));
        for (at, piece) in pieces.enumerate() {
            if at > 0 {
                joined.push(b';');
            }
            if self.guard == FormulaGuard::On && is_formula(piece) {
                joined.push(b'\'');
                guarded = true;
            }
            joined.extend_from_slice(piece);
        }
        self.guarded += u64::from(guarded);
        if joined.is_empty() {
            self.out.push(b',');
        } else {
            self.write(&joined, false);
        }
        self.joined = joined;
    }
}

/// Returns `true` if a spreadsheet could take the cell for a formula (OWASP, "CSV Injection"): it
/// begins with an equals sign, an at sign, or a character that ends a cell or a line; or with a
/// plus or minus sign, unless it is a number or a phone number. Some spreadsheets accept full-width
/// forms as well.
#[inline]
pub(crate) fn is_formula(cell: &[u8]) -> bool {
    match cell {
        [b'=' | b'@' | b'\t' | b'\r' | b'\n', ..] => true,
        [b'+' | b'-', rest @ ..] => !is_number(rest),
        [0xef, 0xbc, last, rest @ ..] => match last {
            0x9d | 0xa0 => true,
            0x8b | 0x8d => !is_number(rest),
            _ => false,
        },
        _ => false,
    }
}

/// Returns `true` if the text after a sign has only the characters of numbers and phone numbers.
fn is_number(rest: &[u8]) -> bool {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b' ' | b'(' | b')' | b'.' | b'-' | b'+');
    rest.iter().all(is_part)
}

/// Appends `cell` with every quotation mark doubled.
#[cold]
fn double_quotes(cell: &[u8], out: &mut Vec<u8>) {
    let mut start = 0;
    for at in memchr::memchr_iter(b'"', cell) {
        out.extend_from_slice(&cell[start..=at]);
        out.push(b'"');
        start = at + 1;
    }
    out.extend_from_slice(&cell[start..]);
}

/// Appends a content hash as 32 lower-case hex digits.
#[inline]
pub(super) fn write_hash(hash: u128, out: &mut Vec<u8>) {
    const LOWER: u128 = u128::from_le_bytes([0x0f; 16]);
    let halves = [hash >> 4 & LOWER, hash & LOWER].map(|half| {
        let values = u8x16::new(half.to_be_bytes());
        let is_digit = values.min(u8x16::splat(9)).simd_eq(values);
        values + is_digit.bitselect(u8x16::splat(b'0'), u8x16::splat(b'a' - 10))
    });
    let [upper, lower] = halves;
    out.extend_from_slice(u8x16::unpack_low(upper, lower).as_array());
    out.extend_from_slice(u8x16::unpack_high(upper, lower).as_array());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the line of `cells`, and the number of guarded cells.
    fn line(cells: &[&str], guard: FormulaGuard) -> (Vec<u8>, u64) {
        let mut rows = CsvRows::new(Table::Leads, guard);
        for cell in cells {
            rows.text(cell);
        }
        rows.end_line();
        rows.take()
    }

    fn text(cells: &[&str]) -> String {
        String::from_utf8(line(cells, FormulaGuard::On).0).unwrap()
    }

    #[test]
    fn only_cells_that_need_it_are_quoted() {
        assert_eq!(text(&["plain", "", " blank "]), "plain,, blank \n");
        assert_eq!(text(&["a,b", "say \"hi\"", "\""]), "\"a,b\",\"say \"\"hi\"\"\",\"\"\"\"\n");
        assert_eq!(text(&["two\nlines", "cr\r"]), "\"two\nlines\",\"cr\r\"\n");
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded() {
        for cell in [
            "=HYPERLINK(\"x\")",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd",
            "@SUM(1)",
            "\tx",
            "\r=1",
            "-1e-7",
            "=A1",
            "=1+1",
            "=",
            "@",
            "\n=cmd|x",
            "＝cmd|x",
            "＠SUM(1)",
            "＋cmd",
            "－２",
            "-1\t2",
        ] {
            let (line, guarded) = line(&[cell], FormulaGuard::On);
            let unquoted = line.strip_prefix(b"\"").unwrap_or(&line);
            assert!(unquoted.starts_with(b"'"), "{cell:?}");
            assert_eq!(guarded, 1, "{cell:?}");
        }
    }

    #[test]
    fn numbers_and_phone_numbers_are_not_guarded() {
        let cells = ["-1.5", "+49 (30) 123-45.6", "-", "+1", "a=b", "'=1", "－12", "ａ"];
        assert_eq!(text(&cells), "-1.5,+49 (30) 123-45.6,-,+1,a=b,'=1,－12,ａ\n");
        assert_eq!(line(&cells, FormulaGuard::On).1, 0);
    }

    #[test]
    fn the_guard_can_be_turned_off() {
        assert_eq!(line(&["=A1", "@x"], FormulaGuard::Off), (b"=A1,@x\n".to_vec(), 0));
    }

    #[test]
    fn each_item_of_a_list_is_guarded() {
        let mut rows = CsvRows::new(Table::Leads, FormulaGuard::On);
        rows.list(&["a", "b,c"]);
        rows.list(&[]);
        rows.list(&["=x", "y"]);
        rows.list(&["0a;=x", "+49 30", "@y"]);
        rows.end_line();
        let line = b"\"a;b,c\",,'=x;y,0a;'=x;+49 30;'@y\n".to_vec();
        assert_eq!(rows.take(), (line, 2));
        let mut rows = CsvRows::new(Table::Leads, FormulaGuard::Off);
        rows.list(&["=x", "@y"]);
        rows.end_line();
        assert_eq!(rows.take(), (b"=x;@y\n".to_vec(), 0));
    }

    #[test]
    fn our_own_numbers_are_never_guarded() {
        let mut rows = CsvRows::new(Table::Leads, FormulaGuard::On);
        rows.integer(i64::MIN);
        rows.hash(0xff);
        rows.flag(true);
        rows.time(Time::MISSING);
        rows.end_line();
        let expected = "-9223372036854775808,000000000000000000000000000000ff,true,\n";
        assert_eq!(rows.take(), (expected.into(), 0));
    }

    #[test]
    fn the_header_names_the_columns_and_guards_the_own_ones() {
        let own = ["form".to_owned(), "=x".to_owned()];
        let header = String::from_utf8(header(Table::Signals(&own), FormulaGuard::On)).unwrap();
        assert!(header.starts_with("signal_id,timestamp,received_at,type,event,"), "{header}");
        assert!(header.ends_with(",source,message_id,form,'=x\n"), "{header}");
    }

    proptest! {
        #[test]
        fn the_csv_crate_reads_back_any_text(
            cells in proptest::collection::vec("[\\PC\",\r\n\t=';]{0,40}", 2..6),
        ) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let (line, _) = line(&cells, FormulaGuard::Off);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&line[..]);
            let records: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), 1);
            prop_assert_eq!(records[0].iter().collect::<Vec<_>>(), cells);
        }

        #[test]
        fn a_guarded_cell_is_the_cell_after_an_apostrophe(cell in "[=+@\t\r\n＝－-][a-z,\"\n0-9 ]{0,20}") {
            let (line, guarded) = line(&[&cell, "x"], FormulaGuard::On);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&line[..]);
            let read = reader.records().next().unwrap().unwrap()[0].to_owned();
            let expected = if guarded == 1 { format!("'{cell}") } else { cell };
            prop_assert_eq!(read, expected);
        }
    }
}
