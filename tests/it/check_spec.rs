//! What `backtrail check` requires of events independent of the plan, and of events that a plan
//! only names.

use crate::support::Workspace;
use crate::support::check::{Report, check, report};
use serde_json::{Map, Value, json};

/// A plan with one rule for `Form Submitted`, whose `properties` have this schema.
fn plan(properties: &Value) -> String {
    let schema = json!({"type": "object", "properties": {
        "context": {}, "traits": {"type": "object"}, "properties": properties
    }});
    let rule =
        json!({"type": "TRACK", "key": "Form Submitted", "version": 1, "jsonSchema": schema});
    json!({"data": {"rules": [rule]}}).to_string()
}

fn form(properties: &Value) -> String {
    let event = json!({
        "type": "track", "event": "Form Submitted", "userId": "u", "messageId": "m",
        "timestamp": "2025-03-01T11:05:00.000Z", "properties": properties
    });
    event.to_string() + "\n"
}

/// The findings, as `level violation line pointer`.
fn found(report: &Report) -> Vec<String> {
    let text = |found: &Value, member: &str| found[member].as_str().unwrap_or_default().to_owned();
    let shown = report.findings().iter().map(|found| {
        let (level, kind) = (text(found, "level"), text(found, "violation"));
        format!("{level} {kind} {} {}", found["line"], text(found, "pointer"))
    });
    shown.collect()
}

#[test]
fn events_without_ids_are_judged_and_their_ids_noted() {
    let workspace = Workspace::new();
    workspace.write("plan.json", plan(&json!({"properties": {"plan": {"type": "string"}}})));
    let event = json!({
        "type": "track", "event": "Form Submitted", "properties": {"plan": 7}, "context": {}
    });
    let mut known = event.clone();
    known["anonymousId"] = json!("test-user-123");
    workspace.write("event.json", serde_json::to_string_pretty(&known).unwrap());
    let arguments = ["event.json", "--tracking-plan", "plan.json"];
    let expected = ["note missing-id 1 /messageId", "error invalid-type 5 /properties/plan"];
    assert_eq!(found(&report(&workspace, 1, &arguments)), expected);
    workspace.write("event.json", event.to_string() + "\n");
    let expected = [
        "note missing-id 1 /messageId",
        "note missing-id 1 /anonymousId",
        "error invalid-type 1 /properties/plan",
    ];
    let mut both = found(&report(&workspace, 1, &arguments));
    both.sort_by_key(|found| expected.iter().position(|known| known == found));
    assert_eq!(both, expected);
    known["properties"]["plan"] = json!("pro");
    workspace.write("event.json", known.to_string());
    report(&workspace, 0, &arguments);
    let denied = report(&workspace, 1, &["event.json", "--deny", "missing-id"]);
    assert_eq!(found(&denied), ["error missing-id 1 /messageId"]);
}

#[test]
fn events_without_ids_are_found_in_batches_and_other_objects_are_none() {
    let workspace = Workspace::new();
    let events = json!({"batch": [
        {"type": "track", "event": "A", "properties": "x"},
        {"type": "track", "event": "A", "userId": "u", "properties": "x"},
    ]});
    workspace.write("a.json", events.to_string());
    let batch = report(&workspace, 1, &["a.json"]);
    assert_eq!(batch.of("invalid-type"), ["a.json:1:39 /properties", "a.json:1:98 /properties"]);
    assert_eq!(batch.of("missing-id").len(), 3, "{:#}", batch.0);
    workspace.write("b.json", json!({"type": "page", "title": "no call"}).to_string());
    assert_eq!(report(&workspace, 1, &["b.json"]).of("invalid-event").len(), 1);
}

#[test]
fn a_track_call_has_a_name() {
    let workspace = Workspace::new();
    let mut lines = String::new();
    for name in [
        None,
        Some(json!("")),
        Some(Value::Null),
        Some(json!(12345)),
        Some(json!("  Form ")),
        Some(json!({"name": "x"})),
    ] {
        let mut event = json!({"type": "track", "userId": "u", "messageId": "m", "properties": {}});
        if let Some(name) = name {
            event["event"] = name;
        }
        lines += &(event.to_string() + "\n");
    }
    workspace.write("a.ndjson", lines);
    let expected = [
        "error missing-required 1 /event",
        "error missing-required 2 /event",
        "error missing-required 3 /event",
        "error invalid-type 4 /event",
        "error invalid-type 6 /event",
    ];
    assert_eq!(found(&report(&workspace, 1, &["a.ndjson"])), expected);
    workspace.write("plan.json", plan(&json!({})));
    let report = report(&workspace, 1, &["a.ndjson", "--tracking-plan", "plan.json"]);
    assert_eq!(report.of("missing-required").len(), 3, "{:#}", report.0);
    assert_eq!(report.of("unplanned-event"), ["a.ndjson:5:62 /event"], "{:#}", report.0);
}

#[test]
fn calls_have_the_members_required_by_the_specification() {
    let workspace = Workspace::new();
    let call = |rest: Value| {
        let mut event = json!({"userId": "u1", "messageId": "m"});
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event.to_string() + "\n"
    };
    let track = |rest: Value| {
        let mut event = json!({"type": "track", "event": "A"});
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        call(event)
    };
    let good = [
        call(json!({"type": "group", "groupId": 7, "traits": {}})),
        call(json!({"type": "alias", "previousId": "a1"})),
        track(
            json!({"properties": null, "timestamp": "2025-03-01", "sentAt": 1_740_826_800_000_u64}),
        ),
        call(json!({"type": "page"})),
    ];
    workspace.write("good.ndjson", good.concat());
    assert_eq!(found(&report(&workspace, 0, &["good.ndjson"])), [""; 0]);
    let bad = [
        call(json!({"type": "group", "traits": {"name": "Acme"}})),
        call(json!({"type": "alias", "previousId": " "})),
        track(json!({"properties": "plan=pro"})),
        track(json!({"timestamp": "yesterday", "originalTimestamp": true})),
        call(json!({"type": "identify", "traits": "{\"email\":\"ana@acme.example\"}"})),
        call(json!({"type": "group", "groupId": ["g"], "context": "web"})),
    ];
    workspace.write("bad.ndjson", bad.concat());
    let expected = [
        "error missing-required 1 /groupId",
        "error missing-required 2 /previousId",
        "error invalid-type 3 /properties",
        "error invalid-value 4 /timestamp",
        "error invalid-type 4 /originalTimestamp",
        "error invalid-type 5 /traits",
        "error invalid-type 6 /groupId",
        "error invalid-type 6 /context",
    ];
    assert_eq!(found(&report(&workspace, 1, &["bad.ndjson"])), expected);
}

#[test]
fn faults_against_both_plan_and_specification_are_reported_once() {
    let workspace = Workspace::new();
    workspace.write("plan.json", plan(&json!({"type": "object"})));
    workspace.write("a.ndjson", form(&json!("text")));
    let report = report(&workspace, 1, &["a.ndjson", "--tracking-plan", "plan.json"]);
    assert_eq!(found(&report), ["error invalid-type 1 /properties"]);
    assert_eq!(report.findings()[0]["rule"], "Form Submitted");
}

#[test]
fn properties_that_the_plan_does_not_name_are_noted_with_the_nearest_name() {
    let workspace = Workspace::new();
    let item = json!({"type": "object", "properties": {"sku": {"type": "string"}}});
    let properties = json!({"type": "object", "required": ["plan"], "properties": {
        "form_name": {"type": "string", "description": ""}, "plan": {"type": "string"},
        "items": {"type": "array", "items": item},
    }});
    workspace.write("plan.json", plan(&properties));
    workspace.write(
        "a.ndjson",
        form(&json!({"plan": "pro", "form_nmae": "demo", "items": [{"sku": "a", "skv": 1}]})),
    );
    let arguments = ["a.ndjson", "--tracking-plan", "plan.json"];
    let noted = report(&workspace, 0, &arguments);
    let pointers = ["/properties/form_nmae", "/properties/items/0/skv"];
    let expected = pointers.map(|pointer| format!("note unplanned-property 1 {pointer}"));
    assert_eq!(found(&noted), expected);
    assert!(noted.messages()[0].contains("did you mean `form_name`?"), "{:?}", noted.messages());
    let denied = [&arguments[..], &["--deny", "unplanned-property"]].concat();
    let expected = pointers.map(|pointer| format!("error unplanned-property 1 {pointer}"));
    assert_eq!(found(&report(&workspace, 1, &denied)), expected);
}

#[test]
fn properties_that_a_rule_for_all_events_names_are_planned() {
    let workspace = Workspace::new();
    let mut rules: Value =
        serde_json::from_str(&plan(&json!({"properties": {"plan": {}}}))).unwrap();
    let common = json!({"properties": {"properties": {"properties": {"unit": {}}}, "context": {"properties": {"app": {}}}}});
    let rule = json!({"type": "COMMON", "version": 1, "jsonSchema": common});
    rules["data"]["rules"].as_array_mut().unwrap().push(rule);
    workspace.write("plan.json", rules.to_string());
    let mut event: Value =
        serde_json::from_str(&form(&json!({"plan": 1, "unit": 2, "x": 3}))).unwrap();
    event["context"] = json!({"library": {"name": "analytics.js"}});
    workspace.write("a.json", event.to_string());
    let report = report(&workspace, 0, &["a.json", "--tracking-plan", "plan.json"]);
    assert_eq!(found(&report), ["note unplanned-property 1 /properties/x"]);
}

#[test]
fn exponential_references_are_an_invalid_plan_and_take_no_time() {
    let workspace = Workspace::new();
    let next = |n: u32| json!({"$ref": format!("#/definitions/d{}", n + 1)});
    let mut definitions: Map<String, Value> =
        (0..30).map(|n| (format!("d{n}"), json!({"allOf": [next(n), next(n)]}))).collect();
    definitions.insert("d30".into(), json!({"type": "string"}));
    let schema = json!({
        "properties": {"properties": {"properties": {"n": {"$ref": "#/definitions/d0"}}}},
        "definitions": definitions
    });
    let other = json!({"properties": {"properties": {"properties": {"n": {"type": "string"}}}}});
    let rule =
        |key: &str, schema: &Value| json!({"type": "TRACK", "key": key, "jsonSchema": schema});
    let rules = json!({"rules": [rule("Form Submitted", &schema), rule("Other", &other)]});
    workspace.write("plan.json", serde_json::to_string_pretty(&rules).unwrap());
    let events = form(&json!({"n": 1})).repeat(3);
    workspace.write("a.ndjson", events.clone() + &events.replace("Form Submitted", "Other"));
    let report = report(&workspace, 1, &["a.ndjson", "--tracking-plan", "plan.json"]);
    assert_eq!(report.of("invalid-plan"), ["plan.json:5:7"], "{:#}", report.0);
    assert_eq!(report.of("invalid-type").len(), 3);
}

#[test]
fn thousands_of_uncovered_rules_are_located_in_one_pass() {
    let workspace = Workspace::new();
    let schema = json!({"properties": {"properties": {"properties": {"x": {"type": "string"}}}}});
    let rule = |n: u32| json!({"type": "TRACK", "key": format!("E{n}"), "version": 1, "jsonSchema": schema});
    let rules: Vec<Value> = (0..2_000).map(rule).collect();
    workspace.write("plan.json", json!({"rules": rules}).to_string());
    workspace.write("a.ndjson", form(&json!({})).replace("Form Submitted", "E1"));
    let finished = check(&workspace, &["a.ndjson", "--tracking-plan", "plan.json"]).exits(0);
    let text = String::from_utf8(finished.stdout).unwrap();
    assert!(
        text.ends_with("1,999 notes; 1 file with 1 event checked\n"),
        "{}",
        &text[text.len() - 200..]
    );
}

#[test]
fn fixtures_that_must_fail_are_not_part_of_expected_outputs() {
    let workspace = Workspace::new();
    let rules = "version = 1\n[[rule]]\nid = \"form\"\nwhen = 'event = \"Form Submitted\"'\n";
    workspace.write("rules.toml", rules);
    workspace.write("x/good.ndjson", form(&json!({})));
    let arguments = ["x", "--rules", "rules.toml", "--expect", "kept"];
    report(&workspace, 0, &[&arguments[..], &["--bless"]].concat());
    workspace.write("x/bad.invalid.ndjson", form(&json!("text")).replace("\"m\"", "\"n\""));
    assert_eq!(found(&report(&workspace, 0, &arguments)), [""; 0]);
    let closing = check(&workspace, &arguments).exits(0);
    let closing = String::from_utf8(closing.stdout).unwrap();
    assert_eq!(closing, "no findings; 2 files with 2 events checked\n");
}

#[test]
fn cases_of_junit_have_names_of_their_own() {
    let workspace = Workspace::new();
    let one = form(&json!({}));
    workspace.write("a.json", format!("[{0},{0},{0}]", one.trim_end()));
    let finished = check(&workspace, &["a.json", "--report", "junit"]).exits(0);
    let xml = String::from_utf8(finished.stdout).unwrap();
    let names: Vec<&str> =
        xml.split("testcase name=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let name = "Form Submitted (line 1)";
    assert_eq!(names, [name, &format!("{name} #2"), &format!("{name} #3")], "{xml}");
}
