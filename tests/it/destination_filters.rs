//! `run --filters`: dropped events and properties do not affect any result.

use crate::support::{Finished, Workspace, assert_ledger_holds};
use serde_json::{Value, json};

const RULES: &str = r#"
version = 1
[[rule]]
id = "demo"
when = 'event = "Demo"'
score = 50
[rule.map]
email = "properties.email"
page = "context.page.url"
number = "properties.number"
"#;

/// A folder with rules, `filters.json` of these filters, and `in.ndjson` of these records.
fn workspace(filters: &Value, records: &[Value]) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("rules.toml", RULES);
    workspace.write("filters.json", filters.to_string());
    workspace.write("in.ndjson", lines(records));
    workspace
}

fn lines(records: &[Value]) -> String {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    lines.join("\n")
}

#[track_caller]
fn run(workspace: &Workspace, out: &str, more: &[&str]) -> Finished {
    let arguments = [&["in.ndjson", "--rules", "rules.toml", "-o", out][..], more].concat();
    let finished = workspace.run(arguments).exits(0);
    assert_ledger_holds(workspace, out);
    finished
}

#[track_caller]
fn filtered(workspace: &Workspace, more: &[&str]) -> Finished {
    run(workspace, "out", &[&["--filters", "filters.json"][..], more].concat())
}

fn filter(condition: &str, action: &Value) -> Value {
    json!({ "title": condition, "if": condition, "actions": [action], "enabled": true })
}

fn drop_properties(fields: &Value) -> Value {
    json!({ "type": "DROP_PROPERTIES", "fields": fields })
}

/// A demo request; what the filters remove varies with `n`.
fn demo(n: usize) -> Value {
    let name = ["Demo", "Ping", "Pong"][n % 3];
    json!({
        "type": "track", "event": name, "messageId": format!("m{n}"),
        "anonymousId": format!("a{}", n % 7), "timestamp": "2025-05-01T00:00:00Z",
        "receivedAt": format!("2025-05-01T00:00:{:02}Z", n % 60),
        "properties": {
            "email": format!("p{}@acme.example", n % 5), "number": 9_007_199_254_740_993_u64 + n as u64,
            "items": [{ "sku": "x", "price": 1.5 }, { "sku": "é\"", "price": n }],
        },
        "context": { "ip": "192.0.2.1", "page": { "url": format!("https://acme.example/{n}"), "title": "t" } },
    })
}

/// Applies the filters of [`PRIVACY`] to a record by hand.
fn by_hand(mut event: Value) -> Value {
    let name = event["event"].clone();
    if name == "Demo" {
        event["properties"].as_object_mut().unwrap().remove("email");
        for item in event["properties"]["items"].as_array_mut().unwrap() {
            item.as_object_mut().unwrap().remove("price");
        }
    }
    if name != "Pong" {
        event["context"].as_object_mut().unwrap().retain(|key, _| key == "page");
        event["context"]["page"].as_object_mut().unwrap().retain(|key, _| key == "url");
    }
    event
}

fn privacy() -> Value {
    json!({ "data": { "filters": [
        filter("event != 'Pong'", &json!({
            "type": "ALLOW_PROPERTIES", "fields": { "context": ["page"], "context.page": ["url"] },
        })),
        filter("event = 'Demo'", &drop_properties(&json!({
            "properties": ["email"], "properties.items": ["price"],
        }))),
    ] } })
}

/// Asserts that the tables of two runs are equal.
#[track_caller]
fn assert_same(workspace: &Workspace, left: &str, right: &str) {
    for name in ["signals.csv", "leads.csv"] {
        let of = |out| String::from_utf8(workspace.read(&format!("{out}/{name}"))).unwrap();
        assert_eq!(of(left), of(right), "{name} of {left} and {right}");
    }
}

#[test]
fn a_rule_finds_nothing_in_a_property_that_a_filter_drops() {
    let email = filter("event = 'Demo'", &drop_properties(&json!({ "properties": ["email"] })));
    let workspace = workspace(&email, &[demo(0)]);
    run(&workspace, "whole", &[]);
    assert_eq!(workspace.rows("whole/signals.csv")[0]["resolution"], "direct");
    assert_eq!(workspace.rows("whole/leads.csv").len(), 1);

    filtered(&workspace, &[]);
    let row = &workspace.rows("out/signals.csv")[0];
    assert_eq!((&*row["rule"], &*row["resolution"], &*row["lead_email"]), ("demo", "cold", ""));
    assert_eq!((&*row["number"], &*row["page"]), ("9007199254740993", "https://acme.example/0"));
    assert_ne!(row["signal_id"], workspace.rows("whole/signals.csv")[0]["signal_id"]);
    assert_eq!(workspace.rows("out/leads.csv").len(), 0);
    for name in workspace.list("out") {
        let text = String::from_utf8(workspace.read(&format!("out/{name}"))).unwrap();
        assert!(!text.contains("acme.example\"") && !text.contains("p0@"), "{name}: {text}");
    }
}

#[test]
fn filtered_events_equal_events_without_the_dropped_properties() {
    let events: Vec<Value> = (0..120).map(demo).collect();
    let workspace = workspace(&privacy(), &events);
    filtered(&workspace, &[]);
    let left: Vec<Value> = events.iter().cloned().map(by_hand).collect();
    workspace.write("in.ndjson", lines(&left));
    run(&workspace, "hand", &[]);
    assert_same(&workspace, "out", "hand");

    let counts = &workspace.report("out")["filters"];
    assert_eq!(counts["changed"], 80);
    let changed: Vec<_> =
        counts["by_filter"].as_array().unwrap().iter().map(|filter| &filter["changed"]).collect();
    assert_eq!(changed, [80, 40]);
    assert_eq!(workspace.report("hand")["filters"], Value::Null);
}

#[test]
fn the_shape_of_events_does_not_matter() {
    let whole = |n| {
        let mut event = demo(n);
        // The batch has the context instead.
        let context = event.as_object_mut().unwrap().remove("context").unwrap();
        (event, context)
    };
    let batch: Vec<Value> = (0..30).map(|n| whole(n).0).collect();
    let wrapped: Vec<Value> = (30..60).map(|n| json!({ "body": whole(n).0.to_string() })).collect();
    let context = whole(7).1;
    let capture = |record: Value| json!({ "body": record.to_string(), "headers": {} });
    let records = [
        json!({ "batch": batch, "context": context }),
        json!({ "batch": wrapped, "context": context, "sentAt": "2025-05-01T00:00:00Z" }),
        capture(json!({ "batch": batch, "context": context })),
        capture(demo(77)),
    ];
    let workspace = workspace(&privacy(), &records);
    filtered(&workspace, &[]);
    let with_context = |n| {
        let mut event = demo(n);
        event["context"] = context.clone();
        by_hand(event)
    };
    let mut left: Vec<Value> = (0..60).chain(0..30).map(with_context).collect();
    left.push(by_hand(demo(77)));
    workspace.write("in.ndjson", lines(&left));
    run(&workspace, "hand", &[]);
    assert_same(&workspace, "out", "hand");
}

#[test]
fn threads_change_nothing() {
    let mut filters = privacy();
    let list = filters["data"]["filters"].as_array_mut().unwrap();
    list.push(filter("all", &json!({ "type": "SAMPLE", "percent": 0.5 })));
    let padding = "x".repeat(900);
    let record = |n| {
        let mut event = demo(n);
        event["properties"]["padding"] = padding.as_str().into();
        event
    };
    let workspace = workspace(&filters, &(0..6000).map(record).collect::<Vec<_>>());
    let report = |threads: &str, out: &str| {
        let arguments = ["--filters", "filters.json", "--threads", threads];
        run(&workspace, out, &arguments);
        let mut report = workspace.report(out);
        report.as_object_mut().unwrap().remove("elapsed_seconds");
        report
    };
    let one = report("1", "one");
    for threads in ["2", "5"] {
        assert_eq!(report(threads, threads), one);
        assert_same(&workspace, "one", threads);
    }
    let out = one["filters"]["sampled_out"].as_u64().unwrap();
    assert!((2800..3200).contains(&out), "{out} of 6000 are about a half");
    assert_eq!(one["filters"]["estimate"], true);
}

#[test]
fn dropped_events_count_as_filtered_and_not_against_the_plan() {
    let filters = json!([
        filter("event = 'Ping'", &json!({ "type": "DROP" })),
        filter("event = 'Pong'", &json!({ "type": "SAMPLE", "percent": 0, "path": "userId" })),
        filter(
            "properties.number = 9007199254740996",
            &drop_properties(&json!({ "": ["messageId"] }))
        ),
    ]);
    let workspace = workspace(&filters, &(0..30).map(demo).collect::<Vec<_>>());
    let said = filtered(&workspace, &[])
        .says("filters     10 dropped, 10 not in the sample, 1 no event any more")
        .says("  event = 'Ping'                        10\n");
    assert!(!said.stderr.contains("estimate"), "{said}");
    let report = workspace.report("out");
    assert_eq!(report["events"]["filtered"], 21);
    assert_eq!(report["events"]["by_type"]["track"], 9);
    let filters = &report["filters"];
    assert_eq!(filters["file"], "filters.json");
    for (name, count) in [("dropped", 10), ("sampled_out", 10), ("unrecognised", 1), ("changed", 0)]
    {
        assert_eq!(filters[name], count, "{name}");
    }
    let expected = json!({
        "title": "event = 'Pong'", "number": 2, "state": "enabled", "dropped": 0, "sampled_out": 10,
        "invalid": 0, "unrecognised": 0, "changed": 0,
    });
    assert_eq!(filters["by_filter"][1], expected);
    assert_eq!(report["plan"]["periods"][0]["raw_signals"], 9);
}

#[test]
fn an_event_must_pass_the_allow_list_and_the_filters() {
    let filters = json!([filter("event = 'Ping'", &json!({ "type": "DROP" }))]);
    let workspace = workspace(&filters, &(0..30).map(demo).collect::<Vec<_>>());
    workspace.write("allow.txt", "Ping\nPong\n");
    filtered(&workspace, &["--allow", "allow.txt"]);
    let report = workspace.report("out");
    assert_eq!(report["events"]["filtered"], 20);
    assert_eq!(report["filters"]["dropped"], 10);
    let rows = workspace.rows("out/signals.csv");
    assert!(rows.len() == 10 && rows.iter().all(|row| row["event"] == "Pong"));
}

#[test]
fn times_that_a_filter_drops_are_missing() {
    let filters =
        json!([filter("all", &drop_properties(&json!({ "": ["timestamp", "receivedAt"] })))]);
    let workspace = workspace(&filters, &[demo(1)]);
    filtered(&workspace, &[]);
    assert_eq!(workspace.report("out")["events"]["no_timestamp"], 1);
    let row = &workspace.rows("out/signals.csv")[0];
    assert_eq!((&*row["timestamp"], &*row["received_at"]), ("", ""));
}

/// The findings of an audit of `filters.json`, each with its severity.
fn findings(workspace: &Workspace) -> Vec<(String, String, String)> {
    let arguments = ["in.ndjson", "--filters", "filters.json", "--format", "json"];
    let audit = workspace.does("audit", &arguments);
    let report: Value = serde_json::from_slice(&audit.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|found| (text(&found["finding"]), text(&found["severity"]), text(&found["message"])))
        .collect()
}

#[test]
fn a_filter_that_holds_always_or_never_is_a_finding() {
    let drop = json!({ "type": "DROP" });
    let filters = json!([
        filter("event = 'Ping' and event = 'Pong'", &drop),
        filter("!(event = 'Ping') or !(event = 'Pong')", &drop),
        filter("all", &drop_properties(&json!({ "context": ["ip"] }))),
    ]);
    let workspace = workspace(&filters, &(0..3).map(demo).collect::<Vec<_>>());
    let found = findings(&workspace);
    let constant: Vec<_> = found.iter().filter(|found| found.0 == "constant-filter").collect();
    assert_eq!(constant.len(), 2, "{found:?}");
    assert!(constant.iter().all(|found| found.1 == "warning"), "{found:?}");
    let has = |text: &str| constant.iter().any(|found| found.2.contains(text));
    assert!(has("filter 1, `event = 'Ping' and event = 'Pong'` holds for no event"), "{found:?}");
    assert!(
        has("holds for every event, whatever it has: 3 events dropped by this one"),
        "{found:?}"
    );
}

#[test]
fn a_filter_that_changes_nothing_is_a_note() {
    let filters = json!([
        filter("event = 'Demo'", &drop_properties(&json!({ "product": ["integrations"] }))),
        filter("event = 'Dmeo'", &json!({ "type": "DROP" })),
        filter("event = 'Ping'", &drop_properties(&json!({ "context": ["ip"] }))),
        filter("event = 'Pong'", &json!({ "type": "DROP" })),
    ]);
    let workspace = workspace(&filters, &(0..30).map(demo).collect::<Vec<_>>());
    let found = findings(&workspace);
    let notes: Vec<&str> = found
        .iter()
        .filter(|found| found.0 == "filter-without-effect")
        .map(|found| &*found.2)
        .collect();
    assert_eq!(notes.len(), 2, "{found:?}");
    assert!(
        notes.iter().any(|note| note
            .contains("filter 1, `event = 'Demo'` changes nothing: its `if` holds for 10 events")),
        "{found:?}"
    );
    assert!(
        notes.iter().any(|note| note
            .contains("filter 2, `event = 'Dmeo'` changes nothing: its `if` holds for no event")),
        "{found:?}"
    );
}

#[test]
fn a_folder_of_filters_is_read_file_by_file() {
    let workspace = workspace(&json!({}), &(0..30).map(demo).collect::<Vec<_>>());
    let ping = filter("event = 'Ping'", &json!({ "type": "DROP" }));
    workspace.write("sync/a/ping.json", ping.to_string());
    workspace.write(
        "sync/b/pong.tf",
        "resource \"segment_destination_filter\" \"pong\" {\n  if = \"event = 'Pong'\"\n  \
         enabled = true\n  actions = [{ type = \"DROP\" }]\n}\n",
    );
    workspace.write("sync/source.json", r#"{"name":"a source","enabled":true}"#);
    workspace.write("sync/README.md", "no filter");
    workspace.write("sync/.hidden.json", "{");
    let said = run(&workspace, "out", &["--filters", "sync"]);
    assert!(!said.stderr.contains("warning"), "{said}");
    let filters = &workspace.report("out")["filters"];
    assert_eq!((&filters["file"], &filters["dropped"]), (&json!("sync"), &json!(20)));
    assert_eq!(filters["by_filter"][1]["number"], 2);

    workspace.write("sync/b/bad.json", filter("event ==", &json!({ "type": "DROP" })).to_string());
    let audit = workspace.does("audit", &["in.ndjson", "--filters", "sync"]).exits(1);
    let report = String::from_utf8_lossy(&audit.stdout);
    assert!(report.contains("invalid-filter") && report.contains("sync/b/bad.json:1:"), "{audit}");
    workspace.write("sync/b/bad.json", "{\"if\": 7, \"actions\": []}");
    workspace
        .run(["in.ndjson", "--filters", "sync", "-o", "bad"])
        .exits(2)
        .says("sync/b/bad.json:1:");
    workspace.write("none/source.json", r#"{"name":"a source"}"#);
    workspace
        .run(["in.ndjson", "--filters", "none", "-o", "none-out"])
        .exits(2)
        .says("there is no destination filter in none");
}

#[test]
fn filters_of_several_destinations_are_reported() {
    let of = |destination: &str| {
        let mut filter = filter("event = 'Ping'", &json!({ "type": "DROP" }));
        filter["destinationId"] = destination.into();
        filter
    };
    let workspace = workspace(&json!([of("d0"), of("d1"), of("d0")]), &[demo(1), demo(2)]);
    filtered(&workspace, &[]).says("these are filters of 2 destinations (d0, d1)");
    workspace.write("filters.json", json!([of("d0"), of("d0")]).to_string());
    let said = run(&workspace, "same", &["--filters", "filters.json"]);
    assert!(!said.stderr.contains("destinations ("), "{said}");
}

#[test]
fn an_invalid_filter_is_reported_and_passes_nothing() {
    let filters = json!([filter("lowercase(event, 1) = 'x'", &json!({ "type": "DROP" }))]);
    let workspace = workspace(&filters, &[demo(1), demo(2)]);
    filtered(&workspace, &[])
        .says("filters.json:1:45: expected 1 argument to `lowercase`, found 2")
        .says("this filter drops every event")
        .says("2 not sent by invalid filters");
    let report = workspace.report("out");
    assert_eq!(
        (&report["filters"]["invalid"], &report["events"]["filtered"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(report["filters"]["by_filter"][0]["state"], "invalid");
    assert!(report["warnings"][0].as_str().unwrap().contains("drops every event"));
}

#[test]
fn a_bad_file_is_shown_with_a_caret_and_nothing_is_written() {
    let workspace = workspace(&json!({}), &[demo(1)]);
    workspace.write("filters.json", "{\"if\": \"all\",\n \"actions\": [{\"type\": \"DROPP\"}]}\n");
    let arguments = ["in.ndjson", "--filters", "filters.json", "-o", "out"];
    workspace
        .run(arguments)
        .exits(2)
        .says("filters.json:2:23: error: `DROPP` is no type of action")
        .says(" 2 |  \"actions\": [{\"type\": \"DROPP\"}]}\n   |                       ^^^^^^^")
        .says("did you mean `DROP`?");
    assert_eq!(workspace.list("out"), [""; 0]);
    workspace.write("filters.json", b"\xff{}");
    workspace.run(arguments).exits(2).says("filters.json");
    workspace
        .run(["in.ndjson", "--filters", "missing.json", "-o", "out"])
        .exits(2)
        .says("missing.json");
}

#[test]
fn the_sample_company_sends_what_its_readme_says() {
    let workspace = Workspace::new();
    let [events, rules, filters] = ["events", "rules.toml", "filters.json"]
        .map(|name| crate::support::testdata("trailco").join(name).display().to_string());
    workspace.run([&events, "--rules", &rules, "--filters", &filters, "-o", "out"]).exits(0);
    assert_ledger_holds(&workspace, "out");
    let report = workspace.report("out");
    assert_eq!(report["events"]["filtered"], 11 + 80 + 9);
    assert_eq!(report["duplicates"]["total"], 5);
    let counts: Vec<Value> = report["filters"]["by_filter"]
        .as_array()
        .unwrap()
        .iter()
        .map(|filter| json!([filter["state"], filter["dropped"], filter["sampled_out"]]))
        .collect();
    let expected =
        json!([["enabled", 80, 0], ["enabled", 0, 9], ["enabled", 0, 0], ["disabled", 0, 0],]);
    assert_eq!(Value::from(counts), expected);
}
