//! The common tree of TOML, JSON and HCL texts, with the span of every value, so that each schema
//! is checked by one implementation for all formats.

use std::ops::Range;
use std::slice;

use simd_json::{Buffers, Node as TapeNode, StaticNode};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, char_span};
use crate::json::MAX_DEPTH;
use crate::json::diagnose::NotJson;

/// A value and its span.
#[derive(Clone, Debug)]
pub struct Node {
    /// The byte range of the value in the text.
    pub span: Range<usize>,
    /// The value.
    pub value: Value,
}

/// The value of a node.
#[derive(Clone, Debug)]
pub enum Value {
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A date, in the notation of the text.
    Date(String),
    /// `null`
    Null,
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table or object, in the order of the text.
    Table(Vec<Entry>),
    /// An expression whose value only Terraform knows.
    Expression,
    /// A value of any other type, by its name.
    Other(&'static str),
}

/// A member of a table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// The byte range of the name in the text.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node,
}

impl Value {
    /// Returns the name of the type, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Date(_) => "a date",
            Self::Null => "null",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Expression => "an expression of Terraform's",
            Self::Other(name) => name,
        }
    }
}

impl Node {
    /// Parses TOML, or JSON if the text begins with `{`.
    ///
    /// # Errors
    /// Returns diagnostics if the text is not in that format.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        if text.trim_start().starts_with('{') { Self::parse_json(text) } else { from_toml(text) }
    }

    /// Parses JSON.
    ///
    /// # Errors
    /// Returns a diagnostic if the text is not JSON.
    pub fn parse_json(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut bytes = text.as_bytes().to_vec();
        let base = bytes.as_ptr().addr();
        let mut buffers = Buffers::with_max_depth(text.len(), MAX_DEPTH);
        match simd_json::to_tape_with_buffers(&mut bytes, &mut buffers) {
            Ok(tape) => Ok(json_node(&mut tape.0.iter(), 0..0, base)),
            Err(error) => {
                let fault = NotJson::new(&error, text.as_bytes());
                let span = char_span(text, fault.offset);
                Err(vec![Diagnostic::error(span, format!("not JSON: {}", fault.detail("")))])
            }
        }
    }

    /// Returns the span to show in diagnostics: that of the first key of a table, else that of the
    /// value.
    pub fn place(&self) -> Range<usize> {
        match &self.value {
            Value::Table(entries) => entries.first().map(|entry| entry.key_span.clone()),
            _ => None,
        }
        .unwrap_or_else(|| self.span.clone())
    }

    /// Sets the span of this node and all nodes inside it to `span`.
    pub fn set_span(&mut self, span: &Range<usize>) {
        self.span = span.clone();
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.set_span(span)),
            Value::Table(entries) => {
                for entry in entries {
                    entry.key_span = span.clone();
                    entry.node.set_span(span);
                }
            }
            _ => {}
        }
    }

    /// Returns `true` if the value is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

fn from_toml(text: &str) -> Result<Node, Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let span = table.span();
        return Ok(Node { span, value: toml_table(table.get_ref()) });
    }
    let diagnostics = errors.iter().map(|error| {
        Diagnostic::error(error.span().unwrap_or(0..0), format!("not TOML: {}", error.message()))
    });
    Err(diagnostics.collect())
}

fn toml_table(table: &DeTable<'_>) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            node: toml_node(value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    Value::Table(entries)
}

fn toml_node(node: &Spanned<DeValue<'_>>) -> Node {
    let value = match node.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map_or(Value::Other("a number past 64 bits"), Value::Integer),
        DeValue::Float(digits) => {
            digits.as_str().parse().map_or(Value::Other("a number past all others"), Value::Float)
        }
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(toml_node).collect()),
        DeValue::Table(table) => toml_table(table),
    };
    Node { span: node.span(), value }
}

/// Reads the next value of `nodes`. Strings point into the text itself, so their addresses give
/// their spans; any other value gets the span `before`, that of the name before it.
fn json_node(nodes: &mut slice::Iter<'_, TapeNode<'_>>, before: Range<usize>, base: usize) -> Node {
    let place = |text: &str| {
        let start = text.as_ptr().addr().saturating_sub(base);
        start..start + text.len()
    };
    let mut span = before.clone();
    let value = match nodes.next() {
        None | Some(TapeNode::Static(StaticNode::Null)) => Value::Null,
        Some(TapeNode::Static(StaticNode::Bool(value))) => Value::Bool(*value),
        Some(TapeNode::Static(StaticNode::I64(value))) => Value::Integer(*value),
        Some(TapeNode::Static(StaticNode::U64(value))) => {
            i64::try_from(*value).map_or(Value::Other("a number past 64 bits"), Value::Integer)
        }
        Some(TapeNode::Static(StaticNode::F64(value))) => Value::Float(*value),
        Some(TapeNode::String(text)) => {
            // As in TOML, the span includes the quotes.
            let inside = place(text);
            span = inside.start.saturating_sub(1)..inside.end + 1;
            Value::Text((*text).to_owned())
        }
        Some(TapeNode::Array { len, .. }) => {
            Value::List((0..*len).map(|_| json_node(nodes, before.clone(), base)).collect())
        }
        Some(TapeNode::Object { len, .. }) => {
            let entry = |_| {
                let key = match nodes.next() {
                    Some(TapeNode::String(key)) => *key,
                    _ => "",
                };
                let key_span = place(key);
                let node = json_node(nodes, key_span.clone(), base);
                Entry { key: key.to_owned(), key_span, node }
            };
            Value::Table((0..*len).map(entry).collect())
        }
    };
    Node { span, value }
}

/// Returns the start of the content of the text node at `span` in `source` if the content has no
/// escapes: then offsets in the content correspond to offsets in the source.
pub fn content_start(source: &str, span: &Range<usize>, content: &str) -> Option<usize> {
    let written = source.get(span.clone())?;
    let at = written.find(content)?;
    Some(span.start + at)
}

/// Maps the bytes of the content of a JSON or HCL text node to their offsets in the document,
/// whatever escapes precede them.
#[derive(Debug)]
pub struct Written {
    /// The offset at which the content begins.
    start: usize,
    /// For the end of each escape, the offsets in the content and, from `start`, in the document.
    escapes: Vec<(usize, usize)>,
    /// The offset at which the content ends.
    end: usize,
}

impl Written {
    /// Creates the mapping for the text at `span` in `source`; the span includes the quotes.
    pub fn new(source: &str, span: &Range<usize>) -> Self {
        let start = span.start + 1;
        let written = source.get(start..).unwrap_or_default();
        let (mut escapes, mut read, mut from) = (Vec::new(), 0, 0);
        while let Some(at) = written[from..].find(['\\', '"']).map(|at| from + at) {
            if written[at..].starts_with('"') {
                return Self { start, escapes, end: start + at };
            }
            let (width, length) = escape(&written[at..]);
            read += at - from + width;
            from = (at + length..written.len())
                .find(|&end| written.is_char_boundary(end))
                .unwrap_or(written.len());
            escapes.push((read, from));
        }
        Self { start, escapes, end: source.len() }
    }

    /// Returns the offset of the byte `offset` of the content, or the end of the text if it is past
    /// the end.
    pub fn place(&self, offset: usize) -> usize {
        let before = self.escapes.partition_point(|&(read, _)| read <= offset);
        let (read, written) = before.checked_sub(1).map_or((0, 0), |last| self.escapes[last]);
        (self.start + written + (offset - read)).min(self.end.max(self.start))
    }
}

/// Returns the number of content bytes and of written bytes of the escape that `written` begins
/// with.
fn escape(written: &str) -> (usize, usize) {
    let code = |digits: usize| {
        let digits = written.get(2..2 + digits).unwrap_or_default();
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
    };
    match written.as_bytes().get(1) {
        // Each half of a surrogate pair counts for two of the four bytes.
        Some(b'u') => (code(4).map_or(2, char::len_utf8), 6),
        Some(b'U') => (code(8).map_or(2, char::len_utf8), 10),
        Some(_) => (1, 2),
        None => (0, 1),
    }
}

impl Node {
    /// Converts the tree to plain JSON, for the events of rule tests.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(text) | Value::Date(text) => text.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Table(entries) => serde_json::Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
            ),
            Value::Null | Value::Expression | Value::Other(_) => serde_json::Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_json_string_are_found_past_escapes() {
        let source = r#"{"if":"a\"b\u00e9\ud83d\ude00c\n!"}"#;
        let root = Node::parse_json(source).unwrap();
        let Value::Table(entries) = &root.value else { panic!("no table") };
        let Value::Text(text) = &entries[0].node.value else { panic!("no text") };
        let written = Written::new(source, &entries[0].node.span);
        for char in ['a', 'b', 'c', '!'] {
            let offset = text.find(char).unwrap();
            let place = written.place(offset);
            assert!(source[place..].starts_with(char), "{char}: {}", &source[place..]);
        }
        assert!(source[written.place(99)..].starts_with('"'));
    }

    #[test]
    fn a_fault_behind_text_that_is_not_ascii_is_placed_at_its_byte() {
        let source = r#"{"dat㞦㞦\ilt2rs": 1}"#;
        let faults = Node::parse_json(source).unwrap_err();
        assert_eq!(&source[faults[0].span.clone()], "\\");
        assert!(faults[0].message.contains("byte 12: expected a JSON escape"), "{faults:?}");
        let faults = Node::parse_json(r#"{"half": "\ud83d"}"#).unwrap_err();
        assert_eq!(faults[0].message, "not JSON: expected one JSON value");
        let deep = "[".repeat(MAX_DEPTH + 1);
        let faults = Node::parse_json(&deep).unwrap_err();
        assert_eq!(faults[0].span, MAX_DEPTH..MAX_DEPTH + 1);
    }
}
