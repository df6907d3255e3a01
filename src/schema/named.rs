//! The properties that a schema names, and the properties of an event that it does not name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::pointer;

/// The maximum number of schema parts that are searched for names; further parts are treated as
/// open.
const MAX_PARTS: usize = 100_000;
/// The maximum nesting depth of schema parts, with references followed.
const MAX_DEPTH: usize = 64;
/// The maximum number of unnamed properties of one event that are reported.
const MAX_UNNAMED: usize = 100;
/// Keywords that combine several schemas, whose names count for all of them.
const COMBINED: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const CONDITIONAL: [&str; 3] = ["if", "then", "else"];
/// Keywords that may describe properties without naming them.
const DESCRIBED: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];

/// The names that a schema gives to the parts of one value.
#[derive(Debug, Default)]
pub(super) struct Named {
    members: BTreeMap<String, Named>,
    items: Option<Box<Named>>,
    /// Whether the schema describes members without naming them.
    is_open: bool,
}

/// The state of collecting the names of a schema.
struct Reader<'s> {
    root: &'s Value,
    left: usize,
    /// The references that are being followed.
    followed: Vec<&'s str>,
}

impl Named {
    /// Collects the names in `schema`.
    pub fn of(schema: &Value) -> Self {
        let mut named = Self::default();
        let mut reader = Reader { root: schema, left: MAX_PARTS, followed: Vec::new() };
        named.add(schema, &mut reader, 0);
        named
    }

    fn add<'s>(&mut self, schema: &'s Value, reader: &mut Reader<'s>, depth: usize) {
        let Value::Object(keywords) = schema else { return };
        if reader.left == 0 || depth > MAX_DEPTH {
            self.is_open = true;
            return;
        }
        reader.left -= 1;
        self.follow(keywords, reader, depth);
        let members = |name: &str| keywords.get(name).and_then(Value::as_object);
        let listed = |name: &&str| keywords.get(*name).and_then(Value::as_array);
        for schema in COMBINED.iter().filter_map(listed).flatten() {
            self.add(schema, reader, depth + 1);
        }
        for schema in CONDITIONAL.iter().filter_map(|name| keywords.get(*name)) {
            self.add(schema, reader, depth + 1);
        }
        for (name, schema) in members("properties").into_iter().flatten() {
            self.members.entry(name.clone()).or_default().add(schema, reader, depth + 1);
        }
        let describes = |value: &Value| value.as_object().is_some_and(|schema| !schema.is_empty());
        self.is_open |= keywords.get("patternProperties").is_some_and(describes)
            || DESCRIBED.iter().filter_map(|name| keywords.get(*name)).any(describes);
        let items = match keywords.get("items") {
            Some(Value::Array(items)) => items.as_slice(),
            Some(items @ Value::Object(_)) => std::slice::from_ref(items),
            _ => listed(&"prefixItems").map_or(&[][..], Vec::as_slice),
        };
        for schema in items {
            self.items.get_or_insert_default().add(schema, reader, depth + 1);
        }
    }

    /// Adds the names of the schema that `$ref` refers to, if there is one.
    fn follow<'s>(
        &mut self,
        keywords: &'s Map<String, Value>,
        reader: &mut Reader<'s>,
        depth: usize,
    ) {
        let Some(Value::String(target)) = keywords.get("$ref") else { return };
        let schema = target.strip_prefix('#').and_then(|way| reader.root.pointer(way));
        match schema {
            Some(schema) if !reader.followed.contains(&target.as_str()) => {
                reader.followed.push(target);
                self.add(schema, reader, depth + 1);
                reader.followed.pop();
            }
            // A recursive reference, or one to an identifier, is not followed.
            _ => self.is_open = true,
        }
    }

    /// Returns the names at the member of the event at `pointer`, or `None` if it is not named.
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        pointer::steps(pointer).try_fold(self, |named, step| {
            let member = named.members.get(&*step);
            member.or_else(|| step.parse::<usize>().ok().and(named.items.as_deref()))
        })
    }

    /// Returns the names of the members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Returns the members of `value` at `pointer` that are not named although other members of the
    /// same object are, as pairs of the object's pointer and the member's name.
    pub fn unnamed(&self, value: &Value, pointer: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.gather(value, pointer, &mut found);
        found
    }

    fn gather(&self, value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if let Some(named) = self.members.get(name) {
                        named.gather(value, &pointer::join(pointer, name), found);
                    } else if !self.is_open && !self.members.is_empty() && found.len() < MAX_UNNAMED
                    {
                        found.push((pointer.to_owned(), name.clone()));
                    }
                }
            }
            Value::Array(items) => {
                let Some(named) = &self.items else { return };
                for (index, item) in items.iter().enumerate() {
                    named.gather(item, &format!("{pointer}/{index}"), found);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn unnamed(schema: &Value, value: &Value) -> Vec<String> {
        let found = Named::of(schema).unnamed(value, "");
        found.into_iter().map(|(parent, name)| pointer::join(&parent, &name)).collect()
    }

    #[test]
    fn members_beside_named_ones_are_found_wherever_they_stand() {
        let item = json!({"properties": {"sku": {}, "size": {"properties": {"w": {}}}}});
        let schema = json!({
            "definitions": {"plan": {"properties": {"plan": {}}}},
            "allOf": [{"$ref": "#/definitions/plan"}, {"properties": {"items": {"items": item}}}],
            "properties": {"free": {}, "open": {"properties": {"a": {}}, "additionalProperties": {"type": "string"}}},
        });
        let value = json!({
            "plan": 1, "plna": 1, "free": {"x": 1}, "open": {"b": "c"},
            "items": [{"sku": 1}, {"skv": 1, "size": {"w": 1, "h": 1}}],
        });
        assert_eq!(unnamed(&schema, &value), ["/plna", "/items/1/skv", "/items/1/size/h"]);
    }

    #[test]
    fn a_schema_that_names_nothing_says_nothing_of_names() {
        for schema in [
            json!({}),
            json!({"properties": {}}),
            json!(true),
            json!({"patternProperties": {"^a": {"type": "string"}}}),
        ] {
            assert_eq!(unnamed(&schema, &json!({"a": 1})), [""; 0], "{schema}");
        }
    }

    #[test]
    fn schemas_that_hold_themselves_have_an_end() {
        let tree = json!({"properties": {"name": {}, "child": {"$ref": "#"}}});
        let value = json!({"name": 1, "child": {"nmae": 1, "child": {"nmae": 1}}});
        assert_eq!(unnamed(&tree, &value), ["/child/nmae"]);
        let twice = |n: u32| json!({"allOf": [{"$ref": format!("#/definitions/{}", n + 1)}, {"$ref": format!("#/definitions/{}", n + 1)}]});
        let definitions: Map<String, Value> = (0..60).map(|n| (n.to_string(), twice(n))).collect();
        let many = json!({"$ref": "#/definitions/0", "definitions": definitions});
        assert_eq!(unnamed(&many, &json!({"a": 1})), [""; 0]);
    }
}
