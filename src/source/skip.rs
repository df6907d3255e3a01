//! The end of a value that is too long to be held.

use memchr::memchr;

use super::cut::next_start;
use crate::grammar::{Scanner, Step, skip_separators};

/// Passes over the rest of a value.
pub(super) struct Skip {
    /// `None` once it is broken.
    scanner: Option<Scanner>,
    /// It ends with its line, if not before.
    in_line: bool,
    /// The last byte passed.
    before: u8,
}

impl Skip {
    /// The rest of the line that begins with `text`, or of the value that it begins with.
    pub fn line(text: &[u8]) -> Self {
        let start = skip_separators(text, 0);
        let mut scanner = Scanner::default();
        let is_value = matches!(text.get(start), Some(b'{' | b'['))
            && matches!(scanner.feed(&text[start..]), Step::More);
        Self { scanner: is_value.then_some(scanner), in_line: true, before: 0 }
    }

    /// The rest of a value over many lines, of which `scanner` has seen what was read.
    pub fn value(scanner: Option<Scanner>, before: u8) -> Self {
        Self { scanner, in_line: false, before }
    }

    /// Where, in the next `bytes`, it ends. The line end that ends a line is not passed.
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
            if self.before == b'\n' && matches!(bytes.first(), Some(b'{' | b'[')) {
                return Some(0);
            }
            if let Some(start) = next_start(bytes, 0) {
                return Some(start);
            }
        }
        self.before = bytes.last().copied().unwrap_or(self.before);
        line_end
    }
}
