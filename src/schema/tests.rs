//! Plans and the validation of events, without files.

use serde_json::{Value, json};

use super::*;
use crate::event::Members;
use crate::json::document::with_json;
use violation::BreachKind;

fn plan(rules: &Value) -> Plan {
    let (plan, broken) = Plan::parse(&json!({ "rules": rules }).to_string()).unwrap();
    assert_eq!(broken, []);
    plan
}

fn track(key: &str, version: u32, schema: &Value) -> Value {
    json!({"type": "TRACK", "key": key, "version": version, "jsonSchema": schema})
}

/// Returns the label of the rule for an event.
fn planned(plan: &Plan, event: &Value) -> Result<String, Planned> {
    with_json(&event.to_string(), |json| {
        match plan.planned(&Event::new(json, &Members::of(json))) {
            Planned::By(rule) => Ok(plan.rules[rule].label()),
            other => Err(other),
        }
    })
}

fn breaches(schema: &Value, properties: &Value) -> Vec<(BreachKind, String)> {
    let schema = json!({"properties": {"properties": schema}});
    let plan = plan(&json!([track("A", 1, &schema)]));
    let found = plan.rules[0].breaches(&json!({"properties": properties})).unwrap().into_iter();
    found.map(|breach| (breach.kind, breach.pointer)).collect()
}

#[test]
fn pages_are_page_viewed_unless_the_plan_has_rules_for_pages() {
    let page = |name: &str| json!({"type": "page", "name": name, "userId": "u"});
    let tracked = plan(&json!([track("Page Viewed", 1, &json!({}))]));
    assert_eq!(planned(&tracked, &page("Home")).as_deref(), Ok("Page Viewed"));
    assert_eq!(planned(&tracked, &json!({"type": "screen"})), Err(Planned::Not));
    assert_eq!(planned(&tracked, &json!({"type": "identify"})), Err(Planned::Free));
    let own = json!([
        {"type": "PAGE", "key": "Pricing", "version": 1, "jsonSchema": {}},
        {"type": "PAGE", "key": null, "version": 1, "jsonSchema": {}},
    ]);
    let own = plan(&own);
    assert_eq!(planned(&own, &page("Pricing")).as_deref(), Ok("Pricing"));
    assert_eq!(planned(&own, &page("Home")).as_deref(), Ok("page"));
}

#[test]
fn pages_that_were_fetched_twice_count_once() {
    let rule = track("A", 1, &json!({}));
    assert_eq!(plan(&json!([rule, rule, track("A", 2, &json!({}))])).rules.len(), 2);
}

#[test]
fn what_segment_writes_and_json_schema_forbids_is_left_out() {
    let schema = json!({
        "id": "/properties/a b \"c\"", "required": [], "type": ["any"],
        "properties": {"id": {"type": "string", "id": "/x y"}, "list": {"items": {"type": "any"}}}
    });
    assert_eq!(breaches(&schema, &json!({"id": "a", "list": [1, "a"]})), []);
    // A property may be called `id`.
    let wrong = breaches(&schema, &json!({"id": 1}));
    assert_eq!(wrong, [(BreachKind::InvalidType, "/properties/id".to_owned())]);
}

#[test]
fn choices_that_all_fail_by_type_are_a_type() {
    let choice = json!({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}});
    let at = || "/properties/a".to_owned();
    assert_eq!(breaches(&choice, &json!({"a": 1})), [(BreachKind::InvalidType, at())]);
    let values = json!({"properties": {"a": {"anyOf": [{"enum": ["x"]}, {"type": "null"}]}}});
    assert_eq!(breaches(&values, &json!({"a": 1})), [(BreachKind::InvalidValue, at())]);
    let never = json!({"properties": {"a": false}});
    assert_eq!(breaches(&never, &json!({"a": 1})), [(BreachKind::UnplannedProperty, at())]);
}

#[test]
fn lifted_schemas_ask_for_what_their_properties_ask() {
    let lifted = |required: Value| {
        let metadata = json!({"name": "A #1", "type": "TRACK"});
        let schema =
            json!({"eventMetadata": metadata, "properties": {"a": {}}, "required": required});
        plan(&json!([track("A 1", 1, &schema)]))
    };
    let asked = lifted(json!(["a"]));
    assert_eq!(asked.rules[0].key, "A #1");
    assert_eq!(asked.rules[0].breaches(&json!({})).unwrap().len(), 1);
    assert_eq!(asked.rules[0].breaches(&json!({"properties": {}})).unwrap().len(), 1);
    assert_eq!(asked.rules[0].breaches(&json!({"properties": {"a": 1}})).unwrap(), []);
    // The `required` of the event was kept although the properties require nothing.
    assert_eq!(
        lifted(json!(["properties"])).rules[0].breaches(&json!({"properties": {}})).unwrap(),
        []
    );
}

#[test]
fn no_message_has_a_value_of_the_event() {
    let schema = json!({"properties": {"properties": {"properties": {
        "a": {"type": "integer"}, "b": {"format": "email"}, "c": {"enum": ["x"]},
        "d": {"pattern": "^x$"}, "e": {"maxLength": 2}, "f": {"const": "x"}
    }}}});
    let plan = plan(&json!([track("A", 1, &schema)]));
    let secret = "secret@acme";
    let properties: Value = ["a", "b", "c", "d", "e", "f"]
        .iter()
        .map(|n| ((*n).to_owned(), json!(secret)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let found = plan.rules[0].breaches(&json!({"properties": properties})).unwrap();
    assert!(found.len() >= 5, "{found:?}");
    assert!(found.iter().all(|breach| !breach.message.contains("secret")), "{found:?}");
}

#[test]
fn an_event_is_told_a_hundred_breaches_each_once() {
    let schema = json!({
        "properties": {"list": {"items": {"allOf": [{"type": "string"}, {"type": "string"}]}}}
    });
    let numbers: Vec<u32> = (0..250).collect();
    let schema = json!({"properties": {"properties": schema}});
    let plan = plan(&json!([track("A", 1, &schema)]));
    let event = json!({"properties": {"list": numbers}});
    let found = plan.rules[0].breaches(&event).unwrap();
    assert_eq!(found.len(), 100);
    assert_eq!(found[1].pointer, "/properties/list/1");
    assert!(found[99].message.ends_with("(and 300 more in this event)"), "{}", found[99].message);
}

#[test]
fn a_schema_that_multiplies_is_not_walked() {
    let twice = |n: u32| {
        let next = json!({"$ref": format!("#/definitions/{}", n + 1)});
        (n.to_string(), json!({"allOf": [next, next]}))
    };
    let definitions: serde_json::Map<String, Value> =
        (0..30).map(twice).chain([("30".to_owned(), json!({"type": "string"}))]).collect();
    let properties = json!({"properties": {"n": {"$ref": "#/definitions/0"}}});
    let schema = json!({"properties": {"properties": properties}, "definitions": definitions});
    let plan = plan(&json!([track("A", 1, &schema)]));
    let rule = &plan.rules[0];
    assert_eq!(rule.breaches(&json!({"properties": {"n": 1}})), Err(violation::TooCostly));
    assert_eq!(rule.breaches(&json!({"properties": {"m": 1}})), Ok(Vec::new()));
}

#[test]
fn schemas_that_are_hard_to_compile_are_told_or_compiled() {
    let chain = |length: usize| -> serde_json::Map<String, Value> {
        let next = |n: usize| json!({"$ref": format!("#/definitions/{}", n + 1)});
        let links = (0..length).map(|n| (n.to_string(), next(n)));
        links.chain([(length.to_string(), json!({"type": "object"}))]).collect()
    };
    let doubling: serde_json::Map<String, Value> = (0..30)
        .map(|n| {
            let next = json!({"$ref": format!("#/definitions/{}", n + 1)});
            (n.to_string(), json!({"allOf": [next, next]}))
        })
        .chain([("30".to_owned(), json!({"properties": {"a": {}}}))])
        .collect();
    let latest = "https://json-schema.org/draft/2020-12/schema";
    for schema in [
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$ref": "#/definitions/0", "definitions": chain(5_000)}),
        json!({"$schema": latest, "$ref": "#/definitions/0", "unevaluatedProperties": false, "definitions": doubling}),
    ] {
        let rules = json!({"rules": [track("A", 1, &schema)]});
        let (plan, broken) = Plan::parse(&rules.to_string()).unwrap();
        let judged = plan.rules[0].breaches(&json!({"properties": {}}));
        assert!(!broken.is_empty() || judged.is_err(), "{}", schema.to_string().len());
    }
}
