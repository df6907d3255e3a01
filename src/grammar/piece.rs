//! Splits a text into its values.

use std::ops::Range;

use memchr::memchr_iter;

use super::{RECORD_SEPARATOR, Scanner, Step, is_blank};

/// The number of times that bytes are scanned in search of the start of a value, on average.
const MAX_SCANS: usize = 16;

/// A part of a text that is a separate record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The byte range of the piece in the text.
    pub range: Range<usize>,
    /// Whether the piece is a complete value; otherwise it is the text between two values.
    pub whole: bool,
}

/// Returns the offset of the first byte at or after `at` that is neither a blank, a comma nor a
/// record separator.
pub(crate) fn skip_separators(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default().iter();
    let is_separator = |byte: u8| is_blank(byte) || byte == b',' || byte == RECORD_SEPARATOR;
    at + rest.take_while(|&&byte| is_separator(byte)).count()
}

/// Returns the first piece of `text` at or after `from`, or `None` if only separators are left. A
/// broken value extends to the next complete one.
pub(crate) fn next_piece(text: &[u8], from: usize) -> Option<Piece> {
    let start = skip_separators(text, from);
    let first = *text.get(start)?;
    if matches!(first, b'{' | b'[')
        && let Ok(length) = Scanner::scan(&text[start..])
    {
        return Some(Piece { range: start..start + length, whole: true });
    }
    let mut end = next_start(text, start).unwrap_or(text.len());
    while end > start + 1 && (is_blank(text[end - 1]) || text[end - 1] == RECORD_SEPARATOR) {
        end -= 1;
    }
    Some(Piece { range: start..end, whole: false })
}

/// Returns the pieces of a line, or `None` if the line is a single record. `in_line` states that
/// other values precede it on the same line.
///
/// A line that does not begin with a value, such as a log line that begins with a time, is one
/// record.
pub(crate) fn pieces_of_line(line: &[u8], in_line: bool) -> Option<Vec<Piece>> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while let Some(piece) = next_piece(line, at) {
        if at == 0 && !in_line && !divides(line, &piece) {
            return None;
        }
        at = piece.range.end;
        pieces.push(piece);
    }
    Some(pieces)
}

/// Returns `true` if a line may be divided, judged by its `first` piece.
pub(crate) fn divides(line: &[u8], first: &Piece) -> bool {
    first.whole || line[first.range.start] == b'{'
}

/// Returns the start of the first complete object after the start of a broken value at `start` that
/// is not part of another one.
///
/// An object inside another follows a colon, a comma or a bracket; an object after the remains of a
/// broken one follows anything else.
///
/// Bytes may be scanned for several possible starts before them. To keep the cost linear for any
/// text, starts are skipped while more than [`MAX_SCANS`] times the distance from `start` has been
/// scanned in vain. The result depends on nothing before `start`, so that it does not matter how a
/// file is divided into blocks.
fn next_start(text: &[u8], start: usize) -> Option<usize> {
    let mut scanned_in_vain = 0_usize;
    for at in memchr_iter(b'{', text.get(start + 1..)?).map(|at| start + 1 + at) {
        let before = text[..at].iter().rev().find(|&&byte| !is_blank(byte));
        let inside = before.is_some_and(|byte| b":,[{".contains(byte));
        let mut behind = text[at + 1..].iter().copied().skip_while(|&byte| is_blank(byte));
        if inside || behind.next() != Some(b'"') || scanned_in_vain / MAX_SCANS > at - start {
            continue;
        }
        match Scanner::default().feed(&text[at..]) {
            Step::End(_) => return Some(at),
            Step::Broken(fault) => scanned_in_vain += fault.at,
            // The rest of the text is inside this object.
            Step::More => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pieces of `text`; broken ones begin with `!`.
    fn pieces(text: &str) -> Vec<String> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(piece) = next_piece(text.as_bytes(), at) {
            at = piece.range.end;
            let mark = if piece.whole { "" } else { "!" };
            found.push(format!("{mark}{}", &text[piece.range]));
        }
        found
    }

    #[test]
    fn values_on_a_line_are_pieces_with_or_without_blanks_between() {
        for text in ["{}{}[1]", " {} {}\t[1] ", "{},{},[1],", "\u{1e}{}\u{1e}{} \u{1e}[1]\n"] {
            assert_eq!(pieces(text), ["{}", "{}", "[1]"], "{text}");
        }
        assert_eq!(pieces(" ,\u{1e}\r"), [""; 0]);
    }

    #[test]
    fn a_broken_value_goes_on_to_the_next_whole_one() {
        for (text, expected) in [
            (
                r#"{"a":"cut{"b":1}{"c":{"d":2}}"#,
                vec![r#"!{"a":"cut"#, r#"{"b":1}"#, r#"{"c":{"d":2}}"#],
            ),
            (r#"{"a":{"b":1},"c"  {"d":1}"#, vec![r#"!{"a":{"b":1},"c""#, r#"{"d":1}"#]),
            (r#"{"a":1}]}{"b":1}"#, vec![r#"{"a":1}"#, "!]}", r#"{"b":1}"#]),
            (r#"{"a":[{"b":1},{"b":2}"#, vec![r#"!{"a":[{"b":1},{"b":2}"#]),
            (r#"{"a":1}{"b":"#, vec![r#"{"a":1}"#, r#"!{"b":"#]),
            (r#"text {"a":1}"#, vec!["!text", r#"{"a":1}"#]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_of_many_beginnings_is_given_up() {
        // Each beginning would be followed to the end.
        let text = r#";{"a":[""#.to_owned() + &r#";{"a":["#.repeat(1000);
        assert_eq!(pieces(&text).len(), 1);
    }

    proptest! {
        #[test]
        fn pieces_are_in_order_and_leave_nothing_but_separators(text in r#"[{}\[\]",:a1 \x1e]{0,60}"#) {
            let mut at = 0;
            while let Some(piece) = next_piece(text.as_bytes(), at) {
                prop_assert!(piece.range.start < piece.range.end);
                prop_assert_eq!(skip_separators(text.as_bytes(), at), piece.range.start);
                at = piece.range.end;
            }
            prop_assert_eq!(skip_separators(text.as_bytes(), at), text.len());
        }
    }
}
