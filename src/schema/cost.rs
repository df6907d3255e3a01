//! Limits on how often the parts of a schema are checked against the parts of an event.
//!
//! With references, a small schema can apply one part any number of times: in twenty definitions
//! that each refer twice to the next one, the last is applied a million times. The number of checks
//! is counted before an event is validated.

use ahash::AHashMap;
use serde_json::{Map, Value};

/// The maximum number of schema parts that are checked against one event.
pub(super) const MAX_EVALUATIONS: u64 = 100_000;
/// The maximum nesting depth of parts, with references followed.
const MAX_DEPTH: usize = 1_000;
/// Keywords whose value refers to another schema.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords whose schemas apply to the value itself.
const SAME_VALUE: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];
/// Keywords with schemas by member name, which apply to the value itself if it has that member.
const WITH_MEMBER: [&str; 2] = ["dependencies", "dependentSchemas"];
/// Keywords whose schema may apply to every part of the value.
const EVERY_PART: [&str; 7] = [
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "items",
];

/// A schema that contains references.
#[derive(Debug)]
pub(super) struct Referring {
    schema: Value,
}

impl Referring {
    /// Returns `schema` if a part of it refers to another.
    pub fn new(schema: &Value) -> Option<Self> {
        refers(schema).then(|| Self { schema: schema.clone() })
    }

    /// Returns `true` if checking `event` against the schema takes at most [`MAX_EVALUATIONS`]
    /// steps.
    pub fn is_bounded(&self, event: &Value) -> bool {
        let mut counter = Counter { schema: self, known: AHashMap::new() };
        counter.count(&self.schema, event, 0) <= MAX_EVALUATIONS
    }

    /// Returns `true` if the schema can be compiled at a bounded cost. References may lead through
    /// at most [`MAX_DEPTH`] parts. With a keyword for unevaluated parts, for which the compiler
    /// expands all references, they may also lead to at most [`MAX_EVALUATIONS`] parts.
    pub fn is_compilable(&self) -> bool {
        let parts = self.written_out(&self.schema, 0, &mut AHashMap::new());
        parts <= MAX_EVALUATIONS || (parts < u64::MAX && !has_unevaluated(&self.schema))
    }

    /// Returns the number of parts of `part` with all references expanded; a part that contains
    /// itself is expanded once.
    fn written_out(
        &self,
        part: &Value,
        depth: usize,
        known: &mut AHashMap<usize, Option<u64>>,
    ) -> u64 {
        if depth > MAX_DEPTH {
            return u64::MAX;
        }
        let inner: Vec<&Value> = match part {
            Value::Object(keywords) => {
                let texts = REFERENCES.iter().filter_map(|name| keywords.get(*name)?.as_str());
                let targets = texts.filter_map(|text| self.target(text));
                keywords.values().chain(targets).collect()
            }
            Value::Array(items) => items.iter().collect(),
            _ => return 0,
        };
        let place = std::ptr::from_ref(part).addr();
        if let Some(count) = known.get(&place) {
            return count.unwrap_or(1);
        }
        known.insert(place, None);
        let count = inner.into_iter().fold(1, |sum: u64, inner| {
            sum.saturating_add(self.written_out(inner, depth + 1, known))
        });
        known.insert(place, Some(count));
        count
    }

    /// Returns the part that a reference names by a pointer or an identifier.
    fn target(&self, reference: &str) -> Option<&Value> {
        match reference.strip_prefix('#') {
            Some(way) if way.is_empty() || way.starts_with('/') => {
                self.schema.pointer(way).or_else(|| self.schema.pointer(&decoded(way)))
            }
            _ => identified(&self.schema, reference),
        }
    }
}

fn decoded(way: &str) -> String {
    percent_encoding::percent_decode_str(way).decode_utf8_lossy().into_owned()
}

/// Returns `true` if a part of `schema` refers to another.
fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => {
            REFERENCES.iter().any(|name| keywords.contains_key(*name))
                || keywords.values().any(refers)
        }
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// Returns `true` if `schema` has a keyword that applies to parts which no other keyword evaluated.
fn has_unevaluated(schema: &Value) -> bool {
    let is_unevaluated = |name: &String| name.starts_with("unevaluated");
    match schema {
        Value::Object(keywords) => {
            keywords.keys().any(is_unevaluated) || keywords.values().any(has_unevaluated)
        }
        Value::Array(items) => items.iter().any(has_unevaluated),
        _ => false,
    }
}

/// Returns the part of `schema` with the identifier or anchor that a reference names.
fn identified<'s>(schema: &'s Value, reference: &str) -> Option<&'s Value> {
    let anchor = reference.rsplit_once('#').map_or("", |(_, anchor)| anchor);
    let is_it = |keywords: &Map<String, Value>| {
        let text = |name: &str| keywords.get(name).and_then(Value::as_str).unwrap_or_default();
        let by_id = |id: &str| {
            !id.is_empty() && (id == reference || id.ends_with(&format!("/{reference}")))
        };
        let by_anchor = |name: &str| !anchor.is_empty() && text(name) == anchor;
        by_id(text("$id"))
            || by_id(text("id"))
            || by_anchor("$anchor")
            || by_anchor("$dynamicAnchor")
    };
    match schema {
        Value::Object(keywords) if is_it(keywords) => Some(schema),
        Value::Object(keywords) => keywords.values().find_map(|part| identified(part, reference)),
        Value::Array(items) => items.iter().find_map(|part| identified(part, reference)),
        _ => None,
    }
}

struct Counter<'s> {
    schema: &'s Referring,
    /// The counts of pairs of a schema part and an event part, by their addresses; `None` while a
    /// pair is being counted.
    known: AHashMap<(usize, usize), Option<u64>>,
}

impl<'s> Counter<'s> {
    fn count(&mut self, schema: &'s Value, value: &Value, depth: usize) -> u64 {
        let Value::Object(keywords) = schema else { return 1 };
        if depth > MAX_DEPTH {
            return u64::MAX;
        }
        let place = (std::ptr::from_ref(schema).addr(), std::ptr::from_ref(value).addr());
        match self.known.insert(place, None) {
            // A schema that applies itself to the same value never ends.
            Some(None) => return u64::MAX,
            Some(Some(known)) => {
                self.known.insert(place, Some(known));
                return known;
            }
            None => {}
        }
        let own = self.same_value(keywords, value, depth + 1);
        let count = own.saturating_add(self.parts(keywords, value, depth + 1)).saturating_add(1);
        self.known.insert(place, Some(count));
        count
    }

    /// Counts the checks of schemas that apply to the value itself.
    fn same_value(&mut self, keywords: &'s Map<String, Value>, value: &Value, depth: usize) -> u64 {
        let schema = self.schema;
        let texts = REFERENCES.iter().filter_map(|name| keywords.get(*name)?.as_str());
        let mut parts: Vec<&'s Value> = texts.filter_map(|text| schema.target(text)).collect();
        for part in SAME_VALUE.iter().filter_map(|name| keywords.get(*name)) {
            match part {
                Value::Array(schemas) => parts.extend(schemas),
                schema => parts.push(schema),
            }
        }
        for (name, schema) in
            WITH_MEMBER.iter().filter_map(|name| keywords.get(*name)?.as_object()).flatten()
        {
            parts.extend(value.get(name).map(|_| schema));
        }
        self.sum(parts.into_iter().map(|part| (part, value)), depth)
    }

    /// Counts the checks of schemas that apply to the parts of the value.
    fn parts(&mut self, keywords: &'s Map<String, Value>, value: &Value, depth: usize) -> u64 {
        let named =
            |name: &str| keywords.get(name).and_then(Value::as_object).into_iter().flatten();
        let mut count = 0_u64;
        for (name, schema) in named("properties") {
            if let Some(value) = value.get(name) {
                count = count.saturating_add(self.count(schema, value, depth));
            }
        }
        let listed =
            |name: &str| keywords.get(name).and_then(Value::as_array).into_iter().flatten();
        for (schema, value) in listed("items").chain(listed("prefixItems")).zip(each(value)) {
            count = count.saturating_add(self.count(schema, value, depth));
        }
        let every = EVERY_PART.iter().filter_map(|name| keywords.get(*name));
        for schema in named("patternProperties").map(|(_, schema)| schema).chain(every) {
            let pairs = each(value).map(|value| (schema, value));
            count = count.saturating_add(self.sum(pairs, depth));
        }
        count
    }

    fn sum<'v>(
        &mut self,
        pairs: impl Iterator<Item = (&'s Value, &'v Value)>,
        depth: usize,
    ) -> u64 {
        pairs.fold(0, |sum: u64, (schema, value)| {
            sum.saturating_add(self.count(schema, value, depth))
        })
    }
}

/// Returns an iterator over the members or items of a value.
fn each(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Object(members) => Box::new(members.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Definitions of which each names the next one twice, by `keyword`.
    fn doubling(keyword: &str, levels: u32) -> Value {
        let next = |n: u32| json!({"$ref": format!("#/definitions/{}", n + 1)});
        let mut definitions: Map<String, Value> =
            (0..levels).map(|n| (n.to_string(), json!({keyword: [next(n), next(n)]}))).collect();
        definitions.insert(levels.to_string(), json!({"type": "string"}));
        json!({"properties": {"n": {"$ref": "#/definitions/0"}}, "definitions": definitions})
    }

    fn is_bounded(schema: &Value, event: &Value) -> bool {
        Referring::new(schema).is_none_or(|schema| schema.is_bounded(event))
    }

    #[test]
    fn parts_that_name_others_twice_are_counted_without_being_walked() {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            assert!(is_bounded(&doubling(keyword, 8), &json!({"n": 1})));
            assert!(is_bounded(&doubling(keyword, 60), &json!({"m": 1})));
            assert!(!is_bounded(&doubling(keyword, 20), &json!({"n": 1})));
            assert!(!is_bounded(&doubling(keyword, 60), &json!({"n": 1})));
        }
    }

    #[test]
    fn what_multiplies_with_the_depth_of_the_event_is_counted_there() {
        let twice = json!({"allOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]});
        let nested = |depth: u32| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(is_bounded(&twice, &nested(8)));
        assert!(!is_bounded(&twice, &nested(40)));
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "list": {"items": {"$ref": "#"}}}});
        let leaf = json!({"left": {"list": [1, 2, 3]}, "right": {"left": 1}});
        assert!(is_bounded(&tree, &json!({"list": vec![leaf; 500]})));
    }

    #[test]
    fn what_holds_itself_has_no_bound() {
        let loops = json!({"$ref": "#/definitions/a", "definitions": {"a": {"anyOf": [{"$ref": "#/definitions/b"}]}, "b": {"$ref": "#/definitions/a"}}});
        assert!(!is_bounded(&loops, &json!({})));
    }

    #[test]
    fn identifiers_and_anchors_are_followed() {
        for reference in ["part.json", "https://a.example/part.json", "#part"] {
            let name = if reference.starts_with('#') { "$anchor" } else { "$id" };
            let id = if name == "$id" { "https://a.example/part.json" } else { "part" };
            let again = json!({"$ref": reference});
            let schema = json!({"$ref": reference, "$defs": {"x": {name: id, "allOf": [again]}}});
            assert!(!is_bounded(&schema, &json!({})), "{reference}");
        }
    }
}
