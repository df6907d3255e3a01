//! `backtrail check --tracking-plan` with plans in every format.

use crate::support::Workspace;
use crate::support::check::{check, report};
use serde_json::{Value, json};

/// A schema whose `member` has these properties and no others; `plan` is required.
fn schema(member: &str) -> Value {
    let of_plan = json!({"type": "string", "enum": ["free", "pro"]});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": {member: {
            "type": "object", "additionalProperties": false,
            "properties": {"plan": of_plan, "email": {"type": "string"}, "url": {"type": "string"}},
            "required": ["plan"],
        }},
    })
}

/// A signal that is valid by [`schema`], and an identify call, a page and a signal that are not.
fn events(workspace: &Workspace) {
    let line = |call: Value, rest: Value| {
        let mut event = json!({"messageId": "m", "anonymousId": "a"});
        for part in [call, rest] {
            event.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        event.to_string() + "\n"
    };
    let signed_up = || json!({"type": "track", "event": "Signed Up"});
    let lines = [
        line(signed_up(), json!({"properties": {"plan": "pro"}})),
        line(json!({"type": "identify"}), json!({"traits": {"plan": "gold", "shoe": 44}})),
        line(json!({"type": "page", "name": "Prices"}), json!({"properties": {"url": 1}})),
        line(signed_up(), json!({"properties": {"plan": 7}})),
    ];
    workspace.write("events.ndjson", lines.concat());
}

/// The errors of [`events`] by a plan with a rule for each of the three calls.
const WRONG: [&str; 6] = [
    "invalid-type events.ndjson:3 /properties/url",
    "invalid-type events.ndjson:4 /properties/plan",
    "invalid-value events.ndjson:2 /traits/plan",
    "invalid-value events.ndjson:4 /properties/plan",
    "missing-required events.ndjson:3 /properties/plan",
    "unplanned-property events.ndjson:2 /traits/shoe",
];

/// Returns the errors of [`events`] checked against `plan`.
#[track_caller]
fn wrong(workspace: &Workspace, plan: &str) -> Vec<String> {
    let report = report(workspace, 1, &["events.ndjson", "--tracking-plan", plan]);
    let errors = report.findings().iter().filter(|found| found["level"] == "error");
    let text = |found: &Value, member: &str| found[member].as_str().unwrap_or_default().to_owned();
    let mut errors: Vec<String> = errors
        .map(|found| {
            let (kind, file) = (text(found, "violation"), text(found, "file"));
            format!("{kind} {file}:{} {}", found["line"], text(found, "pointer"))
        })
        .collect();
    errors.sort();
    errors
}

/// The plan in the format of `RudderTyper`.
fn rudder() -> Value {
    let rule = |name: &str, call: &str, member: &str| json!({"name": name, "eventType": call, "description": "", "rules": schema(member)});
    json!({"id": "tp_1", "name": "Plan", "version": 3, "creationType": "Data catalog", "rules": {"events": [
        rule("", "identify", "traits"), rule("", "page", "properties"), rule("Signed Up", "track", "properties"),
    ]}})
}

#[test]
fn rules_of_rudderstack_say_which_calls_they_are_for() {
    let workspace = Workspace::new();
    events(&workspace);
    workspace.write("plan.json", rudder().to_string());
    assert_eq!(wrong(&workspace, "plan.json"), WRONG);
    let events = rudder()["rules"]["events"].clone();
    workspace.write("list.json", events.to_string());
    assert_eq!(wrong(&workspace, "list.json"), WRONG);
    let mut nameless = rudder();
    nameless["rules"]["events"][2]["name"] = json!("");
    nameless["rules"]["events"][1]["eventType"] = json!("pagina");
    workspace.write("nameless.json", nameless.to_string());
    let report = report(&workspace, 1, &["events.ndjson", "--tracking-plan", "nameless.json"]);
    let places = report.of("invalid-plan").join("\n");
    for pointer in ["/rules/events/2", "/rules/events/1/eventType"] {
        assert!(places.contains(pointer), "{places}");
    }
}

#[test]
fn a_plan_in_yaml_reads_as_in_json_with_its_places() {
    let workspace = Workspace::new();
    events(&workspace);
    let yaml = "
name: Plan
rules:
  events:
    - name: ''
      eventType: identify
      rules:
        properties:
          traits:
            additionalProperties: false
            properties: {plan: {type: string, enum: [free, pro]}}
    - name: Signed Up
      eventType: track
      rules: {properties: {properties: {properties: {plan: {type: strnig}}}}}
    - name: Never
      eventType: track
";
    workspace.write("plan.yaml", yaml);
    let report = report(&workspace, 1, &["events.ndjson", "--tracking-plan", "plan.yaml"]);
    assert_eq!(report.of("invalid-value"), ["events.ndjson:2:64 /traits/plan"], "{:#}", report.0);
    let place = "plan.yaml:14:61 /rules/events/1/rules/properties/properties/properties/plan/type";
    assert_eq!(report.of("invalid-plan"), [place]);
    assert_eq!(report.of("uncovered"), ["plan.yaml:15:7"]);
}

#[test]
fn a_rule_or_a_schema_alone_is_no_plan() {
    let workspace = Workspace::new();
    events(&workspace);
    let of_api = json!({"type": "TRACK", "key": "Signed Up", "version": 1, "jsonSchema": {}});
    for (alone, said) in [
        (
            json!({"name": "Signed Up", "version": 1, "rules": schema("properties")}),
            "`rules` is a schema, not rules",
        ),
        (of_api, "one rule of a plan"),
        (schema("properties"), "one JSON schema, not a plan"),
    ] {
        workspace.write("alone.json", alone.to_string());
        let finished = check(&workspace, &["events.ndjson", "--tracking-plan", "alone.json"]);
        finished.exits(2).says(said).says("--tracking-plan DIR");
    }
    for (none, said) in [
        (json!({"rules": {"evnets": []}}), "expected `rules` to have `events`"),
        (json!({"rules": {"identify": "all"}}), "expected a JSON schema"),
    ] {
        workspace.write("none.json", none.to_string());
        let report = report(&workspace, 1, &["events.ndjson", "--tracking-plan", "none.json"]);
        let messages = report.messages().join("\n");
        assert!(messages.contains(said), "{messages}");
    }
}

#[test]
fn an_empty_plan_causes_a_warning() {
    let workspace = Workspace::new();
    events(&workspace);
    for empty in
        ["{\"rules\": []}", "[]", "{\"rules\": {\"events\": []}}", "{\"data\": {\"rules\": []}}"]
    {
        workspace.write("plan.json", empty);
        let finished = check(&workspace, &["events.ndjson", "--tracking-plan", "plan.json"]);
        finished.says("plan.json:1:1: this plan has no rules");
    }
}

#[test]
fn a_folder_has_one_schema_per_event() {
    let workspace = Workspace::new();
    events(&workspace);
    workspace.write("schemas/signed_up.v1.json", schema("properties").to_string());
    workspace.write("schemas/calls/identify.schema.json", schema("traits").to_string());
    let mut page = schema("properties");
    page["properties"]["type"] = json!({"const": "page"});
    workspace.write("schemas/calls/whatever.json", page.to_string());
    workspace.write("schemas/.hidden.json", "{");
    workspace.write("schemas/package.json", r#"{"name": "schemas"}"#);
    assert_eq!(wrong(&workspace, "schemas"), WRONG);
    let finished = check(&workspace, &["events.ndjson", "--tracking-plan", "schemas"]);
    finished.says("schemas/package.json:1:1: this file has no part of a tracking plan");
    // Another name is another event, and a rule can be a file of its own.
    workspace.write("other/sign_up.json", schema("properties").to_string());
    workspace.write("other/b.json", rudder()["rules"]["events"][0].to_string());
    let report = report(&workspace, 1, &["events.ndjson", "--tracking-plan", "other"]);
    assert_eq!(report.of("unplanned-event").len(), 3, "{:#}", report.0);
    assert_eq!(report.of("invalid-value").len(), 1, "{:#}", report.0);
    workspace.write("empty/readme.txt", "nothing");
    check(&workspace, &["events.ndjson", "--tracking-plan", "empty"])
        .exits(2)
        .says("no file of a plan");
}

#[test]
fn the_csv_export_of_the_app_is_a_plan() {
    let workspace = Workspace::new();
    events(&workspace);
    workspace.write(
        "plan.csv",
        "Rule Key,Rule Type,Property Name,Property Type,Status,Allowed Property Values,Enum Values\n\
         Signed Up,Track,plan,String,Required,,\"free,pro\"\n\
         ,Page,url,String,Optional,,\n,Page,plan,String,Required,,\n\
         ,Identify,plan,String,Optional,,free|pro\n\
         Never Seen,Track,,,,,\n",
    );
    let mut expected = WRONG.to_vec();
    expected.retain(|found| !found.starts_with("unplanned"));
    assert_eq!(wrong(&workspace, "plan.csv"), expected);
    let report = report(&workspace, 1, &["events.ndjson", "--tracking-plan", "plan.csv"]);
    assert_eq!(report.of("uncovered"), ["plan.csv:6:1"]);
    workspace.write("tracks.csv", "id,event,received_at\n1,Signed Up,2025-03-01\n");
    let finished = check(&workspace, &["events.ndjson", "--tracking-plan", "tracks.csv"]);
    finished.exits(2).says("this is CSV").says("/tracking-plans/{id}/rules");
}

#[test]
fn plans_of_terraform_are_read_in_every_form() {
    let workspace = Workspace::new();
    events(&workspace);
    let hcl = |member: &str| {
        format!(
            "jsonencode({{\n properties = {{ {member} = {{\n additionalProperties = false, required = [\"plan\"]\n \
             properties = {{ plan = {{ type = \"string\", enum = [\"free\", \"pro\"] }}, url = {{ type = \"string\" }} }}\n }} }} }})"
        )
    };
    let rules = format!(
        "[\n{{ key = \"Signed Up\", type = \"TRACK\", version = 1, json_schema = {0} }},\n\
         {{ key = null, type = \"PAGE\", version = 1, json_schema = {0} }},\n\
         {{ type = \"IDENTIFY\", version = 1, json_schema = {1} }},\n]",
        hcl("properties"),
        hcl("traits")
    );
    let resource = format!(
        "resource \"segment_tracking_plan\" \"id-tp_1\" {{\n  name = \"P\"\n  type = \"LIVE\"\n  rules = {rules}\n}}\n"
    );
    workspace.write(
        "plan.tf",
        format!(
            "import {{\n  to = segment_tracking_plan.id-tp_1\n  id = \"tp_1\"\n}}\n\n{resource}"
        ),
    );
    assert_eq!(wrong(&workspace, "plan.tf"), WRONG);
    let rule = |key: Value, call: &str, member: &str| json!({"key": key, "type": call, "version": 1, "json_schema": schema(member).to_string()});
    let values = json!({"root_module": {"child_modules": [{"resources": [{
        "address": "segment_tracking_plan.p", "mode": "managed", "type": "segment_tracking_plan", "name": "p",
        "values": {"name": "P", "type": "LIVE", "rules": [
            rule(json!("Signed Up"), "TRACK", "properties"), rule(Value::Null, "PAGE", "properties"),
            rule(Value::Null, "IDENTIFY", "traits"),
        ]},
    }]}]}});
    let shown = json!({"format_version": "1.0", "terraform_version": "1.9.0", "values": values});
    workspace.write("state.json", shown.to_string());
    assert_eq!(wrong(&workspace, "state.json"), WRONG);
    workspace.write("tf/plan.tf", &resource);
    workspace.write("tf/provider.tf", "provider \"segment\" {}\n");
    assert_eq!(wrong(&workspace, "tf"), WRONG);
}

#[test]
fn expressions_of_terraform_are_an_error_that_suggests_json() {
    let workspace = Workspace::new();
    events(&workspace);
    let plan = |rules: &str| {
        format!("resource \"segment_tracking_plan\" \"p\" {{\n  rules = {rules}\n}}\n")
    };
    for (text, said) in [
        (plan("local.rules"), "plan.tf:2:11: error: only Terraform knows"),
        (
            plan("[{ type = \"TRACK\", key = \"A\", json_schema = file(\"a.json\") }]"),
            "only Terraform knows",
        ),
        (
            "resource \"segment_destination_filter\" \"f\" {\n  if = \"all\"\n}\n".into(),
            "without a `segment_tracking_plan`",
        ),
    ] {
        workspace.write("plan.tf", text);
        let finished = check(&workspace, &["events.ndjson", "--tracking-plan", "plan.tf"]);
        finished.exits(2).says(said).says("terraform show -json");
    }
}

#[test]
fn projects_of_the_rudder_cli_are_named() {
    let workspace = Workspace::new();
    events(&workspace);
    let yaml = "version: rudder/v1\nkind: tracking-plan\nmetadata:\n  name: p\nspec:\n  id: p\n  rules: []\n";
    workspace.write("project/plan.yaml", yaml);
    for plan in ["project", "project/plan.yaml"] {
        let finished = check(&workspace, &["events.ndjson", "--tracking-plan", plan]);
        finished.exits(2).says("Rudder CLI").says("plan.json that RudderTyper writes");
    }
}
