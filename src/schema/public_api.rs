//! Rules in the format of Segment's Public API (`/tracking-plans/{id}/rules`), and of typewriter's
//! `plan.json`, which has the schema of `properties` lifted to the top level.

use serde_json::{Map, Value};

use super::normal::Shape;
use super::read::{Draft, Gathered, Naming};
use super::{Origin, RuleType, Version};
use crate::event::Member;

/// The member by which typewriter marks lifted schemas.
const LIFTED: &str = "eventMetadata";

/// The names of the member with the schema, in the API and in Segment's provider for Terraform.
const SCHEMA: [&str; 2] = ["jsonSchema", "json_schema"];

/// Returns `true` if `value` is a single rule.
pub(super) fn is_rule(value: &Value) -> bool {
    let has_schema = SCHEMA.iter().any(|name| value.get(name).is_some());
    has_schema && value.get("type").is_some()
}

/// Reads one rule.
pub(super) fn rule(value: Value, origin: Origin, gathered: &mut Gathered) {
    let Value::Object(mut rule) = value else {
        return gathered.fault(
            origin,
            None,
            "expected a rule: an object with `type` and `jsonSchema`",
        );
    };
    let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
    let (type_name, key) = (text("type").to_owned(), text("key").to_owned());
    let Some(rule_type) = RuleType::from_name(&type_name) else {
        let types = "expected `type` to be one of TRACK, IDENTIFY, GROUP, PAGE, SCREEN, COMMON";
        return gathered.fault(origin.member("type"), Some(&key), types);
    };
    let member = SCHEMA.into_iter().find(|name| rule.contains_key(*name)).unwrap_or(SCHEMA[0]);
    let schema_origin = origin.member(member);
    let schema = match rule.remove(member) {
        // Terraform and some exports have the schema as a text.
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        other => other,
    };
    let Some(schema @ Value::Object(_)) = schema else {
        let message = format!("expected `{member}` to be a JSON schema, an object");
        return gathered.fault(origin, Some(&key), message);
    };
    let lifted = schema.get(LIFTED);
    // Typewriter removes characters from the key and keeps the original name here.
    let name = lifted.and_then(|lifted| lifted.get("name")).and_then(Value::as_str);
    let key = match rule_type {
        RuleType::Track => name.unwrap_or(&key).to_owned(),
        _ => rule_type.key_of(key),
    };
    if rule_type == RuleType::Track && key.is_empty() {
        return gathered.fault(origin, None, "expected `key` to be the name of the event");
    }
    let shape = match lifted {
        Some(_) if rule_type != RuleType::Common => Shape::Lifted,
        Some(_) => Shape::Event,
        None => Shape::Unknown,
    };
    let version = rule.get("version").and_then(Version::from_value);
    let version = version.unwrap_or_else(Version::first);
    let naming = Naming::Exact;
    gathered.drafts.push(Draft {
        rule_type,
        key,
        version,
        schema,
        schema_origin,
        shape,
        origin,
        naming,
    });
}

/// Decides what the schemas of unknown shape describe. The schema of an event has members of
/// events. If no rule of the plan has `properties`, `traits` or `context`, and one has members that
/// no event has, the schemas were lifted.
pub(super) fn settle_shapes(drafts: &mut [Draft]) {
    let unknown = |drafts: &[Draft], is: fn(&Map<String, Value>) -> bool| {
        let unknown = drafts
            .iter()
            .filter(|draft| draft.shape == Shape::Unknown && draft.rule_type != RuleType::Common);
        unknown.filter_map(members).any(is)
    };
    let nested = unknown(drafts, |members| {
        ["properties", "traits", "context"].into_iter().any(|name| members.contains_key(name))
    });
    let lifted =
        unknown(drafts, |members| members.keys().any(|name| Member::from_key(name).is_none()));
    let shape = if lifted && !nested { Shape::Lifted } else { Shape::Event };
    for draft in drafts.iter_mut().filter(|draft| draft.shape == Shape::Unknown) {
        let is_common = draft.rule_type == RuleType::Common;
        draft.shape = if is_common { Shape::Event } else { shape };
    }
}

fn members(draft: &Draft) -> Option<&Map<String, Value>> {
    draft.schema.get("properties").and_then(Value::as_object)
}
