//! `backtrail check`, as a CI job runs it.

use std::fs;

use crate::support::check::{Report, check, place, report};
use crate::support::{Workspace, gzip, testdata};
use serde_json::{Value, json};

/// A folder with a copy of `testdata/check`.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    let files = [
        "plan.json",
        "rules.toml",
        "good/events.ndjson",
        "bad/form.json",
        "bad/lines.ndjson",
        "invalid/form.invalid.json",
    ];
    for file in files {
        workspace.write(file, fs::read(testdata("check").join(file)).unwrap());
    }
    workspace
}

const BOTH: [&str; 4] = ["--tracking-plan", "plan.json", "--rules", "rules.toml"];

fn with<'a>(first: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
    first.iter().chain(rest).copied().collect()
}

/// A plan of one track event whose `properties` have this schema.
fn plan(name: &str, properties: &Value) -> String {
    let schema = json!({"type": "object", "properties": {"properties": properties}});
    json!({"rules": [{"type": "TRACK", "key": name, "version": 1, "jsonSchema": schema}]})
        .to_string()
}

fn event(name: &str, properties: &Value) -> String {
    let event = json!({"type": "track", "event": name, "messageId": "m", "anonymousId": "a", "properties": properties});
    event.to_string() + "\n"
}

#[test]
fn what_agrees_passes() {
    let workspace = workspace();
    let report = report(&workspace, 0, &with(&["good", "invalid"], &BOTH));
    assert_eq!(report.messages(), [""; 0]);
    let finished = check(&workspace, &with(&["good"], &BOTH)).exits(0).says_nothing();
    assert!(!finished.stdout.is_empty());
}

#[test]
fn every_violation_is_told_at_its_member() {
    let workspace = workspace();
    let report = report(&workspace, 1, &with(&["bad"], &BOTH));
    for (violation, places) in [
        (
            "invalid-type",
            &[
                "bad/form.json:11:9 /properties/form_name",
                "bad/form.json:33:23 /properties/days",
                "bad/lines.ndjson:1:66 /traits/name",
            ][..],
        ),
        (
            "invalid-value",
            &[
                "bad/form.json:12:9 /properties/email",
                "bad/form.json:13:9 /properties/seats",
                "bad/form.json:14:9 /properties/plan",
                "bad/form.json:15:9 /properties/ref code",
            ],
        ),
        ("unplanned-property", &["bad/form.json:16:9 /properties/fromname"]),
        ("unplanned-event", &["bad/form.json:21:7 /event", "bad/lines.ndjson:4:38 /event"]),
        (
            "missing-required",
            &[
                "bad/form.json:26:5 /properties",
                "bad/form.json:33:7 /properties/plan",
                "bad/lines.ndjson:3:100 /context/app",
            ],
        ),
        ("invalid-event", &["bad/lines.ndjson:2:75"]),
        ("missing-id", &["bad/form.json:26:5 /messageId"]),
        ("unmapped-event", &["bad/form.json:21:7 /event", "bad/lines.ndjson:4:38 /event"]),
        (
            "mapped-field-absent",
            &["bad/form.json:26:5 /properties/form_name", "bad/form.json:33:7 /properties/plan"],
        ),
        (
            "email-missing",
            &[
                "bad/form.json:12:9 /properties/email",
                "bad/form.json:26:5 /properties/email",
                "bad/lines.ndjson:1:56 /traits/email",
            ],
        ),
    ] {
        assert_eq!(report.of(violation), places, "{violation}");
    }
    let messages = report.messages();
    for hint in ["did you mean `form_name`?", "did you mean `Form Submitted`?"] {
        assert!(messages.iter().any(|message| message.contains(hint)), "{hint} {messages:#?}");
    }
    let places: Vec<String> = report.findings().iter().map(place).collect();
    let lines: Vec<(String, u64)> = report
        .findings()
        .iter()
        .map(|found| (found["file"].as_str().unwrap().to_owned(), found["line"].as_u64().unwrap()))
        .collect();
    assert!(lines.is_sorted(), "{places:#?}");
}

#[test]
fn gzip_changes_the_name_alone() {
    let workspace = workspace();
    let plain = report(&workspace, 1, &with(&["bad/form.json"], &BOTH));
    workspace.write("z/form.json.gz", gzip(&workspace.read("bad/form.json")));
    let packed = report(&workspace, 1, &with(&["z"], &BOTH));
    let places = |report: &Report| -> Vec<String> {
        report
            .findings()
            .iter()
            .map(|found| place(found).split_once(':').unwrap().1.to_owned())
            .collect()
    };
    let without_notes = |mut places: Vec<String>| {
        places.sort();
        places
    };
    assert_eq!(without_notes(places(&plain)), without_notes(places(&packed)));
}

#[test]
fn a_folder_may_hold_the_plan_and_the_rules_beside_the_fixtures() {
    let workspace = workspace();
    workspace.write("here/plan.json", plan("A", &json!({})));
    workspace.write("here/rules.toml", "version = 1\n");
    workspace.write("here/a.json", event("A", &json!({})));
    let arguments = [
        "here",
        "--tracking-plan",
        "here/plan.json",
        "--rules",
        "here/rules.toml",
        "--expect",
        "here",
    ];
    check(&workspace, &with(&arguments, &["--bless", "--note", "unmapped-event"])).exits(0);
    let again = report(&workspace, 0, &with(&arguments, &["--note", "unmapped-event"]));
    assert_eq!(again.of("invalid-event"), [""; 0]);
    assert_eq!(again.0["coverage"]["events"], 1);
}

#[test]
fn a_stale_entry_of_the_baseline_fails_where_that_is_asked_for() {
    let workspace = workspace();
    workspace.write("plan.json", plan("A", &json!({})));
    workspace.write("a.json", event("B", &json!({})));
    let arguments = ["a.json", "--tracking-plan", "plan.json", "--baseline", "known.json"];
    check(&workspace, &with(&arguments, &["--write-baseline"])).exits(0);
    workspace.write("a.json", event("A", &json!({})));
    assert!(!report(&workspace, 0, &arguments).of("stale-baseline").is_empty());
    report(&workspace, 1, &with(&arguments, &["--deny", "stale-baseline"]));
}

#[test]
fn threads_change_nothing() {
    let workspace = workspace();
    let many: String =
        (0..5000).map(|n| event("Form Submitted", &json!({"form_name": n}))).collect();
    workspace.write("many/a.ndjson", &many);
    workspace.write("many/b.ndjson", &many);
    let arguments = with(&["many", "bad", "good"], &BOTH);
    let with_threads = |threads| {
        let arguments = with(&arguments, &["--threads", threads, "--report", "json"]);
        check(&workspace, &arguments).exits(1).stdout
    };
    assert_eq!(with_threads("1"), with_threads("3"));
}

#[test]
fn plans_are_told_by_themselves() {
    let workspace = Workspace::new();
    workspace.write("event.json", event("A \"b\" c", &json!({"size": "x", "more": 1})));
    let properties = json!({
        "type": "object", "properties": {"size": {"type": "integer", "id": "/properties/si ze"}, "any": {"type": "any"}},
        "additionalProperties": false, "required": ["size"]
    });
    let schema = json!({
        "$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": [],
        "properties": {"context": {}, "traits": {"type": "object"}, "properties": properties}
    });
    let rule = json!({"type": "TRACK", "key": "A \"b\" c", "version": 1, "jsonSchema": schema});
    let mut lifted = properties.clone();
    lifted["eventMetadata"] = json!({"name": "A \"b\" c", "type": "TRACK"});
    for (name, plan) in [
        (
            "page of the Public API",
            json!({"data": {"rules": [rule], "pagination": {"current": "x"}}}),
        ),
        ("pages in a list", json!([{"data": {"rules": []}}, {"data": {"rules": [rule]}}])),
        ("bare rules", json!([rule])),
        ("plan with its rules", json!({"id": "tp", "name": "P", "rules": [rule]})),
        (
            "Config API",
            json!({"name": "w/p", "rules": {"events": [{"name": "A \"b\" c", "version": 1, "rules": schema}], "identify_traits": []}}),
        ),
        (
            "typewriter",
            json!({"id": "tp", "rules": [{"type": "TRACK", "key": "A b c", "version": 1, "jsonSchema": lifted}]}),
        ),
    ] {
        workspace.write("plan.json", serde_json::to_vec_pretty(&plan).unwrap());
        let report = report(&workspace, 1, &["event.json", "--tracking-plan", "plan.json"]);
        assert_eq!(report.of("invalid-type").len(), 1, "{name} {:#}", report.0);
        assert_eq!(report.of("unplanned-property").len(), 1, "{name} {:#}", report.0);
        assert_eq!(report.findings().len(), 2, "{name} {:#}", report.0);
    }
}

#[test]
fn a_schema_that_is_none_is_told_and_the_others_hold() {
    let workspace = Workspace::new();
    workspace.write("a.ndjson", event("Good", &json!({"n": "x"})) + &event("Bad", &json!({})));
    workspace.write(
        "plan.json",
        r#"{"rules": [
  {"type": "TRACK", "key": "Bad", "version": 1, "jsonSchema": {
    "properties": {"properties": {"properties": {"n": {"type": "strnig"}}}}
  }},
  {"type": "TRACK", "key": "Remote", "version": 1, "jsonSchema": {
    "properties": {"properties": {"$ref": "https://schemas.example/a.json"}}
  }},
  {"type": "TRACK", "key": "Good", "version": 1, "jsonSchema": {
    "properties": {"properties": {"properties": {"n": {"type": "number"}}}}
  }}
]}"#,
    );
    let report = report(&workspace, 1, &["a.ndjson", "--tracking-plan", "plan.json"]);
    let at = "/jsonSchema/properties/properties";
    let places = [
        format!("plan.json:3:56 /rules/0{at}/properties/n/type"),
        format!("plan.json:6:35 /rules/1{at}/$ref"),
    ];
    assert_eq!(report.of("invalid-plan"), places, "{:#}", report.0);
    assert_eq!(report.of("invalid-type"), ["a.ndjson:1:80 /properties/n"]);
    let messages = report.messages().join("\n");
    assert!(messages.contains("never fetched"), "{messages}");
    assert!(messages.contains("\"strnig\" is no type"), "{messages}");
}

#[test]
fn what_is_no_plan_is_an_error() {
    let workspace = workspace();
    for (plan, said) in [
        ("{\"rules\": [\n  oops]}", "plan2.json:2:3: error: not JSON"),
        ("{\"a\": 1}", "expected a tracking plan"),
        ("", "expected a tracking plan"),
        ("7", "expected a tracking plan"),
    ] {
        workspace.write("plan2.json", plan);
        check(&workspace, &["good", "--tracking-plan", "plan2.json"]).exits(2).says(said);
    }
    check(&workspace, &["good", "--tracking-plan", "none.json"]).exits(2).says("none.json");
}

#[test]
fn a_pattern_that_backtracks_is_matched_in_time() {
    let workspace = Workspace::new();
    let text = "a".repeat(30_000);
    workspace.write("a.json", event("A", &json!({"x": text, "y": text})));
    let schema = json!({"properties": {
        "x": {"type": "string", "pattern": "^(a+)+$(b|c)"}, "y": {"type": "string", "pattern": "^(?=a)(a+)+b$"}
    }});
    workspace.write("plan.json", plan("A", &schema));
    let report = report(&workspace, 1, &["a.json", "--tracking-plan", "plan.json"]);
    assert_eq!(report.of("invalid-value").len(), 2, "{:#}", report.0);
}

#[test]
fn versions_follow_the_event_and_else_the_oldest() {
    let workspace = Workspace::new();
    let of_version = |version: Value, name: &str| {
        let schema =
            json!({"properties": {"properties": {"required": [name]}}, "required": ["properties"]});
        json!({"type": "TRACK", "key": "A", "version": version, "jsonSchema": schema})
    };
    let rules = [
        of_version(json!(10), "ten"),
        of_version(json!(2), "two"),
        of_version(json!("3"), "three"),
    ];
    workspace.write("plan.json", json!({"rules": rules}).to_string());
    for (version, missing) in [
        (json!(null), "two"),
        (json!(10), "ten"),
        (json!("3"), "three"),
        (json!(3), "three"),
        (json!(9), "two"),
    ] {
        let mut event: Value = serde_json::from_str(&event("A", &json!({}))).unwrap();
        event["context"] = json!({"protocols": {"event_version": version}});
        workspace.write("a.json", event.to_string());
        let report = report(&workspace, 1, &["a.json", "--tracking-plan", "plan.json"]);
        let pointers: Vec<_> = report
            .findings()
            .iter()
            .filter(|found| found["violation"] == "missing-required")
            .map(|found| found["pointer"].as_str().unwrap())
            .collect();
        assert_eq!(pointers, [format!("/properties/{missing}")], "{version}");
    }
}

#[test]
fn limits_of_segment_are_told() {
    let workspace = Workspace::new();
    let long = "m".repeat(101);
    let mut lines = String::new();
    for (id, size) in [(&long[..], 1), (&long[..100], 1), ("big", 33_000), ("fits", 32_000)] {
        lines += &json!({"type": "track", "event": "A", "messageId": id, "userId": "u", "properties": {"x": "é".repeat(size / 2)}}).to_string();
        lines += "\n";
    }
    workspace.write("a.ndjson", lines);
    let report = report(&workspace, 1, &["a.ndjson"]);
    assert_eq!(report.of("too-long-message-id").len(), 1);
    assert!(report.of("too-long-message-id")[0].starts_with("a.ndjson:1:"));
    assert_eq!(report.of("too-large-event"), ["a.ndjson:3:1"]);
    assert_eq!(report.findings().len(), 2);
}

#[test]
fn an_expected_failure_that_passes_is_the_finding() {
    let workspace = workspace();
    workspace.write("x/fine.invalid.ndjson", workspace.read("good/events.ndjson"));
    workspace.write("x/broken.invalid.ndjson", "{");
    let report = report(&workspace, 1, &with(&["x", "--note", "uncovered"], &BOTH));
    assert_eq!(report.of("unexpected-pass"), ["x/fine.invalid.ndjson:null:null"]);
    let errors = report.findings().iter().filter(|found| found["level"] == "error");
    assert_eq!(errors.count(), 1, "{:#}", report.0);
}

#[test]
fn what_no_fixture_covers_is_a_note_unless_denied() {
    let workspace = workspace();
    workspace.write(
        "one.ndjson",
        workspace.read("good/events.ndjson").split_inclusive(|b| *b == b'\n').nth(2).unwrap(),
    );
    let arguments = with(&["one.ndjson"], &BOTH);
    let noted = report(&workspace, 0, &arguments);
    // Form Submitted, Trial Started v2, Page Viewed, identify; form, pricing, page.
    assert_eq!(noted.of("uncovered").len(), 7, "{:#}", noted.0);
    assert_eq!(noted.of("uncovered")[0], "plan.json:6:9");
    report(&workspace, 1, &with(&arguments, &["--deny", "uncovered"]));
    report(
        &workspace,
        0,
        &with(&arguments, &["--deny", "uncovered", "--baseline", "known.json", "--write-baseline"]),
    );
    report(&workspace, 0, &with(&arguments, &["--deny", "uncovered", "--baseline", "known.json"]));
}

#[test]
fn rules_that_nothing_reaches_are_told() {
    let workspace = workspace();
    workspace.write(
        "rules.toml",
        r#"version = 1
[[rule]]
id = "page"
when = 'type = "page"'
[[rule]]
id = "pricing"
when = 'type = "page" and contains(properties.url, "/pricing")'
[[rule]]
id = "trial"
when = 'match(event, "Trial*")'
[[rule]]
id = "started"
when = 'event = "Trial Started"'
[[rule]]
id = "people"
when = 'type = "identify"'
"#,
    );
    let report = report(&workspace, 1, &["good", "--rules", "rules.toml"]);
    assert_eq!(report.of("rule-never-matches"), ["rules.toml:6:6", "rules.toml:15:6"]);
    assert_eq!(report.of("uncovered"), ["rules.toml:12:6"]);
    let messages = report.messages().join("\n");
    for said in ["is taken by `page`", "`started` would take went to `trial`", "takes no signal"] {
        assert!(messages.contains(said), "{said}\n{messages}");
    }
}

#[test]
fn the_tests_of_the_rules_run_without_a_fixture() {
    let workspace = workspace();
    let passed = report(&workspace, 0, &["--rules", "rules.toml"]);
    assert_eq!(passed.findings().len(), 0);
    let rules = String::from_utf8(workspace.read("rules.toml")).unwrap();
    let broken = rules
        .replace("rule = \"form\", score = 40", "rule = \"trial\", score = 41")
        .replace("email = \"ana@acme.example\" }", "email = \"bob@acme.example\" }");
    workspace.write("rules.toml", &broken);
    let failed = report(&workspace, 1, &["--rules", "rules.toml"]);
    let line = 1 + broken.lines().position(|line| line.starts_with("name = \"a form")).unwrap();
    assert_eq!(failed.of("failed-test").len(), 3, "{:#}", failed.0);
    for (found, said) in failed.findings().iter().zip([
        "expected another e-mail",
        "expected the rule `trial`, found the rule `form`",
        "expected the score 41, found 40",
    ]) {
        let at = found["line"].as_u64().unwrap();
        assert!(at + 1 == line as u64 || at == line as u64, "{at} {line}");
        let message = found["message"].as_str().unwrap();
        assert!(failed.messages().iter().any(|message| message.contains(said)), "{said} {message}");
    }
}

#[test]
fn snapshots_are_written_and_compared() {
    let workspace = workspace();
    let arguments = ["good", "--rules", "rules.toml", "--expect", "kept"];
    let missing = report(&workspace, 1, &arguments);
    assert_eq!(
        missing.of("unexpected-output"),
        ["kept/leads.csv:null:null", "kept/signals.csv:null:null"]
    );
    assert!(missing.messages()[0].contains("--bless"));
    report(&workspace, 0, &with(&arguments, &["--bless"]));
    assert_eq!(workspace.list("kept"), ["leads.csv", "signals.csv"]);
    report(&workspace, 0, &arguments);
    workspace.run(["good", "--rules", "rules.toml", "-o", "out"]).exits(0);
    assert_eq!(workspace.read("kept/signals.csv"), workspace.read("out/signals.csv"));
    let rules = String::from_utf8(workspace.read("rules.toml")).unwrap();
    workspace.write("rules.toml", rules.replace("score = 25", "score = 30"));
    let differs = report(&workspace, 1, &arguments);
    assert_eq!(differs.of("unexpected-output").len(), 2, "{:#}", differs.0);
    assert!(!differs.messages().join(" ").contains("ana@"));
    check(&workspace, &["-", "--expect", "kept"]).exits(2).says("--expect");
    check(&workspace, &["good", "--bless"]).exits(2);
}

#[test]
fn an_allow_list_is_held_against_fixtures() {
    let workspace = workspace();
    workspace.write("allow.txt", "identify\nTrial Started\npage *\n");
    let report = report(&workspace, 1, &["good", "--rules", "rules.toml", "--allow", "allow.txt"]);
    assert_eq!(report.of("not-allowed"), ["good/events.ndjson:2:1"]);
    assert_eq!(report.of("uncovered"), ["rules.toml:4:6"]);
}

#[test]
fn bad_input_is_told_and_the_rest_is_checked() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("empty")).unwrap();
    check(&workspace, &["empty"]).exits(2).says("no fixtures");
    check(&workspace, &["empty", "--allow-empty"]).exits(0);
    check(&workspace, &["missing"]).exits(2).says("missing");
    workspace.write("blank.ndjson", "\n\n");
    check(&workspace, &["blank.ndjson"]).exits(2).says("empty");

    let good = event("A", &json!({"n": 1}));
    workspace.write("a.ndjson", format!("{good}{{\"type\": track}}\n\n{good}"));
    let one = report(&workspace, 1, &["a.ndjson"]);
    assert_eq!(one.of("invalid-event"), ["a.ndjson:2:12"]);
    assert_eq!(one.0["coverage"]["events"], 2);

    let packed = gzip(good.as_bytes());
    workspace.write("cut.gz", &packed[..packed.len() - 6]);
    check(&workspace, &["cut.gz"]).exits(2).says("cut.gz");
}

#[test]
fn a_slip_in_a_value_over_many_lines_is_told_once() {
    let workspace = Workspace::new();
    let pretty = "{\n  \"type\": \"track\",\n  \"event\": \"A\",\n  \"messageId\": \"1\",\n  \"userId\": \"u\",\n}\n";
    workspace.write("a.json", pretty);
    workspace.write("b.ndjson", event("B", &json!({})));
    let report = report(&workspace, 1, &["a.json", "b.ndjson"]);
    assert_eq!(report.of("invalid-event"), ["a.json:6:1"], "{:#}", report.0);
}
