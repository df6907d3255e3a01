//! Normalisation of schemas: removes what real plans contain but JSON Schema does not allow, and
//! turns schemas of properties into schemas of events.

use serde_json::{Map, Value, json};

use super::RuleType;

/// The part of an event that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The whole event.
    Event,
    /// Its `properties` or `traits`, lifted to the top level.
    Lifted,
    /// Not decided yet.
    Unknown,
}

/// Keywords whose value is a schema or a list of schemas.
const SCHEMAS: [&str; 14] = [
    "items",
    "additionalItems",
    "additionalProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "allOf",
    "anyOf",
    "oneOf",
    "unevaluatedProperties",
    "unevaluatedItems",
];
/// Keywords whose value is an object of schemas by name.
const NAMED_SCHEMAS: [&str; 6] =
    ["properties", "patternProperties", "definitions", "$defs", "dependencies", "dependentSchemas"];

/// The types of JSON Schema, and `any`, which Segment's editors add.
const TYPES: [&str; 8] =
    ["string", "number", "integer", "boolean", "object", "array", "null", "any"];
/// Keywords of which every schema has at least one.
const SCHEMA_KEYWORDS: [&str; 10] = [
    "type",
    "properties",
    "required",
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "additionalProperties",
    "patternProperties",
    "eventMetadata",
];

/// Returns `true` if `value` is recognisable as a JSON schema and not as another object with such
/// members.
pub(super) fn is_schema(value: &Value) -> bool {
    let Some(keywords) = value.as_object() else { return false };
    let is_draft = |uri: &Value| uri.as_str().is_some_and(|uri| uri.contains("json-schema.org"));
    let is_type = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    let is_types = match keywords.get("type") {
        Some(Value::Array(names)) => names.iter().all(is_type),
        Some(name) => is_type(name),
        None => true,
    };
    let has_rules =
        ["rules", "jsonSchema", "json_schema"].iter().any(|n| keywords.contains_key(*n));
    let is_named = keywords.get("$schema").is_some_and(is_draft);
    !has_rules
        && is_types
        && (is_named || SCHEMA_KEYWORDS.iter().any(|sign| keywords.contains_key(*sign)))
}

/// Removes what Segment's editors write although no draft defines it: the type `any`, an `id` that
/// is not a URI (such as `/properties/Order%20Id`), and an empty `required`, which draft 4 forbids.
/// None of these constrains an event.
pub(super) fn normalise(schema: &mut Value) {
    let Value::Object(keywords) = schema else { return };
    normalise_type(keywords);
    // An `id` that starts with `#` names a part that references may use.
    let is_bare = |id: &Value| id.as_str().is_some_and(|id| !id.starts_with('#'));
    if keywords.get("id").is_some_and(is_bare) {
        keywords.remove("id");
    }
    if keywords.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        keywords.remove("required");
    }
    for keyword in SCHEMAS {
        match keywords.get_mut(keyword) {
            Some(Value::Array(schemas)) => schemas.iter_mut().for_each(normalise),
            Some(schema) => normalise(schema),
            None => {}
        }
    }
    for keyword in NAMED_SCHEMAS {
        if let Some(Value::Object(schemas)) = keywords.get_mut(keyword) {
            schemas.values_mut().for_each(normalise);
        }
    }
}

fn normalise_type(keywords: &mut Map<String, Value>) {
    let is_any = |name: &Value| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case("any"));
    let any = match keywords.get("type") {
        Some(Value::Array(names)) => names.iter().any(is_any) || names.is_empty(),
        Some(name) => is_any(name),
        None => false,
    };
    if any {
        keywords.remove("type");
    }
}

/// Returns the member of an event that a lifted schema describes.
fn lifted_member(rule_type: RuleType) -> &'static str {
    match rule_type {
        RuleType::Identify | RuleType::Group => "traits",
        _ => "properties",
    }
}

/// Returns the schema of the event, given a schema of the event or of a lifted part.
pub(super) fn of_event(mut schema: Value, rule_type: RuleType, shape: Shape) -> Value {
    if shape != Shape::Lifted {
        return schema;
    }
    let draft = schema.as_object_mut().and_then(|keywords| keywords.remove("$schema"));
    let own = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut member_required = false;
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        // If the properties had no `required` of their own, that of the event was kept.
        let members = ["properties", "traits", "context"];
        required.retain(|name| {
            let name = name.as_str().unwrap_or_default();
            own.contains_key(name) || !members.contains(&name)
        });
        member_required = !required.is_empty();
        if required.is_empty() {
            schema.as_object_mut().and_then(|keywords| keywords.remove("required"));
        }
    }
    let member = lifted_member(rule_type);
    let mut of_event = json!({"type": "object", "properties": {member: schema}});
    if member_required {
        of_event["required"] = json!([member]);
    }
    if let Some(draft) = draft {
        of_event["$schema"] = draft;
    }
    of_event
}

/// Converts a pointer into the result of [`of_event`] to a pointer into the original schema.
pub(super) fn unwrapped(pointer: &str, rule_type: RuleType, shape: Shape) -> String {
    let wrapped = format!("/properties/{}", lifted_member(rule_type));
    match shape {
        Shape::Lifted => pointer.strip_prefix(&wrapped).unwrap_or_default().to_owned(),
        Shape::Event | Shape::Unknown => pointer.to_owned(),
    }
}

/// Returns `true` if `schema` requires nothing except that an event is an object.
pub(super) fn takes_all(schema: &Value) -> bool {
    match schema {
        Value::Bool(takes) => *takes,
        Value::Object(keywords) => keywords.iter().all(|(keyword, value)| match keyword.as_str() {
            "$schema" | "description" | "title" | "labels" | "eventMetadata" | "$id" => true,
            "type" => value == "object",
            "properties" => value.as_object().is_some_and(|properties| {
                properties.values().all(|schema| schema.as_object().is_some_and(Map::is_empty))
            }),
            _ => false,
        }),
        _ => false,
    }
}
