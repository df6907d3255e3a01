//! Converts byte offsets of a text to lines, columns and excerpts.

use std::ops::Range;

use super::finding::{Excerpt, Place};
use crate::diagnostic::{char_boundary, excerpt, masked};

/// Locates offsets in one text.
///
/// It remembers the last offset: if offsets are requested in order, each byte is examined only
/// once, even if the text is one long line.
pub struct Placer<'t> {
    file: &'t str,
    text: &'t str,
    /// The number of the first line of the text.
    first_line: u64,
    /// The offsets at which lines begin.
    starts: Vec<usize>,
    /// The last offset and its column, from 1.
    last: (usize, u64),
}

impl<'t> Placer<'t> {
    /// Creates a placer for `text`, which begins at line `first_line` of `file`.
    pub fn new(file: &'t str, text: &'t str, first_line: u64) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { file, text, first_line, starts, last: (0, 1) }
    }

    /// Returns the line, from 1, of the byte at `at`.
    pub fn line(&self, at: usize) -> u64 {
        self.first_line + (self.starts.partition_point(|&start| start <= at) - 1) as u64
    }

    /// Returns the place and the excerpt of `span`. A span over several lines ends with the first.
    pub fn place(&mut self, span: &Range<usize>) -> (Place, Excerpt) {
        let from = char_boundary(self.text, span.start);
        let number = self.starts.partition_point(|&start| start <= from) - 1;
        let start = self.starts[number];
        let end = self.starts.get(number + 1).map_or(self.text.len(), |&next| next - 1);
        let line = &self.text[start..end];
        let line = line.strip_suffix('\r').unwrap_or(line);
        let to = char_boundary(self.text, span.end).clamp(from, (start + line.len()).max(from));
        let (text, carets) = excerpt(line, &(from - start..to - start));
        let place = Place {
            file: self.file.to_owned(),
            line: self.first_line + number as u64,
            column: self.column(start, from),
            width: self.text[from..to].chars().count() as u64,
        };
        (place, Excerpt { text: masked(&text), carets })
    }

    fn column(&mut self, line_start: usize, at: usize) -> u64 {
        let (known, column) = self.last;
        let (known, column) =
            if known >= line_start && known <= at { (known, column) } else { (line_start, 1) };
        let column = column + self.text[known..at].chars().count() as u64;
        self.last = (at, column);
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_go_on_from_the_first() {
        let mut placer = Placer::new("a.json", "{\"é\": 1,\r\n  \"b\": 22 }", 7);
        let (place, shown) = placer.place(&(1..8));
        assert_eq!((place.line, place.column, place.width), (7, 2, 6));
        assert_eq!((shown.text.as_str(), shown.carets.as_str()), ("{\"é\": 1,", " ^^^^^^"));
        let (place, shown) = placer.place(&(13..20));
        assert_eq!((place.line, place.column, place.width), (8, 3, 7));
        assert_eq!(shown.carets, "  ^^^^^^^");
        // Backwards, and past the end.
        assert_eq!(placer.place(&(0..99)).0.width, 8);
        assert_eq!(placer.place(&(99..99)).0.line, 8);
        assert_eq!(placer.line(12), 8);
    }

    #[test]
    fn addresses_are_masked() {
        let mut placer = Placer::new("a", r#"{"email":"ana@acme.example"}"#, 1);
        assert_eq!(placer.place(&(1..8)).1.text, r#"{"email":"***@acme.example"}"#);
    }
}
