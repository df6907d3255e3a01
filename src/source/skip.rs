//! Skipping of values that exceed the limit.

use memchr::memchr;

use super::split::next_start;
use crate::grammar::{Scanner, Step, skip_separators};

/// Finds the end of a value whose beginning was read.
pub(super) struct Skip {
    /// `None` if the value is malformed.
    scanner: Option<Scanner>,
    /// Whether the end of the line ends the value.
    in_line: bool,
    /// The last byte that was skipped.
    last_byte: u8,
}

impl Skip {
    /// Skips the value that `text` begins with, or else the whole line.
    pub fn line(text: &[u8]) -> Self {
        let start = skip_separators(text, 0);
        let mut scanner = Scanner::default();
        let is_value = matches!(text.get(start), Some(b'{' | b'['))
            && matches!(scanner.feed(&text[start..]), Step::More);
        Self { scanner: is_value.then_some(scanner), in_line: true, last_byte: 0 }
    }

    /// Skips a value over many lines, whose bytes so far `scanner` has seen. `last_byte` is the
    /// last of them.
    pub fn value(scanner: Option<Scanner>, last_byte: u8) -> Self {
        Self { scanner, in_line: false, last_byte }
    }

    /// Returns where in the following `bytes` the value ends. A line end that ends the value is not
    /// part of it.
    pub fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let line_end = if self.in_line { memchr(b'\n', bytes) } else { None };
        let part = &bytes[..line_end.unwrap_or(bytes.len())];
        if let Some(scanner) = &mut self.scanner {
            let passed = scanner.passed();
            match scanner.feed(part) {
                Step::End(length) => return Some(length - passed),
                Step::Broken(_) => self.scanner = None,
                Step::More => {}
            }
        }
        if self.scanner.is_none() && !self.in_line {
            if self.last_byte == b'\n' && matches!(bytes.first(), Some(b'{' | b'[')) {
                return Some(0);
            }
            if let Some(start) = next_start(bytes, 0) {
                return Some(start);
            }
        }
        self.last_byte = bytes.last().copied().unwrap_or(self.last_byte);
        line_end
    }
}
