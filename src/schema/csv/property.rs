//! One property of an event from a row of a table, and the schema built from all properties.

use serde_json::{Map, Value, json};

/// The first names of a property that give its place in the event.
const ROOTS: [&str; 3] = ["properties", "traits", "context"];
/// Path steps for the items of a list.
const ITEMS: [&str; 3] = ["$", "*", "[]"];

/// A property.
#[derive(Debug)]
pub(super) struct Property {
    name: String,
    is_required: bool,
    schema: Map<String, Value>,
}

impl Property {
    /// Reads a property from the cells of a row.
    pub fn read(
        name: &str,
        data_type: &str,
        status: &str,
        pattern: &str,
        choices: &str,
    ) -> Result<Self, String> {
        let mut schema = Map::new();
        let types = types(data_type, &mut schema)?;
        match &types[..] {
            [] => {}
            [only] => drop(schema.insert("type".into(), json!(only))),
            several => drop(schema.insert("type".into(), json!(several))),
        }
        if !pattern.is_empty() {
            schema.insert("pattern".into(), json!(pattern));
        }
        if !choices.is_empty() {
            schema.insert("enum".into(), enumerated(choices, &types));
        }
        let is_required =
            matches!(status.to_lowercase().as_str(), "required" | "true" | "yes" | "1");
        Ok(Self { name: name.trim_start_matches("$.").to_owned(), is_required, schema })
    }
}

/// Returns the types in a cell. For a time, the format of the string is added to `schema`.
fn types(cell: &str, schema: &mut Map<String, Value>) -> Result<Vec<&'static str>, String> {
    let mut types = Vec::new();
    for name in cell.split([',', '|', ';', '/']) {
        let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
        types.push(match letters.to_lowercase().as_str() {
            "" | "any" => return Ok(Vec::new()),
            "string" | "text" => "string",
            "datetime" | "date" => {
                schema.insert("format".into(), json!("date-time"));
                "string"
            }
            "integer" | "int" => "integer",
            "number" | "float" => "number",
            "boolean" | "bool" => "boolean",
            "array" | "list" => "array",
            "object" => "object",
            "null" => "null",
            _ => {
                return Err("expected a data type: any, array, object, boolean, integer, number, \
                    string, null or date time"
                    .into());
            }
        });
    }
    Ok(types)
}

/// Returns the values in a cell: a JSON list, or separated texts that are parsed according to
/// `types`.
fn enumerated(cell: &str, types: &[&str]) -> Value {
    if let Ok(list @ Value::Array(_)) = serde_json::from_str(cell) {
        return list;
    }
    let separator =
        [b'\n', b'|', b';', b','].into_iter().find(|&byte| cell.as_bytes().contains(&byte));
    let parts = cell.split(separator.map_or(',', char::from)).map(str::trim);
    let value = |text: &str| {
        let text = text.trim_matches('"');
        let read = if types.contains(&"string") || types.is_empty() {
            None
        } else {
            serde_json::from_str(text).ok()
        };
        read.unwrap_or_else(|| json!(text))
    };
    parts.filter(|part| !part.is_empty()).map(value).collect()
}

/// Returns the schema of an event with these properties. Properties whose name does not begin with
/// one of [`ROOTS`] are placed in `root`.
pub(super) fn schema(properties: &[Property], root: Option<&str>) -> Value {
    let mut schema = json!({"type": "object", "properties": {}});
    if let Some(root) = root {
        schema["properties"][root] = json!({"type": "object"});
    }
    for property in properties {
        let steps = steps(property, properties, root);
        insert(&mut schema, &steps, property);
    }
    schema
}

/// Returns the names that lead to a property. A dot in a name separates two names if the part
/// before it is also a property; otherwise it belongs to the name.
fn steps<'p>(property: &'p Property, all: &'p [Property], root: Option<&'p str>) -> Vec<&'p str> {
    let mut rest = property.name.as_str();
    let mut steps = Vec::new();
    match rest.split_once('.') {
        Some((first, inner)) if ROOTS.contains(&first) => {
            steps.push(first);
            rest = inner;
        }
        _ => steps.extend(root),
    }
    let mut parent = property.name.len() - rest.len();
    let is_planned = |name: &str| all.iter().any(|other| other.name == name);
    while let Some(dot) = rest.find('.') {
        let (name, inner) = (&rest[..dot], &rest[dot + 1..]);
        let whole = &property.name[..parent + dot];
        let is_list = name.ends_with("[]") || ITEMS.contains(&name);
        if !is_list && !is_planned(whole) {
            break;
        }
        steps.extend(name.strip_suffix("[]").filter(|name| !name.is_empty()));
        steps.push(if is_list { "[]" } else { name });
        parent += dot + 1;
        rest = inner;
    }
    steps.push(rest);
    steps
}

/// Adds the schema of `property` at `steps`.
fn insert(schema: &mut Value, steps: &[&str], property: &Property) {
    let Some((last, before)) = steps.split_last() else { return };
    let mut at = schema;
    if let ([root], true) = (before, property.is_required) {
        require(at, root);
    }
    for step in before {
        at = if *step == "[]" { child(at, "items") } else { child(child(at, "properties"), step) };
    }
    if property.is_required {
        require(at, last);
    }
    if at.get("type").is_none() {
        at["type"] = json!("object");
    }
    let own = child(child(at, "properties"), last);
    if let Value::Object(own) = own {
        own.extend(property.schema.clone());
    }
}

/// Returns the member `name` of an object, which is created if it is missing.
fn child<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    let child = &mut value[name];
    if child.is_null() {
        *child = json!({});
    }
    child
}

fn require(schema: &mut Value, name: &str) {
    let required = &mut schema["required"];
    if required.is_null() {
        *required = json!([]);
    }
    if let Value::Array(names) = required
        && !names.iter().any(|known| known == name)
    {
        names.push(json!(name));
    }
}
