//! Plans of Segment's older Config API and of `RudderStack`: `rules.events[]` with a schema in
//! `rules`, and schemas for identify calls, group calls and all calls (`identify`, `group`,
//! `global`). `RudderStack` gives the call type of an event in `eventType`; only its track calls
//! have a name.

use serde_json::{Map, Value};

use super::normal::{Shape, is_schema};
use super::read::{Draft, Gathered, Naming};
use super::{Origin, RuleType, Version};

/// The members of `rules` other than `events`, and the calls that their schemas apply to.
/// `identify_traits` and `group_traits` are `RudderStack`'s.
const CALL_RULES: [(&str, RuleType); 5] = [
    ("global", RuleType::Common),
    ("identify", RuleType::Identify),
    ("identify_traits", RuleType::Identify),
    ("group", RuleType::Group),
    ("group_traits", RuleType::Group),
];

/// Reads the object `rules` of a plan.
pub(super) fn rules(mut rules: Map<String, Value>, origin: &Origin, gathered: &mut Gathered) {
    let known =
        |name: &String| name == "events" || CALL_RULES.iter().any(|(member, _)| member == name);
    if !rules.is_empty() && !rules.keys().any(known) {
        let message = "expected `rules` to have `events`, `identify`, `group` or `global`";
        return gathered.fault(origin.clone(), None, message);
    }
    for (member, rule_type) in CALL_RULES {
        if let Some(value) = rules.remove(member) {
            whole(value, rule_type, origin.member(member), gathered);
        }
    }
    let origin = origin.member("events");
    match rules.remove("events") {
        Some(Value::Array(events)) => {
            for (index, event_rule) in events.into_iter().enumerate() {
                event(event_rule, origin.item(index), gathered);
            }
        }
        None | Some(Value::Null) => {}
        Some(_) => gathered.fault(origin, None, "expected `events` to be a list"),
    }
}

/// Reads the rule for all calls of a type: a schema, or an object with a schema in `rules`.
fn whole(value: Value, rule_type: RuleType, origin: Origin, gathered: &mut Gathered) {
    let (schema, schema_origin) = match value {
        Value::Object(mut object) if object.get("rules").is_some_and(is_schema) => {
            (object.remove("rules").unwrap_or_default(), origin.member("rules"))
        }
        other => (other, origin.clone()),
    };
    match schema {
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Object(keywords) if keywords.is_empty() => {}
        schema @ Value::Object(_) => gathered.drafts.push(Draft {
            rule_type,
            key: String::new(),
            version: Version::first(),
            schema,
            schema_origin,
            shape: Shape::Event,
            origin,
            naming: Naming::Exact,
        }),
        _ => gathered.fault(schema_origin, None, "expected a JSON schema, an object"),
    }
}

/// Returns `true` if `value` is the rule of one event: an object whose `rules` are a schema.
pub(super) fn is_event(value: &Value) -> bool {
    value.get("rules").is_some_and(is_schema)
}

/// Reads the rule of one event.
pub(super) fn event(value: Value, origin: Origin, gathered: &mut Gathered) {
    let Value::Object(mut event) = value else {
        let message = "expected an event: an object with `name` and `rules`";
        return gathered.fault(origin, None, message);
    };
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let rule_type = match event.get("eventType").filter(|value| !value.is_null()) {
        None => RuleType::Track,
        Some(value) => {
            let Some(rule_type) = value.as_str().and_then(RuleType::from_name) else {
                let message =
                    "expected `eventType` to be one of track, identify, group, page, screen";
                return gathered.fault(origin.member("eventType"), Some(&name), message);
            };
            rule_type
        }
    };
    if rule_type == RuleType::Track && name.is_empty() {
        return gathered.fault(origin, None, "expected `name` to be the name of the event");
    }
    let schema_origin = origin.member("rules");
    let schema = match event.remove("rules") {
        // An event without rules is not restricted.
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(schema @ Value::Object(_)) => schema,
        Some(_) => {
            let message = "expected `rules` to be a JSON schema, an object";
            return gathered.fault(schema_origin, Some(&name), message);
        }
    };
    let version = event.get("version").and_then(Version::from_value);
    gathered.drafts.push(Draft {
        rule_type,
        key: rule_type.key_of(name),
        version: version.unwrap_or_else(Version::first),
        schema,
        schema_origin,
        shape: Shape::Event,
        origin,
        naming: Naming::Exact,
    });
}
