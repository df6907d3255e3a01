//! Reading of HCL, the language of Terraform's files, into the same tree as TOML and JSON.
//!
//! A block becomes what Terraform's JSON syntax would have: a member for its name, and a nested
//! object for each label, so that `resource "a" "b" { … }` reads as
//! `{"resource": {"a": {"b": {…}}}}`. Only literal values are read. `jsonencode(…)` reads as its
//! argument; every other expression is [`Value::Expression`], since only Terraform knows its value.

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey, UnaryOperator};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::template::{Element, Template};

use super::tree::{Entry, Node, Value};
use crate::diagnostic::{Diagnostic, char_span};

/// Terraform's function that encodes a value as JSON.
const JSON_ENCODE: &str = "jsonencode";

/// Parses HCL; spans are byte ranges of `text`.
///
/// # Errors
/// Returns a diagnostic if the text is not HCL.
pub fn parse(text: &str) -> Result<Node, Vec<Diagnostic>> {
    match hcl_edit::parser::parse_body(text) {
        Ok(body) => Ok(Node { span: 0..text.len(), value: of_body(&body) }),
        Err(error) => {
            // The parser counts bytes, and may stop within a character.
            let span = char_span(text, error.location().offset());
            Err(vec![Diagnostic::error(span, format!("not HCL: {}", error.message()))])
        }
    }
}

fn of_body(body: &Body) -> Value {
    let mut entries: Vec<Entry> = Vec::new();
    for structure in body {
        let (key, key_span, node) = match structure {
            Structure::Attribute(attribute) => {
                let key = &attribute.key;
                (key.as_str(), key.span(), of_expression(&attribute.value))
            }
            Structure::Block(block) => (block.ident.as_str(), block.ident.span(), of_block(block)),
        };
        entries.push(Entry { key: key.to_owned(), key_span: key_span.unwrap_or_default(), node });
    }
    Value::Table(entries)
}

/// Reads the body of a block, nested in an object for each of its labels.
fn of_block(block: &Block) -> Node {
    let span = block.span().unwrap_or_default();
    let mut node = Node { span: span.clone(), value: of_body(&block.body) };
    for label in block.labels.iter().rev() {
        let key_span = label.span().unwrap_or_default();
        let entry = Entry { key: label.as_str().to_owned(), key_span, node };
        node = Node { span: span.clone(), value: Value::Table(vec![entry]) };
    }
    node
}

fn of_expression(expression: &Expression) -> Node {
    let span = expression.span().unwrap_or_default();
    let value = match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::Number(number) => of_number(number.value()),
        Expression::String(text) => Value::Text(text.value().clone()),
        Expression::StringTemplate(template) => of_template(template),
        Expression::HeredocTemplate(heredoc) => of_template(&heredoc.template),
        Expression::Array(items) => Value::List(items.iter().map(of_expression).collect()),
        Expression::Object(object) => of_object(object),
        Expression::Parenthesis(inner) => return of_expression(inner.inner()),
        Expression::FuncCall(call) => match encoded(call) {
            Some(argument) => return of_expression(argument),
            None => Value::Expression,
        },
        Expression::UnaryOp(operation) => match (operation.operator.value(), &operation.expr) {
            (UnaryOperator::Neg, Expression::Number(number)) => negated(of_number(number.value())),
            _ => Value::Expression,
        },
        Expression::Variable(_)
        | Expression::Conditional(_)
        | Expression::Traversal(_)
        | Expression::BinaryOp(_)
        | Expression::ForExpr(_) => Value::Expression,
    };
    Node { span, value }
}

/// Returns the argument of a `jsonencode` call.
fn encoded(call: &FuncCall) -> Option<&Expression> {
    let is_encoder = !call.name.is_namespaced() && call.name.name.as_str() == JSON_ENCODE;
    let argument = if call.args.len() == 1 { call.args.get(0) } else { None };
    argument.filter(|_| is_encoder && !call.args.expand_final())
}

fn of_number(number: &hcl_edit::Number) -> Value {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => Value::Integer(integer),
        (None, Some(float)) => Value::Float(float),
        (None, None) => Value::Other("a number past 64 bits"),
    }
}

fn negated(value: Value) -> Value {
    match value {
        Value::Integer(integer) => integer.checked_neg().map_or(Value::Expression, Value::Integer),
        Value::Float(float) => Value::Float(-float),
        other => other,
    }
}

/// Reads a template as a text, unless something is interpolated.
fn of_template(template: &Template) -> Value {
    let literal = |element: &Element| match element {
        Element::Literal(text) => Some(text.value().clone()),
        Element::Interpolation(_) | Element::Directive(_) => None,
    };
    template
        .into_iter()
        .map(literal)
        .collect::<Option<String>>()
        .map_or(Value::Expression, Value::Text)
}

fn of_object(object: &Object) -> Value {
    let mut entries = Vec::new();
    for (key, value) in object {
        // If a name is not a literal, the whole object is unknown.
        let Some((key, key_span)) = name(key) else { return Value::Expression };
        entries.push(Entry { key, key_span, node: of_expression(value.expr()) });
    }
    Value::Table(entries)
}

fn name(key: &ObjectKey) -> Option<(String, Range<usize>)> {
    let (name, span) = match key {
        ObjectKey::Ident(ident) => (ident.as_str().to_owned(), ident.span()),
        ObjectKey::Expression(expression) => match of_expression(expression) {
            Node { value: Value::Text(name), span } => (name, Some(span)),
            Node { value: Value::Integer(number), span } => (number.to_string(), Some(span)),
            _ => return None,
        },
    };
    Some((name, span.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Node {
        parse(text).unwrap()
    }

    #[test]
    fn blocks_read_as_terraforms_json_writes_them() {
        let text = "resource \"a\" b {\n  n = -1.5\n  list = [1, \"x\", null]\n  inner { yes = true }\n}\n";
        let expected = json!({"resource": {"a": {"b": {
            "n": -1.5, "list": [1, "x", null], "inner": {"yes": true}
        }}}});
        assert_eq!(read(text).to_json(), expected);
    }

    #[test]
    fn texts_lose_their_escapes_and_heredocs_their_indent() {
        let text =
            "a = \"x = \\\"y\\\"\"\nb = <<-EOT\n    one\n      two\n    EOT\nc = (\"$${z}\")\n";
        let expected = json!({"a": "x = \"y\"", "b": "one\n  two\n", "c": "${z}"});
        assert_eq!(read(text).to_json(), expected);
    }

    #[test]
    fn encoded_json_reads_as_what_it_encodes() {
        let text = "f = jsonencode({ \"\" = [\"userId\"], properties : [\"a\"] })\n";
        assert_eq!(read(text).to_json(), json!({"f": {"": ["userId"], "properties": ["a"]}}));
    }

    #[test]
    fn what_only_terraform_knows_is_an_expression() {
        for value in
            ["var.x", "\"a${local.x}\"", "a ? 1 : 2", "file(\"x\")", "1 + 1", "{(var.k) = 1}"]
        {
            let Value::Table(entries) = read(&format!("k = {value}\n")).value else {
                panic!("{value}")
            };
            assert!(matches!(entries[0].node.value, Value::Expression), "{value}");
        }
    }

    #[test]
    fn everything_has_its_place() {
        let text = "resource \"a\" \"b\" {\n  key = \"text\"\n}\n";
        let Value::Table(entries) = read(text).value else { panic!("no table") };
        assert_eq!(text[entries[0].key_span.clone()], *"resource");
        let Value::Table(entries) = &entries[0].node.value else { panic!("no table") };
        assert_eq!(text[entries[0].key_span.clone()], *"\"a\"");
        let Value::Table(entries) = &entries[0].node.value else { panic!("no table") };
        let Value::Table(entries) = &entries[0].node.value else { panic!("no table") };
        assert_eq!(text[entries[0].key_span.clone()], *"key");
        assert_eq!(text[entries[0].node.span.clone()], *"\"text\"");
    }

    #[test]
    fn what_is_no_hcl_is_told_at_its_place() {
        let faults = parse("a = 1\nb = = 2\n").unwrap_err();
        assert_eq!(faults[0].span.start, 10, "{faults:?}");
        assert!(faults[0].message.starts_with("not HCL: "));
    }

    #[test]
    fn a_fault_within_a_character_is_at_its_start() {
        let faults = parse("h\"\u{6c4}\"\u{6c4}").unwrap_err();
        assert_eq!(faults[0].span, 5..7, "{faults:?}");
    }
}
