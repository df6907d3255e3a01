//! Plans in YAML, read into the common tree.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::read::FORMATS;
use crate::config::tree::{Entry, Node, Value};
use crate::diagnostic::Diagnostic;

/// Reads `text`: one document, or several as a list.
pub(super) fn read(text: &str) -> Result<Node, Diagnostic> {
    // `yes` and `no` are texts, as in YAML 1.2, because they may be values of a property.
    let options = serde_saphyr::options! { strict_booleans: true };
    let read = serde_saphyr::from_multiple_with_options::<Spanned<Part>>(text, options);
    let documents = read.map_err(|error| {
        let at = error.location().map_or(0..0, range);
        Diagnostic::error(at, "neither JSON nor YAML").with_help(FORMATS)
    })?;
    let mut documents: Vec<Node> = documents.into_iter().map(node).collect();
    if documents.len() == 1
        && let Some(only) = documents.pop()
    {
        return Ok(only);
    }
    Ok(Node { span: 0..text.len(), value: Value::List(documents) })
}

fn range(location: Location) -> Range<usize> {
    let span = location.span();
    let byte = |byte: Option<u64>| byte.and_then(|byte| usize::try_from(byte).ok()).unwrap_or(0);
    let start = byte(span.byte_offset());
    start..start + byte(span.byte_len())
}

fn node(part: Spanned<Part>) -> Node {
    Node { span: range(part.referenced), value: part.value.0 }
}

/// A value without its span.
struct Part(Value);

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parts).map(Self)
    }
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has, too")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    #[allow(clippy::cast_precision_loss)] // past 64 bits numbers are doubles, as in JSON
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(node(item));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut table = Vec::new();
        while let Some(key) = members.next_key::<Spanned<String>>()? {
            let (key, key_span) = (key.value, range(key.referenced));
            table.push(Entry { key, key_span, node: node(members.next_value()?) });
        }
        Ok(Value::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_reads_as_json_and_keeps_its_places() {
        let text = "a: [1, 2.5, yes, null]\nb:\n  c: \"x\"\n  \"d\": text\n";
        let read = read(text).unwrap();
        assert_eq!(
            read.to_json(),
            json!({"a": [1, 2.5, "yes", null], "b": {"c": "x", "d": "text"}})
        );
        let Value::Table(entries) = &read.value else { panic!("{read:?}") };
        assert_eq!(&text[entries[1].key_span.clone()], "b");
        let Value::Table(inner) = &entries[1].node.value else { panic!("{read:?}") };
        assert_eq!(&text[inner[0].node.span.clone()], "\"x\"");
    }

    #[test]
    fn documents_behind_one_another_are_a_list() {
        assert_eq!(read("a: 1\n---\nb: 2\n").unwrap().to_json(), json!([{"a": 1}, {"b": 2}]));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let level = |n: usize| {
            let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
            format!("a{n}: &a{n} [{aliases}]\n")
        };
        let first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        let text: Vec<String> = std::iter::once(first).chain((1..10).map(level)).collect();
        let text = text.concat();
        assert!(read(&text).is_err());
    }
}
