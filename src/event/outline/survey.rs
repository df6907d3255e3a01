//! The structure of one line with the places of all its values, from which an outline is built.

use super::scan;
use crate::json::canonical::compare_utf16;
use crate::json::{Doc, Node, Span};
use std::cmp::Ordering;

/// The maximum number of values of a line that gets an outline.
const MAX_VALUES: usize = 1024;

/// The type of a value that an outline leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Text,
    Number,
}

/// The range of a node in the line, including quotes and brackets, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub start: usize,
    pub end: usize,
    /// Whether the node is in RFC 8785 form in the line.
    pub canonical: bool,
}

/// The structure of a line.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub nodes: Vec<Node>,
    /// The range of each node, parallel to `nodes`.
    pub places: Vec<Place>,
    pub names: String,
    /// The values without their quotes, in the order of the line.
    pub values: Vec<(ValueKind, Span)>,
}

impl Survey {
    /// Surveys `line`, which must be one JSON value. Returns `None` if it has an escape in a name,
    /// a number that is not in RFC 8785 form, too many values, or whitespace around it.
    pub fn of(line: &str) -> Option<Self> {
        let mut walk =
            Walk { bytes: line.as_bytes(), line, at: 0, blanks: 0, found: Self::default() };
        walk.value()?;
        (walk.at == line.len() && walk.found.values.len() <= MAX_VALUES).then_some(walk.found)
    }

    /// Returns the document of the surveyed `line`; `values` is the result of
    /// [`spans`](Self::spans).
    pub fn doc<'t>(&'t self, line: &'t str, values: &'t [Span]) -> Doc<'t> {
        let Self { nodes, names, .. } = self;
        Doc { nodes, names, values, text: line, unescaped: "", origin: 0 }
    }

    /// Returns the range of each value.
    pub fn spans(&self) -> Vec<Span> {
        self.values.iter().map(|&(_, span)| span).collect()
    }

    /// Returns the member name at the node `at`.
    pub fn name(&self, at: usize) -> &str {
        match self.nodes[at] {
            Node::Key(span) => span.of(&self.names),
            _ => "",
        }
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    line: &'a str,
    at: usize,
    /// The number of whitespace bytes passed outside of strings.
    blanks: usize,
    found: Survey,
}

impl Walk<'_> {
    fn value(&mut self) -> Option<()> {
        match self.bytes.get(self.at)? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => {
                let span = self.string()?;
                // A value may have escapes: other lines of the same outline may have none.
                let value = self.add_value(ValueKind::Text, span)?;
                self.add(Node::Text(value), span.start as usize - 1);
                Some(())
            }
            b't' => self.word("true", Node::Bool(true)),
            b'f' => self.word("false", Node::Bool(false)),
            b'n' => self.word("null", Node::Null),
            _ => {
                let start = self.at;
                self.at = scan::number_end(self.bytes, start)?;
                let span = Span { start: to_u32(start)?, end: to_u32(self.at)? };
                let value = self.add_value(ValueKind::Number, span)?;
                self.add(Node::Digits(value), start);
                Some(())
            }
        }
    }

    fn add(&mut self, node: Node, start: usize) {
        self.found.nodes.push(node);
        self.found.places.push(Place { start, end: self.at, canonical: true });
    }

    fn add_value(&mut self, kind: ValueKind, span: Span) -> Option<u32> {
        self.found.values.push((kind, span));
        to_u32(self.found.values.len() - 1)
    }

    fn word(&mut self, word: &str, node: Node) -> Option<()> {
        let start = self.at;
        self.at += word.len();
        (self.bytes.get(start..self.at)? == word.as_bytes()).then(|| self.add(node, start))
    }

    /// Reads a string and returns the range of its text without the quotes.
    fn string(&mut self) -> Option<Span> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            end += memchr::memchr2(b'"', b'\\', self.bytes.get(end..)?)?;
            if self.bytes[end] == b'"' {
                break;
            }
            end += 2;
        }
        self.at = end + 1;
        Some(Span { start: to_u32(start)?, end: to_u32(end)? })
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
            self.blanks += 1;
        }
    }

    /// Reads one byte and the whitespace before it, and after it unless it is a closing bracket.
    fn punctuation(&mut self) -> Option<u8> {
        self.skip_blanks();
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        if !matches!(byte, b'}' | b']') {
            self.skip_blanks();
        }
        Some(byte)
    }

    /// Reads a container and returns the number of its items and of its nodes. `item` reads one
    /// item and returns whether that item is in canonical form and in canonical order.
    fn container(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self, usize) -> Option<bool>,
    ) -> Option<(u32, u32)> {
        let (open, start, blanks) = (self.found.nodes.len(), self.at, self.blanks);
        self.found.nodes.push(Node::Null);
        self.found.places.push(Place { start, end: start, canonical: false });
        self.punctuation()?;
        let (mut len, mut canonical) = (0, true);
        if self.bytes.get(self.at) == Some(&close) {
            self.at += 1;
        } else {
            loop {
                canonical &= item(self, open)?;
                len += 1;
                match self.punctuation()? {
                    b',' => {}
                    byte if byte == close => break,
                    _ => return None,
                }
            }
        }
        canonical &= self.blanks == blanks;
        self.found.places[open] = Place { start, end: self.at, canonical };
        Some((len, to_u32(self.found.nodes.len() - open - 1)?))
    }

    fn last_is_canonical(&self, value: usize) -> bool {
        self.found.places.get(value).is_some_and(|place| place.canonical)
    }

    fn array(&mut self) -> Option<()> {
        let open = self.found.nodes.len();
        let (len, count) = self.container(b']', |walk, _| {
            let item = walk.found.nodes.len();
            walk.value()?;
            Some(walk.last_is_canonical(item))
        })?;
        self.found.nodes[open] = Node::Array { len, count };
        Some(())
    }

    fn object(&mut self) -> Option<()> {
        let open = self.found.nodes.len();
        let mut previous: Option<usize> = None;
        let (len, count) = self.container(b'}', |walk, _| {
            let key = walk.found.nodes.len();
            let span = walk.string()?;
            if span.of(walk.line).contains('\\') {
                return None;
            }
            let start = to_u32(walk.found.names.len())?;
            walk.found.names.push_str(span.of(walk.line));
            let name = Span { start, end: to_u32(walk.found.names.len())? };
            walk.add(Node::Key(name), span.start as usize - 1);
            if walk.punctuation()? != b':' {
                return None;
            }
            walk.value()?;
            let found = &walk.found;
            let ordered = previous.replace(key).is_none_or(|before| {
                compare_utf16(found.name(before), found.name(key)) == Ordering::Less
            });
            Some(ordered && walk.last_is_canonical(key + 1))
        })?;
        self.found.nodes[open] = Node::Object { len, count };
        Some(())
    }
}

fn to_u32(number: usize) -> Option<u32> {
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::json::document::with_json;

    /// Returns the nodes of the full parser and those of the survey, as texts.
    #[test]
    fn a_survey_finds_what_the_full_parser_finds() {
        for line in [
            r#"{"a":1,"b":[true,null,{"c":"é"}],"d":{},"e":[],"f":-1.5}"#,
            r#"{ "b" : 1 , "a" : [ 1 , "x" ] }"#,
            "[]",
        ] {
            let survey = Survey::of(line).unwrap();
            let values = survey.spans();
            let doc = survey.doc(line, &values);
            let ours = canonical(doc.root().unwrap());
            assert_eq!(ours, with_json(line, canonical), "{line}");
            for (node, place) in survey.nodes.iter().zip(&survey.places) {
                if let Node::Text(_) = node {
                    assert!(line[place.start..place.end].starts_with('"'));
                    assert!(line[place.start..place.end].ends_with('"'));
                }
            }
        }
    }

    fn canonical(json: Json<'_>) -> String {
        let mut out = Vec::new();
        crate::json::canonical::Canonical::default().write(json, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_stands_in_canonical_form_is_known() {
        for (line, expected) in [
            (r#"{"a":1,"b":{"c":2}}"#, true),
            (r#"{"b":1,"a":2}"#, false),
            (r#"{"a":1,"a":2}"#, false),
            (r#"{"a": 1}"#, false),
            (r#"{"a":[{"c":1,"b":1}]}"#, false),
            (r#"{"a":[ ]}"#, false),
        ] {
            assert_eq!(Survey::of(line).unwrap().places[0].canonical, expected, "{line}");
        }
        for line in [r#"{"\n":1}"#, r#"{"a":1.0}"#, r#" {"a":1}"#, r#"{"a":1e5}"#] {
            assert!(Survey::of(line).is_none(), "{line}");
        }
    }
}
