//! Values over many lines, cut where their structure ends.

use memchr::memchr2_iter;

use crate::grammar::{
    Piece, RECORD_SEPARATOR, Scanner, Step, divides, is_blank, next_piece, skip_separators,
};

/// Where, from `from` on, the next value begins after a broken one: at a line that begins with `{`
/// or `[`, or at a record separator, which no JSON has.
pub(super) fn next_start(text: &[u8], from: usize) -> Option<usize> {
    let stops = memchr2_iter(b'\n', RECORD_SEPARATOR, text.get(from..)?).map(|at| from + at);
    let mut starts = stops.filter_map(|at| match text[at..] {
        [RECORD_SEPARATOR, ..] => Some(at),
        [_, b'{' | b'[', ..] => Some(at + 1),
        _ => None,
    });
    starts.next()
}

/// Cuts a text that grows into values, and what stands between them.
#[derive(Default)]
pub(super) struct Cutter {
    /// Where the value begins that is not whole yet; there is nothing but separators before it that
    /// is not in a piece.
    start: usize,
    /// All before this was looked at.
    looked: usize,
    /// How many bytes were scanned for values that turned out broken.
    wasted: usize,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Between,
    Value(Scanner),
    Broken,
}

impl Cutter {
    /// Adds the further pieces of `text` to `pieces`; what it ends with is one if it `ended`.
    pub fn cut(&mut self, text: &[u8], ended: bool, pieces: &mut Vec<Piece>) {
        while let Some(piece) = self.next(text, ended) {
            self.looked = piece.range.end;
            pieces.push(piece);
        }
    }

    /// Where the value begins that is not whole yet.
    pub fn open_at(&self) -> usize {
        self.start
    }

    /// What it knows of the value that is not whole yet; `None` of a broken one.
    pub fn into_scanner(self) -> Option<Scanner> {
        match self.state {
            State::Value(scanner) => Some(scanner),
            State::Between | State::Broken => None,
        }
    }

    fn next(&mut self, text: &[u8], ended: bool) -> Option<Piece> {
        if let State::Between = self.state {
            self.start = skip_separators(text, self.looked);
            self.looked = self.start;
            self.state = match text.get(self.start)? {
                b'{' | b'[' => State::Value(Scanner::default()),
                _ => State::Broken,
            };
        }
        if let State::Value(scanner) = &mut self.state {
            let step = scanner.feed(&text[self.looked..]);
            self.looked = text.len();
            match step {
                Step::End(length) => {
                    self.state = State::Between;
                    return Some(Piece { range: self.start..self.start + length, whole: true });
                }
                Step::More if !ended => return None,
                Step::More => self.broken_at(text.len(), text.len()),
                Step::Broken(fault) => self.broken_at(self.start + fault.at, text.len()),
            }
        }
        let end = next_start(text, self.looked.max(self.start + 1));
        if end.is_none() && !ended {
            // The line end may be the last byte so far.
            self.looked = text.len().saturating_sub(1);
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

impl Cutter {
    /// Notes that the value is broken at `at` of a text of `len` bytes. The next one may begin
    /// inside of what was scanned; where that was tried too often, it begins behind it.
    fn broken_at(&mut self, at: usize, len: usize) {
        self.wasted = self.wasted.saturating_add(at - self.start);
        let is_too_much = self.wasted > len.saturating_mul(16);
        self.looked = if is_too_much { at } else { self.start };
        self.state = State::Broken;
    }
}

/// Returns where a line that begins with `text` can be cut: after the last piece whose end is known.
/// Returns `None` if there is no such piece. `in_line` states that other values precede `text` on the
/// line.
pub(super) fn line_cut(text: &[u8], in_line: bool) -> Option<usize> {
    let mut cut = 0;
    while let Some(piece) = next_piece(text, cut) {
        let divides = in_line || cut > 0 || divides(text, &piece);
        // A broken piece ends where the next one begins, which may be yet to come.
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

    /// The pieces of `text`, which comes so many bytes at a time; broken ones begin with `!`.
    fn pieces(text: &str, step: usize) -> Vec<String> {
        let (mut cutter, mut found) = (Cutter::default(), Vec::new());
        for end in (step..text.len()).step_by(step) {
            cutter.cut(&text.as_bytes()[..end], false, &mut found);
        }
        cutter.cut(text.as_bytes(), true, &mut found);
        let mark = |piece: &Piece| if piece.whole { "" } else { "!" };
        found.iter().map(|piece| mark(piece).to_owned() + &text[piece.range.clone()]).collect()
    }

    #[test]
    fn values_end_where_their_structure_ends() {
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
    fn a_line_is_cut_behind_its_last_whole_value() {
        for (text, cut) in [
            (r#"{"a":1}{"b":2}{"c""#, Some(14)),
            (r#"{"a":1}"#, None),
            (r#"{"a":"cut{"b":1}{"#, Some(16)),
            (r#"{"a":1"#, None),
            (r#"[1,{"b":1}"#, None),
            (r#"text {"b":1} {"#, None),
            ("{\"a\":\"cut\u{1e}\u{1e}", None),
        ] {
            assert_eq!(line_cut(text.as_bytes(), false), cut, "{text}");
        }
        assert_eq!(line_cut(br#"text {"b":1} {"#, true), Some(12));
    }

    #[test]
    fn values_that_are_never_closed_are_given_up_in_time() {
        // Each would be scanned to the end of the text.
        let text = "{\n\"a\":[\n".repeat(100_000);
        assert!(pieces(&text, text.len()).len() < 1000);
    }

    proptest! {
        #[test]
        fn how_a_text_comes_makes_no_difference(text in "([{}\\[\\]\":,1\\x1e]{0,4}\n?){0,12}", step in 1_usize..9) {
            prop_assert_eq!(pieces(&text, step), pieces(&text, text.len().max(1)));
        }
    }
}
