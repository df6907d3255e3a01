//! Whether a file may be one JSON value over many lines.

/// Sees the text of a file go by until it is plain that it is not one JSON value.
///
/// In JSON text a line never breaks inside a string, so a line break always stands between two
/// tokens; and an object or array begins only at the start of the text or after `[`, `,` or `:`.
/// A line that begins with `{` or `[` after one that ends with anything else is therefore proof
/// that the lines are values of their own. In newline-delimited JSON that is nearly every line
/// break, so such files are told from the first few lines; nothing needs to be parsed.
pub(super) struct Probe {
    /// The last byte so far that is not blank.
    last: u8,
    /// Whether the line so far is blank.
    at_start: bool,
}

impl Probe {
    /// Looks at the first piece of a file, whole lines or all of it. `None` if the file is not one
    /// JSON value over many lines, so far as that can be told from this piece.
    pub fn begin(text: &[u8], is_all: bool, is_json: fn(&[u8]) -> bool) -> Option<Self> {
        let text = text.trim_ascii_start();
        if !text.starts_with(b"{") && !text.starts_with(b"[") {
            return None;
        }
        let line_end = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let line = text[..line_end].trim_ascii_end();
        if is_all && text[line_end..].trim_ascii().is_empty() {
            return None;
        }
        // A whole value with a comma after it is no value and cannot become one.
        if is_json(line) || line.strip_suffix(b",").is_some_and(is_json) {
            return None;
        }
        let mut probe = Self { last: b':', at_start: true };
        probe.goes_on(text).then_some(probe)
    }

    /// Looks at the next bytes. Whether the file may still be one value.
    pub fn goes_on(&mut self, text: &[u8]) -> bool {
        for piece in text.split_inclusive(|&byte| byte == b'\n') {
            let inner = piece.trim_ascii();
            if let (Some(first), Some(&last)) = (inner.first(), inner.last()) {
                let opens = matches!(first, b'{' | b'[');
                if self.at_start && opens && !matches!(self.last, b'[' | b',' | b':') {
                    return false;
                }
                self.last = last;
                self.at_start = false;
            }
            if piece.ends_with(b"\n") {
                self.at_start = true;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_json(text: &[u8]) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
    }

    fn may_be_one_value(text: &str) -> bool {
        Probe::begin(text.as_bytes(), true, is_json).is_some()
    }

    #[test]
    fn values_over_many_lines_are_let_through() {
        for text in [
            "{\n  \"a\": 1\n}",
            "\r\n \n[\r\n{\"a\":1},\r\n{\"a\":2}\r\n]\r\n",
            "[\n{\"a\":1}\n,{\"a\":2}\n]",
            "[\n[\n1\n]\n,\n[2]]",
            "{\"a\":\n{\"b\":\n\n[\n]}}",
            "[{\"a\":1},\n{\"a\":2}]",
        ] {
            assert!(is_json(text.as_bytes()) && may_be_one_value(text), "{text}");
        }
    }

    #[test]
    fn broken_newline_delimited_json_is_told_early() {
        for text in [
            "{\"a\":1}\n{\"a\":2}",
            "{\"a\":1\n{\"a\":2}",
            "{\"a\": \"cut o\n{\"a\":2}\n",
            "{\"a\":\n{\"a\":2}\n{\"a\":3}\n",
            "{broken}\n{broken}",
            "{\"a\":1},\n{\"a\":2},\n",
            "\"a\n{",
            "{broken",
            "{broken\n \r\n",
            "",
        ] {
            assert!(!may_be_one_value(text), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(serde_json::Value::from),
            "[\\[{,:}\\]\"\\\\\n a]{0,4}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[a{\\[]{0,2}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_pretty_printed_value_is_never_refused(value in value(), cut in 0_usize..400) {
            let text = serde_json::to_string_pretty(&value).unwrap();
            if text.contains('\n') {
                let mut probe = Probe::begin(text.as_bytes(), true, is_json).unwrap();
                prop_assert!(probe.last == *text.as_bytes().last().unwrap());
                // Cut anywhere, it makes no difference.
                let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
                probe = Probe { last: b':', at_start: true };
                prop_assert!(probe.goes_on(head) && probe.goes_on(tail));
            }
        }
    }
}
