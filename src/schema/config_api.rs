//! A plan of Segment's older Config API: `rules.events[]` with a schema in `rules`, and schemas for
//! identify calls, group calls and all calls (`identify`, `group`, `global`).

use serde_json::{Map, Value};

use super::normal::Shape;
use super::read::{Draft, Gathered};
use super::{Origin, RuleType, Version};

/// Reads the object `rules` of a plan.
pub(super) fn rules(mut rules: Map<String, Value>, origin: &Origin, gathered: &mut Gathered) {
    let whole = [
        ("global", RuleType::Common),
        ("identify", RuleType::Identify),
        ("group", RuleType::Group),
    ];
    for (member, rule_type) in whole {
        let Some(schema @ Value::Object(_)) = rules.remove(member) else { continue };
        if schema.as_object().is_some_and(Map::is_empty) {
            continue;
        }
        let origin = origin.member(member);
        gathered.drafts.push(Draft {
            rule_type,
            key: String::new(),
            version: Version("1".into()),
            schema,
            schema_origin: origin.clone(),
            shape: Shape::Event,
            origin,
        });
    }
    let origin = origin.member("events");
    match rules.remove("events") {
        Some(Value::Array(events)) => {
            for (index, event_rule) in events.into_iter().enumerate() {
                event(event_rule, origin.item(index), gathered);
            }
        }
        None => {}
        Some(_) => gathered.fault(origin, None, "expected `events` to be a list"),
    }
}

fn event(value: Value, origin: Origin, gathered: &mut Gathered) {
    let Value::Object(mut event) = value else {
        return gathered.fault(
            origin,
            None,
            "expected an event: an object with `name` and `rules`",
        );
    };
    let Some(key) = event.get("name").and_then(Value::as_str).map(ToOwned::to_owned) else {
        return gathered.fault(origin, None, "expected `name` to be the name of the event");
    };
    let schema_origin = origin.member("rules");
    let schema = match event.remove("rules") {
        // An event without rules may be anything.
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(schema @ Value::Object(_)) => schema,
        Some(_) => {
            let message = "expected `rules` to be a JSON schema, an object";
            return gathered.fault(schema_origin, Some(&key), message);
        }
    };
    let version = event.get("version").and_then(Version::from_value);
    gathered.drafts.push(Draft {
        rule_type: RuleType::Track,
        key,
        version: version.unwrap_or_else(|| Version("1".into())),
        schema,
        schema_origin,
        shape: Shape::Event,
        origin,
    });
}
