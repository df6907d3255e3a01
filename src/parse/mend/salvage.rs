//! Recovery of the complete elements of a batch whose text is broken.

use std::ops::Range;

use crate::grammar::{Scanner, is_blank};
use crate::json::diagnose::diagnose;
use crate::json::raw::{skip_blanks, string_end, value_end};
use crate::parse::reject::{Reason, Refusal};

/// The recovered part of a batch.
pub(super) struct Salvage {
    /// The batch with only its complete elements. Each keeps its position, except for a comma
    /// before those that had none.
    pub text: Vec<u8>,
    /// The refusal of the rest and the range of its first part; `None` if only commas and brackets
    /// were wrong.
    pub lost: Option<(Refusal, Range<usize>)>,
}

/// Recovers the complete elements of `text`, which is not JSON but begins like a batch: a list, or
/// an object with a list `batch`. Returns `None` if there are none.
pub(super) fn salvage(text: &[u8]) -> Option<Salvage> {
    let (walk, end) = Walk::over(text)?;
    let Walk { at, mut out, kept, mut lost, is_list, .. } = walk;
    if let Some(end) = end {
        out.push(b']');
        out.extend_from_slice(&text[at..end]);
    } else {
        out.extend_from_slice(if is_list { b"]" } else { b"]}" });
    }
    let rest = end.unwrap_or(at);
    if !text[rest..].trim_ascii().is_empty() {
        lost.get_or_insert(rest..text.len());
    }
    let lost = lost.map(|range| {
        let fault = diagnose(text, " of the record").unwrap_or_default();
        let detail = format!("{fault}; {kept} whole elements of the batch were taken");
        (Refusal::new(Reason::InvalidJson, detail), range)
    });
    Some(Salvage { text: out, lost })
}

/// Returns the end of the broken batch that `text` begins with, if it has an end.
pub(in crate::parse) fn batch_end(text: &[u8]) -> Option<usize> {
    Walk::over(text)?.1
}

/// Returns the start of the list of the batch that `text` begins with. The members before the list
/// must be valid.
fn list_start(text: &[u8]) -> Option<usize> {
    let start = skip_blanks(text, 0);
    if text.get(start) == Some(&b'[') {
        return Some(start);
    }
    let mut at = (text.get(start) == Some(&b'{')).then_some(start + 1)?;
    loop {
        at = skip_blanks(text, at);
        let end = (text.get(at) == Some(&b'"')).then(|| string_end(text, at))??;
        let colon = skip_blanks(text, end);
        let value = skip_blanks(text, (text.get(colon) == Some(&b':')).then_some(colon + 1)?);
        if &text[at..end] == b"\"batch\"" {
            return (text.get(value) == Some(&b'[')).then_some(value);
        }
        let length = Scanner::scan(text.get(value..)?).ok()?;
        let comma = skip_blanks(text, value + length);
        at = (text.get(comma) == Some(&b',')).then_some(comma + 1)?;
    }
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
    kept: usize,
    lost: Option<Range<usize>>,
    is_list: bool,
}

impl<'a> Walk<'a> {
    /// Copies the complete elements of the batch that `text` begins with. Returns `None` if there
    /// are none; otherwise also the end of the batch, if its list is closed and the rest of it is
    /// valid.
    fn over(text: &'a [u8]) -> Option<(Self, Option<usize>)> {
        let list = list_start(text)?;
        let out = text[..=list].to_vec();
        let is_list = skip_blanks(text, 0) == list;
        let mut walk = Self { text, at: list + 1, out, kept: 0, lost: None, is_list };
        let closed = walk.elements();
        if walk.kept == 0 {
            return None;
        }
        let head: &[u8] = if is_list { b"[]" } else { b"{\"batch\":[]" };
        let end = || Scanner::scan(&[head, &text[walk.at..]].concat()).ok();
        let end = closed.then(end).flatten().map(|end| walk.at + end - head.len());
        Some((walk, end))
    }

    /// Copies the complete elements. Returns `true` if the list is closed, with the position after
    /// its bracket.
    fn elements(&mut self) -> bool {
        loop {
            match self.text.get(self.at) {
                None => return false,
                Some(b']') => {
                    self.at += 1;
                    return true;
                }
                Some(&byte) if byte == b',' || is_blank(byte) => self.blank_out(1),
                Some(b'{') => {
                    if let Ok(length) = Scanner::scan(&self.text[self.at..]) {
                        self.keep(length);
                    } else if !self.drop_element() {
                        return false;
                    }
                }
                Some(_) => self.leave_out(1),
            }
        }
    }

    fn keep(&mut self, length: usize) {
        if self.kept > 0 {
            // The blanks that were passed have room for the comma, unless there were none.
            match self.out.last_mut() {
                Some(last) if is_blank(*last) => *last = b',',
                _ => self.out.push(b','),
            }
        }
        self.out.extend_from_slice(&self.text[self.at..self.at + length]);
        self.at += length;
        self.kept += 1;
    }

    /// Leaves out a broken element. Returns `false` if its end cannot be found.
    fn drop_element(&mut self) -> bool {
        let end = value_end(self.text, self.at).filter(|&end| {
            let next = skip_blanks(self.text, end);
            matches!(self.text.get(next), Some(b',' | b']'))
        });
        let Some(end) = end else { return false };
        self.leave_out(end - self.at);
        true
    }

    fn leave_out(&mut self, length: usize) {
        let at = self.at;
        let lost = self.lost.get_or_insert(at..at);
        if lost.end == at {
            lost.end += length;
        }
        self.blank_out(length);
    }

    /// Replaces the next `length` bytes by blanks, but keeps line breaks.
    fn blank_out(&mut self, length: usize) {
        let bytes = &self.text[self.at..self.at + length];
        self.out.extend(bytes.iter().map(|&byte| if is_blank(byte) { byte } else { b' ' }));
        self.at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that is left, without blanks, and what was lost.
    fn salvaged(text: &str) -> Option<(String, Option<String>)> {
        let Salvage { text: left, lost } = salvage(text.as_bytes())?;
        let left = String::from_utf8(left).unwrap().replace(' ', "");
        Some((left, lost.map(|(_, range)| text[range].to_owned())))
    }

    #[test]
    fn the_whole_elements_of_a_broken_batch_are_left() {
        for (text, left, lost) in [
            (r#"{"batch":[{"a":1},,{"b":2}],"s":1}"#, r#"{"batch":[{"a":1},{"b":2}],"s":1}"#, None),
            (r#"{"batch":[,{"a":1},{"b":2}]}"#, r#"{"batch":[{"a":1},{"b":2}]}"#, None),
            (r#"{"batch":[{"a":1}{"b":2}]}"#, r#"{"batch":[{"a":1},{"b":2}]}"#, None),
            (r#"{"s":1,"batch":[{"a":1},{"b":2}"#, r#"{"s":1,"batch":[{"a":1},{"b":2}]}"#, None),
            (r#"[{"a":1},{"b":2},"#, r#"[{"a":1},{"b":2}]"#, None),
            (r#"[{"a":1},{"b":"cu"#, r#"[{"a":1}]"#, Some(r#"{"b":"cu"#)),
            (r#"[{"a":1},{"b":x},{"c":3}]"#, r#"[{"a":1},{"c":3}]"#, Some(r#"{"b":x}"#)),
            ("[{\"a\":1},\0\0{\"c\":3}]", r#"[{"a":1},{"c":3}]"#, Some("\0\0")),
            (r#"{"batch":[{"a":1}],"s":"cu"#, r#"{"batch":[{"a":1}]}"#, Some(r#","s":"cu"#)),
            (r#"[{"a":1}]]"#, r#"[{"a":1}]"#, Some("]")),
        ] {
            let expected = (left.to_owned(), lost.map(str::to_owned));
            assert_eq!(salvaged(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn elements_stay_where_they_stand() {
        let text = r#"[{"a":1},{"b":x} , {"c":3}]"#;
        let left = salvage(text.as_bytes()).unwrap().text;
        assert_eq!(left.len(), text.len());
        assert_eq!(memchr::memmem::find(&left, b"{\"c\""), text.find("{\"c\""));
    }

    #[test]
    fn what_is_no_batch_or_has_no_whole_element_is_left_alone() {
        for text in [
            "",
            "[",
            "{",
            "[1,2",
            r#"[{"a":"#,
            r#"{"batch":1,"a"#,
            r#"{"other":[{"a":1}"#,
            r#"{"a":x,"batch":[{"a":1}]}"#,
            r#"{"batch"#,
        ] {
            assert_eq!(salvaged(text), None, "{text}");
        }
    }
}
