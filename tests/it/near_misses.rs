//! Batches with members for their events, and records that are almost events: these are interpreted
//! as intended, or reported.

use crate::support::{Workspace, assert_ledger_holds, track};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[track_caller]
fn run(text: &str, more: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("input.ndjson", text);
    workspace.run([&["input.ndjson", "-o", "out", "-q"], more].concat()).exits(0);
    assert_ledger_holds(&workspace, "out");
    workspace
}

fn column(workspace: &Workspace, table: &str, name: &str) -> Vec<String> {
    workspace.rows(table).into_iter().map(|row| row[name].clone()).collect()
}

const IDENTIFY: &str = r#"{"type":"identify","userId":"u1","anonymousId":"a1","messageId":"i1","traits":{"email":"ana@acme.example"},"timestamp":"2025-03-01T11:00:00.000Z"}"#;

#[test]
fn the_context_of_a_batch_is_merged_into_that_of_an_element() {
    let page = json!({ "type": "page", "anonymousId": "a1", "messageId": "p1", "name": "Prices",
        "context": { "page": { "url": "https://acme.example/p" }, "campaign": { "name": "own" } },
        "timestamp": "2025-03-01T10:00:00.000Z" });
    let lent = json!({ "campaign": { "name": "spring", "source": "news", "medium": "email" }, "device": { "type": "phone" } });
    let identify: Value = serde_json::from_str(IDENTIFY).unwrap();
    let batch =
        json!({ "batch": [identify, page], "context": lent, "sentAt": "2025-03-01T11:00:01.000Z" });
    let merged = run(&batch.to_string(), &[]);
    let lead = &merged.rows("out/leads.csv")[0];
    assert_eq!(
        (&*lead["utm_campaign"], &*lead["utm_source"], &*lead["utm_medium"]),
        ("own", "news", "email")
    );
    // The content is that of the event with its whole context.
    let mut whole = page.clone();
    whole["context"] = json!({ "page": { "url": "https://acme.example/p" },
        "campaign": { "name": "own", "source": "news", "medium": "email" }, "device": { "type": "phone" } });
    let alone = run(&format!("{whole}\n"), &[]);
    assert_eq!(
        column(&merged, "out/signals.csv", "signal_id"),
        column(&alone, "out/signals.csv", "signal_id")
    );
    // The same inside of a capture.
    let capture = json!({ "body": batch.to_string(), "time": "2025-03-01T12:00:00Z" }).to_string();
    let captured = run(&capture, &[]);
    assert_eq!(merged.read("out/leads.csv"), captured.read("out/leads.csv"));
}

#[test]
fn the_received_at_of_a_batch_is_inherited() {
    let event: Value = serde_json::from_str(&track("m1")).unwrap();
    let mut own: Value = serde_json::from_str(&track("m2")).unwrap();
    own["receivedAt"] = json!("2025-05-01T00:00:09Z");
    let batch = json!({ "batch": [event, own], "receivedAt": "2025-05-01T00:00:02Z" });
    let workspace = run(&batch.to_string(), &[]);
    let received = column(&workspace, "out/signals.csv", "received_at");
    assert_eq!(received, ["2025-05-01T00:00:02.000Z", "2025-05-01T00:00:09.000Z"]);
}

#[test]
fn types_in_other_case_and_names_with_underscores_are_accepted() {
    let upper = track("m1").replace(r#""type":"track""#, r#""type":"Track""#);
    let snake = r#"{"type":"identify","event":null,"message_id":"i1","anonymous_id":"a1","user_id":"u1","traits":{"email":"ana@acme.example"},"timestamp":"2025-03-01T11:00:00.000Z"}"#;
    let workspace = run(&format!("{upper}{snake}\n"), &[]);
    assert_eq!(column(&workspace, "out/signals.csv", "type"), ["track"]);
    assert_eq!(column(&workspace, "out/signals.csv", "lead_email"), ["ana@acme.example"]);
    let events = &workspace.report("out")["events"];
    assert_eq!(events["total"], 2);
    assert_eq!((&events["call_types"], &events["snake_case_names"]), (&json!(1), &json!(1)));
    // They are equal to the intended events.
    let plain = run(&format!("{}{IDENTIFY}\n", track("m1")), &[]);
    assert_eq!(plain.read("out/signals.csv"), workspace.read("out/signals.csv"));
}

#[test]
fn foreign_requests_of_a_har_are_counted_separately() {
    let entry = |method: &str, url: &str, body: Option<&str>| {
        let post = body.map(|text| json!({ "mimeType": "text/plain", "text": text }));
        json!({ "startedDateTime": "2025-05-01T00:00:02Z", "request": { "method": method, "url": url, "headers": [], "postData": post } })
    };
    let call = r#"{"writeKey":"w","userId":"u1","event":"Email Opened"}"#;
    let pixel = format!(
        "https://api.segment.io/v1/pixel/track?data={}",
        STANDARD.encode(call).replace('=', "%3D")
    );
    let mut entries: Vec<_> =
        (0..20).map(|n| entry("GET", &format!("https://acme.example/app-{n}.js"), None)).collect();
    entries.push(entry("POST", "https://api.segment.io/v1/t", Some(&track("m1"))));
    entries.push(entry("POST", "https://acme.example/graphql", Some(r#"{"query":"{me{id}}"}"#)));
    entries.push(entry("GET", &pixel, None));
    let har = json!({ "log": { "version": "1.2", "entries": entries } }).to_string();
    let workspace = run(&har, &["--max-rejects", "10%"]);
    let report = workspace.report("out");
    assert_eq!((&report["records"], &report["foreign_requests"]), (&json!(2), &json!(21)));
    assert_eq!(column(&workspace, "out/signals.csv", "event"), ["Ping", "Email Opened"]);
    workspace.write(
        "noise.har",
        json!({ "log": { "entries": [entry("GET", "https://acme.example/a.js", None)] } })
            .to_string(),
    );
    workspace.run(["noise.har", "-o", "none"]).exits(2).says("1 captured request");
}

#[test]
fn assigned_ids_are_those_of_the_content() {
    let call = r#"{"type":"track","userId":"u1","event":"Signed Up","timestamp":"2025-03-01T11:05:00.000Z","sentAt":"NOW"}"#;
    let other = call.replace("Signed Up", "Left");
    let lines = [call, &call.replace("NOW", "later"), &other].join("\n");
    let workspace = run(&lines, &["--assign-ids"]);
    let report = workspace.report("out");
    assert_eq!(
        (&report["events"]["total"], &report["duplicates"]["total"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(report["events"]["assigned_message_ids"], 3);
    let ids = column(&workspace, "out/signals.csv", "message_id");
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("content-")), "{ids:?}");
    let workspace = Workspace::new();
    workspace.write("input.ndjson", lines);
    workspace.run(["input.ndjson", "-o", "out", "--allow-empty"]).exits(0);
    assert!(workspace.rejects("out")[0]["detail"].as_str().unwrap().contains("--assign-ids"));
}

#[test]
fn a_missing_call_type_is_that_of_the_path() {
    let capture = |path: &str, body: Value| json!({ "path": path, "headers": {}, "body": body, "receivedAt": "2025-05-01T00:00:02Z" });
    let lines = [
        capture(
            "/v1/identify",
            json!({ "userId": "u1", "messageId": "i1", "traits": { "email": "ana@acme.example" } }),
        ),
        capture("/v1/t", json!({ "userId": "u1", "messageId": "m1", "event": "Signed Up" })),
        capture("/other", json!({ "userId": "u1", "messageId": "m2", "event": "Signed Up" })),
    ];
    let workspace = run(&lines.map(|line| format!("{line}\n")).concat(), &[]);
    assert_eq!(column(&workspace, "out/signals.csv", "lead_email"), ["ana@acme.example"]);
    assert_eq!(workspace.report("out")["rejects"]["total"], 1);
}
