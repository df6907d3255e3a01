//! Plans in the CSV format of Segment's app, with a row for each property of each event.
//!
//! Columns are identified by their names ("Rule Key", "Rule Type", "Property Name", …), in any
//! order. Columns that do not describe events are ignored. An empty cell of the rule's columns
//! repeats the cell above it.

mod property;

use std::ops::Range;

use ::csv::{ReaderBuilder, StringRecord};
use serde_json::{Value, json};

use crate::config::tree::{Entry, Node, Value as Tree};
use crate::diagnostic::Diagnostic;
use property::Property;

/// The separators, the most likely first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
const CSV_HELP: &str = "expected the columns `Rule Key` and `Property Name`, as Segment's app writes \
    them; or ask the Public API for the plan as JSON: GET /tracking-plans/{id}/rules";

/// The index of each column in a file.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    key: Option<usize>,
    calls: Option<usize>,
    version: Option<usize>,
    name: Option<usize>,
    data_type: Option<usize>,
    status: Option<usize>,
    pattern: Option<usize>,
    choices: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Self {
        let mut columns = Self::default();
        for (place, name) in header.iter().enumerate() {
            let letters: String = name.chars().filter(|char| char.is_alphanumeric()).collect();
            let column = match letters.to_lowercase().as_str() {
                "rulekey" | "rulename" | "eventname" | "event" => &mut columns.key,
                "ruletype" | "eventtype" => &mut columns.calls,
                "ruleversion" | "eventversion" | "version" => &mut columns.version,
                "propertyname" | "propertykey" | "property" => &mut columns.name,
                "propertytype" | "propertydatatype" | "datatype" => &mut columns.data_type,
                "status" | "propertystatus" | "required" => &mut columns.status,
                "allowedpropertyvalues" | "permittedvalues" | "pattern" => &mut columns.pattern,
                "enumvalues" | "enum" => &mut columns.choices,
                _ => continue,
            };
            column.get_or_insert(place);
        }
        columns
    }

    fn is_plan(&self) -> bool {
        self.key.is_some() && self.name.is_some()
    }
}

/// A rule that is read row by row.
struct Rule {
    key: String,
    /// The calls that the rule applies to, in the notation of the cell.
    calls: String,
    version: String,
    span: Range<usize>,
    properties: Vec<Property>,
}

/// Reads `text` if it is CSV, and returns an object with the rules of the plan in `rules`.
pub(super) fn read(text: &str) -> Option<Result<Node, Diagnostic>> {
    let header = text.lines().next()?;
    for separator in SEPARATORS {
        let columns = Columns::of(rows(header, separator).next()?.ok().as_ref()?);
        if columns.is_plan() {
            return Some(rules(text, separator, columns));
        }
    }
    let looks_like_csv = !header.contains(": ") && header.matches(',').count() > 1;
    let other = || Diagnostic::error(0..header.len(), "this is CSV, but no plan of Segment's app");
    looks_like_csv.then(|| Err(other().with_help(CSV_HELP)))
}

fn rows(text: &str, separator: u8) -> impl Iterator<Item = ::csv::Result<StringRecord>> {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(separator).has_headers(false).flexible(true).trim(::csv::Trim::All);
    builder.from_reader(text.as_bytes()).into_records()
}

fn rules(text: &str, separator: u8, columns: Columns) -> Result<Node, Diagnostic> {
    let mut rules: Vec<Rule> = Vec::new();
    for row in rows(text, separator).skip(1) {
        let row = row.map_err(|error| {
            let at = error.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
            Diagnostic::error(at..at, "not CSV").with_help(CSV_HELP)
        })?;
        add(&row, columns, text, &mut rules)?;
    }
    let rules = rules.iter().map(Rule::node).collect();
    let entry = Entry {
        key: "rules".into(),
        key_span: 0..0,
        node: Node { span: 0..text.len(), value: Tree::List(rules) },
    };
    Ok(Node { span: 0..text.len(), value: Tree::Table(vec![entry]) })
}

/// Adds `row` to the rule that it belongs to.
fn add(
    row: &StringRecord,
    columns: Columns,
    text: &str,
    rules: &mut Vec<Rule>,
) -> Result<(), Diagnostic> {
    let cell = |column: Option<usize>| column.and_then(|at| row.get(at)).unwrap_or_default();
    let start = row.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
    let start = start.min(text.len());
    let span = start..start + text[start..].lines().next().map_or(0, str::len);
    let (key, calls) = (cell(columns.key), cell(columns.calls));
    let version = cell(columns.version);
    let continues = rules.last().is_some_and(|rule| {
        let same = |cell: &str, own: &str| cell.is_empty() || cell == own;
        let unnamed = key.is_empty() && calls.is_empty();
        (unnamed || key == rule.key && same(calls, &rule.calls)) && same(version, &rule.version)
    });
    if !continues {
        let (key, version) = (key.to_owned(), version.to_owned());
        let calls = if calls.is_empty() { "TRACK" } else { calls }.to_owned();
        let properties = Vec::new();
        rules.push(Rule { key, calls, version, span: span.clone(), properties });
    }
    let name = cell(columns.name);
    if let Some(rule) = rules.last_mut().filter(|_| !name.is_empty()) {
        let property = Property::read(
            name,
            cell(columns.data_type),
            cell(columns.status),
            cell(columns.pattern),
            cell(columns.choices),
        );
        rule.properties.push(property.map_err(|message| Diagnostic::error(span, message))?);
    }
    Ok(())
}

impl Rule {
    /// Returns the rule in the format of the Public API; all its nodes have the span of its first
    /// row.
    fn node(&self) -> Node {
        let root = match self.calls.to_ascii_uppercase().as_str() {
            "COMMON" => None,
            "IDENTIFY" | "GROUP" => Some("traits"),
            _ => Some("properties"),
        };
        let version = if self.version.is_empty() { "1" } else { &*self.version };
        let rule = json!({
            "type": self.calls, "key": self.key, "version": version,
            "jsonSchema": property::schema(&self.properties, root),
        });
        placed(&rule, &self.span)
    }
}

/// Converts `value` to a tree whose nodes all have the span `span`.
fn placed(value: &Value, span: &Range<usize>) -> Node {
    let value = match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Tree::Integer(integer),
            (None, float) => Tree::Float(float.unwrap_or_default()),
        },
        Value::String(text) => Tree::Text(text.clone()),
        Value::Array(items) => Tree::List(items.iter().map(|item| placed(item, span)).collect()),
        Value::Object(members) => {
            let entry = |(key, value): (&String, &Value)| Entry {
                key: key.clone(),
                key_span: span.clone(),
                node: placed(value, span),
            };
            Tree::Table(members.iter().map(entry).collect())
        }
    };
    Node { span: span.clone(), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas(text: &str) -> Vec<(String, Value)> {
        let plan = read(text).unwrap().unwrap().to_json();
        let rules = plan["rules"].as_array().unwrap().iter();
        rules
            .map(|rule| (rule["key"].as_str().unwrap().into(), rule["jsonSchema"].clone()))
            .collect()
    }

    #[test]
    fn rows_of_one_event_are_one_rule() {
        let text = "Rule Key,Rule Type,Property Name,Property Type,Status,Allowed Property Values,Enum Values\n\
            Signed Up,Track,plan,String,Required,,\"free, pro\"\n\
            Signed Up,Track,seats,\"Integer, Null\",Optional,,\n\
            ,,code,String,,^[A-Z]+$,\n\
            ,Identify,born,Date time,Required,,\n";
        let expected = [
            (
                "Signed Up".to_owned(),
                json!({"type": "object", "required": ["properties"], "properties": {"properties": {
                "type": "object", "required": ["plan"], "properties": {
                    "plan": {"type": "string", "enum": ["free", "pro"]},
                    "seats": {"type": ["integer", "null"]},
                    "code": {"type": "string", "pattern": "^[A-Z]+$"},
                }}}}),
            ),
            (
                String::new(),
                json!({"type": "object", "required": ["traits"], "properties": {"traits": {
                "type": "object", "required": ["born"], "properties": {
                    "born": {"type": "string", "format": "date-time"},
                }}}}),
            ),
        ];
        assert_eq!(schemas(text), expected);
    }

    #[test]
    fn names_with_dots_are_nested_where_their_parent_is_planned() {
        let text = "Event Name;Property;Data Type;Required\n\
            A;items;array;no\nA;items.$.sku;string;yes\nA;a.b;any;no\nA;context.app;object;yes\n";
        let (_, schema) = &schemas(text)[0];
        let expected = json!({"type": "object", "required": ["context"], "properties": {
            "properties": {"type": "object", "properties": {
                "items": {"type": "array", "items": {"type": "object", "required": ["sku"],
                    "properties": {"sku": {"type": "string"}}}},
                "a.b": {},
            }},
            "context": {"type": "object", "required": ["app"], "properties": {"app": {"type": "object"}}},
        }});
        assert_eq!(schema, &expected);
    }

    #[test]
    fn other_csv_is_named_and_other_texts_are_left() {
        let other = read("id,event,received_at\n1,a,b\n").unwrap().unwrap_err();
        assert!(other.help.unwrap().contains("Rule Key"));
        assert!(read("name: a\nrules:\n  events: []\n").is_none());
        let text = "Rule Key,Property Name,Property Type\nA,a,strnig\n";
        let fault = read(text).unwrap().unwrap_err();
        assert_eq!(&text[fault.span], "A,a,strnig");
    }
}
