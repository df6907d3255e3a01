//! Splitting of text into values that may span lines.

use memchr::memchr2_iter;

use crate::grammar::{
    Piece, RECORD_SEPARATOR, Scanner, Step, divides, is_blank, next_piece, skip_separators,
};

/// Returns where, at or after `from`, the next value begins after a malformed one: at a line that
/// begins with `{` or `[`, or at a record separator, which JSON cannot contain.
pub(super) fn next_start(text: &[u8], from: usize) -> Option<usize> {
    let stops = memchr2_iter(b'\n', RECORD_SEPARATOR, text.get(from..)?).map(|at| from + at);
    let mut starts = stops.filter_map(|at| match text[at..] {
        [RECORD_SEPARATOR, ..] => Some(at),
        [_, b'{' | b'[', ..] => Some(at + 1),
        _ => None,
    });
    starts.next()
}

/// Splits text that arrives in parts into values, and the text between them.
#[derive(Default)]
pub(super) struct Splitter {
    /// The start of the incomplete value. Everything before it is in a piece or is a separator.
    start: usize,
    /// The number of bytes that were examined.
    examined: usize,
    /// The number of bytes that were scanned as values that turned out to be malformed.
    wasted_bytes: usize,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Between,
    Value(Scanner),
    Broken,
}

impl Splitter {
    /// Appends the further pieces of `text`, which grows with each call, to `pieces`. If `ended`,
    /// the last piece is the rest.
    pub fn split(&mut self, text: &[u8], ended: bool, pieces: &mut Vec<Piece>) {
        while let Some(piece) = self.next(text, ended) {
            self.examined = piece.range.end;
            pieces.push(piece);
        }
    }

    /// Returns the start of the incomplete value.
    pub fn incomplete_start(&self) -> usize {
        self.start
    }

    /// Returns the scanner of the incomplete value; `None` if it is malformed.
    pub fn into_scanner(self) -> Option<Scanner> {
        match self.state {
            State::Value(scanner) => Some(scanner),
            State::Between | State::Broken => None,
        }
    }

    fn next(&mut self, text: &[u8], ended: bool) -> Option<Piece> {
        if let State::Between = self.state {
            self.start = skip_separators(text, self.examined);
            self.examined = self.start;
            self.state = match text.get(self.start)? {
                b'{' | b'[' => State::Value(Scanner::default()),
                _ => State::Broken,
            };
        }
        if let State::Value(scanner) = &mut self.state {
            let step = scanner.feed(&text[self.examined..]);
            self.examined = text.len();
            match step {
                Step::End(length) => {
                    self.state = State::Between;
                    return Some(Piece { range: self.start..self.start + length, whole: true });
                }
                Step::More if !ended => return None,
                Step::More => self.set_broken(text.len(), text.len()),
                Step::Broken(fault) => self.set_broken(self.start + fault.at, text.len()),
            }
        }
        let end = next_start(text, self.examined.max(self.start + 1));
        if end.is_none() && !ended {
            // The last byte may be the line end.
            self.examined = text.len().saturating_sub(1);
            return None;
        }
        let mut end = end.unwrap_or(text.len());
        while end > self.start + 1 && is_blank(text[end - 1]) {
            end -= 1;
        }
        self.state = State::Between;
        Some(Piece { range: self.start..end, whole: false })
    }
}

impl Splitter {
    /// Records that the value is malformed at `at` of a text of `len` bytes. The next value may
    /// begin inside of the scanned bytes, or after them if too many bytes were scanned repeatedly.
    fn set_broken(&mut self, at: usize, len: usize) {
        self.wasted_bytes = self.wasted_bytes.saturating_add(at - self.start);
        let is_too_much = self.wasted_bytes > len.saturating_mul(16);
        self.examined = if is_too_much { at } else { self.start };
        self.state = State::Broken;
    }
}

/// Returns where a line that begins with `text` can be split: after the last piece whose end is
/// known. Returns `None` if there is no such piece. `in_line` states that other values precede
/// `text` in the line.
pub(super) fn line_split(text: &[u8], in_line: bool) -> Option<usize> {
    let mut cut = 0;
    while let Some(piece) = next_piece(text, cut) {
        let divides = in_line || cut > 0 || divides(text, &piece);
        // A malformed piece ends where the next value begins, which may not be read yet.
        let is_open = !piece.whole && skip_separators(text, piece.range.end) == text.len();
        if !divides || is_open || piece.range.end >= text.trim_ascii_end().len() {
            break;
        }
        cut = piece.range.end;
    }
    (cut > 0).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the pieces of `text`, which arrives in parts of `step` bytes. Malformed ones are
    /// marked with `!`.
    fn pieces(text: &str, step: usize) -> Vec<String> {
        let (mut splitter, mut found) = (Splitter::default(), Vec::new());
        for end in (step..text.len()).step_by(step) {
            splitter.split(&text.as_bytes()[..end], false, &mut found);
        }
        splitter.split(text.as_bytes(), true, &mut found);
        let mark = |piece: &Piece| if piece.whole { "" } else { "!" };
        found.iter().map(|piece| mark(piece).to_owned() + &text[piece.range.clone()]).collect()
    }

    #[test]
    fn values_end_where_their_brackets_close() {
        for (text, expected) in [
            ("{\n\"a\":1}\n{\n}", vec!["{\n\"a\":1}", "{\n}"]),
            ("{\n}{}[\n]", vec!["{\n}", "{}", "[\n]"]),
            ("\u{1e}{\n}\n\u{1e}{\n}\n", vec!["{\n}", "{\n}"]),
            ("{\n},\n{\n},\n", vec!["{\n}", "{\n}"]),
            ("{\n\"a\":\n}\n{\n}\n", vec!["!{\n\"a\":\n}", "{\n}"]),
            ("{\n\"a\":{\n{\n}\n", vec!["!{\n\"a\":{", "{\n}"]),
            ("{\n\"cut\u{1e}{\n}\n", vec!["!{\n\"cut", "{\n}"]),
            ("{\n}\ntext\n  more\n{\n}", vec!["{\n}", "!text\n  more", "{\n}"]),
            ("{\n\"a\":1", vec!["!{\n\"a\":1"]),
            ("", vec![]),
        ] {
            for step in 1..=text.len().max(1) {
                assert_eq!(pieces(text, step), expected, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn a_line_is_split_after_its_last_complete_value() {
        for (text, cut) in [
            (r#"{"a":1}{"b":2}{"c""#, Some(14)),
            (r#"{"a":1}"#, None),
            (r#"{"a":"cut{"b":1}{"#, Some(16)),
            (r#"{"a":1"#, None),
            (r#"[1,{"b":1}"#, None),
            (r#"text {"b":1} {"#, None),
            ("{\"a\":\"cut\u{1e}\u{1e}", None),
        ] {
            assert_eq!(line_split(text.as_bytes(), false), cut, "{text}");
        }
        assert_eq!(line_split(br#"text {"b":1} {"#, true), Some(12));
    }

    #[test]
    fn unclosed_values_take_linear_time() {
        // A naive implementation would scan each of them to the end of the text.
        let text = "{\n\"a\":[\n".repeat(100_000);
        assert!(pieces(&text, text.len()).len() < 1000);
    }

    proptest! {
        #[test]
        fn pieces_do_not_depend_on_how_the_text_arrives(text in "([{}\\[\\]\":,1\\x1e]{0,4}\n?){0,12}", step in 1_usize..9) {
            prop_assert_eq!(pieces(&text, step), pieces(&text, text.len().max(1)));
        }
    }
}
