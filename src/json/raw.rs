//! Positions in the text of a JSON value, for uses where the parsed nodes no longer tell how the
//! text was written.
//!
//! Nothing is validated beyond what navigation needs: the text has been parsed, or will be. These
//! functions never panic, and examine each byte at most twice.

use std::cell::Cell;
use std::ops::Range;

/// Returns the offset of the first non-blank byte at or after `at`.
pub(crate) fn skip_blanks(text: &[u8], at: usize) -> usize {
    let blanks = text.get(at..).unwrap_or_default().iter();
    at + blanks.take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Returns the offset after the closing quote of the string that begins with the quote at `at`.
pub(crate) fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let place = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text[place] == b'"' {
            return Some(place + 1);
        }
        from = place + 2;
    }
}

/// Returns the end of the value that begins at `at`.
pub(crate) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => string_end(text, at),
        b'{' | b'[' => {
            let (mut depth, mut at) = (0_usize, at);
            loop {
                match text.get(at)? {
                    b'"' => {
                        at = string_end(text, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
            let length = text[at..].iter().position(is_end).unwrap_or(text.len() - at);
            (length > 0).then_some(at + length)
        }
    }
}

/// Returns the start of the value of the last member `name` of the object at `at`. A name written
/// with escapes is not found.
fn member(text: &[u8], at: usize, name: &str) -> Option<usize> {
    let mut at = (text.get(at) == Some(&b'{')).then_some(at + 1)?;
    let mut found = None;
    loop {
        at = skip_blanks(text, at);
        match text.get(at)? {
            b'}' => return found,
            b',' => at += 1,
            b'"' => {
                let end = string_end(text, at)?;
                let colon = skip_blanks(text, end);
                let value =
                    skip_blanks(text, (text.get(colon) == Some(&b':')).then_some(colon + 1)?);
                if &text[at + 1..end - 1] == name.as_bytes() {
                    found = Some(value);
                }
                at = value_end(text, value)?;
            }
            _ => return None,
        }
    }
}

/// An iterator over the byte ranges of a list's items.
pub(crate) struct Items<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Items<'a> {
    /// Returns the items of the list at `at`, or `None` if there is no list at `at`.
    fn of(text: &'a [u8], at: usize) -> Option<Self> {
        (text.get(at) == Some(&b'[')).then_some(Self { text, at: at + 1 })
    }
}

impl Iterator for Items<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let mut start = skip_blanks(self.text, self.at);
        if self.text.get(start) == Some(&b',') {
            start = skip_blanks(self.text, start + 1);
        }
        let end = value_end(self.text, start)?;
        self.at = end;
        Some(start..end)
    }
}

/// Returns the text of the first element of the batch `text`: a list, or an object with a list
/// `batch`.
pub(crate) fn first_of_batch(text: &[u8]) -> Option<&[u8]> {
    let start = skip_blanks(text, 0);
    let list = member(text, start, "batch").unwrap_or(start);
    Items::of(text, list)?.next().map(|range| &text[range])
}

/// Finds the offsets of values in a text by their node indices in its document, where the name of a
/// member is a node too. Look-ups in ascending order cost one pass in all.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// The node that was found last; `at` is its offset.
    node: Cell<u32>,
    at: Cell<usize>,
}

impl Finder {
    /// Returns the offset in `text` of the value whose node index is `place`.
    pub(crate) fn find(&self, text: &[u8], place: u32) -> Option<usize> {
        if place < self.node.get() {
            self.node.set(0);
            self.at.set(0);
        }
        let (mut node, mut at) = (self.node.get(), skip_marks(text, self.at.get()));
        while node < place {
            at = match text.get(at)? {
                b'{' | b'[' => at + 1,
                _ => value_end(text, at)?,
            };
            at = skip_marks(text, at);
            node += 1;
        }
        self.node.set(node);
        self.at.set(at);
        (at < text.len()).then_some(at)
    }
}

/// Returns the start of the next value or name at or after `at`.
fn skip_marks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default().iter();
    at + rest.take_while(|byte| byte.is_ascii_whitespace() || b",:]}".contains(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::json::canonical::Canonical;
    use crate::json::document::with_json;
    use proptest::prelude::*;

    fn canonical(value: Json<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        Canonical::default().write(value, &mut out);
        out
    }

    fn each_value(value: Json<'_>, see: &mut dyn FnMut(Json<'_>)) {
        see(value);
        value.items().for_each(|item| each_value(item, see));
        value.entries().for_each(|(_, member)| each_value(member, see));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let scalar = prop_oneof![
            any::<i32>().prop_map(serde_json::Value::from),
            "[\\[\\]{}:,\"a\\\\]{0,6}".prop_map(serde_json::Value::from),
        ];
        scalar.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::hash_map("[a:{\"]{0,3}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn items(text: &str) -> Vec<&str> {
        Items::of(text.as_bytes(), 0).into_iter().flatten().map(|at| &text[at]).collect()
    }

    #[test]
    fn items_are_found_as_they_are_written() {
        let list = r#"[ {"a": "\"]"} , [1,[2]],"x", -1.5 ,null ]"#;
        assert_eq!(items(list), [r#"{"a": "\"]"}"#, "[1,[2]]", "\"x\"", "-1.5", "null"]);
        assert_eq!(items("[]"), [""; 0]);
        assert_eq!(items("{}"), [""; 0]);
    }

    #[test]
    fn a_value_is_found_by_its_node_in_whatever_order() {
        let text = r#" {"a" : [ 1, {"b":"x\"]"} , [] ], "c":{}, "d": null } "#;
        let expected = [
            text.trim(),
            "\"a\"",
            r#"[ 1, {"b":"x\"]"} , [] ]"#,
            "1",
            r#"{"b":"x\"]"}"#,
            "\"b\"",
            r#""x\"]""#,
            "[]",
            "\"c\"",
            "{}",
            "\"d\"",
            "null",
        ];
        let finder = Finder::default();
        let find = |place| {
            let start = finder.find(text.as_bytes(), place)?;
            Some(&text[start..value_end(text.as_bytes(), start)?])
        };
        for places in [[0, 4, 7, 11], [3, 3, 2, 9]] {
            for place in places {
                assert_eq!(find(place), Some(expected[place as usize]), "{place}");
            }
        }
        assert_eq!(find(12), None);
    }

    #[test]
    fn the_first_element_of_a_batch_is_found() {
        for (text, expected) in [
            (r#" [ {"a":1 } ,{"b":2}]"#, Some(r#"{"a":1 }"#)),
            (r#"{"sentAt":"x","batch":[{"a":"é\\"}]}"#, Some(r#"{"a":"é\\"}"#)),
            (r#"{"a":1}"#, None),
            ("[]", None),
            ("[{", None),
            ("", None),
            ("7", None),
        ] {
            assert_eq!(first_of_batch(text.as_bytes()), expected.map(str::as_bytes), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[\]{},:"\\a1 ]{0,40}"#) {
            let _ = first_of_batch(text.as_bytes());
            let _ = items(&text);
            let _ = Finder::default().find(text.as_bytes(), 5);
        }

        #[test]
        fn values_are_found_where_the_parser_has_them(value in json()) {
            let text = serde_json::to_string_pretty(&value).unwrap();
            let finder = Finder::default();
            with_json(&text, |json| each_value(json, &mut |value| {
                let start = finder.find(text.as_bytes(), value.place()).unwrap();
                let end = value_end(text.as_bytes(), start).unwrap();
                assert_eq!(with_json(&text[start..end], canonical), canonical(value));
            }));
        }

        #[test]
        fn the_first_element_is_what_a_parser_says(values in proptest::collection::vec(".*", 1..4)) {
            let list: serde_json::Value = values.clone().into();
            for text in [list.to_string(), serde_json::json!({"a": [1], "batch": list}).to_string()] {
                let first = first_of_batch(text.as_bytes()).unwrap();
                prop_assert_eq!(serde_json::from_slice::<String>(first).unwrap(), values[0].clone());
            }
        }
    }
}
