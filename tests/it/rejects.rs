//! What `rejects.ndjson` shows of a record with bad items: each with its own text and position, and
//! no more of them than the size of the record justifies.

use crate::support::{Workspace, assert_ledger_holds, track};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Runs over `text`; returns the workspace and its rejects.
#[track_caller]
fn rejects_of(text: &str) -> (Workspace, Vec<Value>) {
    let workspace = Workspace::new();
    workspace.write("events.json", text);
    workspace.run(["events.json", "-o", "out", "-q"]).exits(0);
    assert_ledger_holds(&workspace, "out");
    let rejects = workspace.rejects("out");
    (workspace, rejects)
}

fn event() -> Value {
    serde_json::from_str(&track("m1")).unwrap()
}

#[test]
fn an_element_of_a_batch_is_shown_alone_with_its_index_and_place() {
    let batch = json!([event(), {"a": "é"}, [7, event()], {"type": "track", "userId": "u"}]);
    for value in [batch.clone(), json!({ "sentAt": "x", "batch": batch })] {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let (_, rejects) = rejects_of(&text);
            let list = if value.is_array() { "" } else { "batch" };
            let expected = [
                (format!("{list}[1]: "), &batch[1]),
                (format!("{list}[2], [0]: "), &batch[2][0]),
                (format!("{list}[3]: "), &batch[3]),
            ];
            assert_eq!(rejects.len(), expected.len());
            for (reject, (detail, element)) in rejects.iter().zip(expected) {
                assert!(reject["detail"].as_str().unwrap().starts_with(&detail), "{reject}");
                let record = reject["record"].as_str().unwrap();
                assert_eq!(serde_json::from_str::<Value>(record).unwrap(), *element);
                let offset = usize::try_from(reject["offset"].as_u64().unwrap()).unwrap();
                assert!(text[offset..].starts_with(record), "{reject}");
                assert_eq!(reject["line"], text[..offset].matches('\n').count() as u64 + 1);
            }
        }
    }
}

#[test]
fn an_element_in_the_body_of_a_capture_is_shown_alone_at_the_place_of_the_capture() {
    let body = json!({ "batch": [event(), { "a": 1 }] }).to_string();
    let entry = |text: &str| json!({ "request": { "postData": { "text": text } } });
    let har = json!({ "log": { "entries": [entry(&track("m2")), entry(&body)] } }).to_string();
    let place = har.rfind(r#"{"request""#).unwrap();
    let record = json!({ "rawBody": body, "time": 1 }).to_string();
    let base64 = json!({ "body": STANDARD.encode(&body), "base64": true }).to_string();
    for (text, detail, offset) in [
        (&har, "log.entries[1], batch[1]: ", place),
        (&record, "batch[1]: ", 0),
        (&base64, "batch[1]: ", 0),
    ] {
        let (_, rejects) = rejects_of(text);
        assert_eq!(rejects.len(), 1);
        assert!(rejects[0]["detail"].as_str().unwrap().starts_with(detail), "{}", rejects[0]);
        assert_eq!(
            (&rejects[0]["record"], &rejects[0]["offset"]),
            (&json!(r#"{"a":1}"#), &json!(offset))
        );
    }
}

#[test]
fn a_header_in_a_list_is_not_shown_without_its_name() {
    let text = json!([event(), ["Authorization", "s3cr3t-of-a-list"]]).to_string();
    let (workspace, rejects) = rejects_of(&text);
    assert_eq!(rejects.len(), 2);
    let written = String::from_utf8(workspace.read("out/rejects.ndjson")).unwrap();
    assert!(written.contains("Authorization") && !written.contains("s3cr3t"), "{written}");
}

#[test]
fn a_record_of_many_bad_elements_has_a_thousand_rejects_and_a_line_that_counts_the_rest() {
    let zeros = vec![json!(0); 50_000];
    let mut mixed = zeros.clone();
    mixed[0] = event();
    mixed[49_999] = json!({ "type": "track", "userId": "u" });
    let nested: Vec<_> = (0..25).map(|_| Value::from(vec![json!(0); 2000])).collect();
    let body = Value::from(mixed.clone()).to_string();
    let records = zeros.iter().map(|zero| json!({ "body": zero })).collect::<Vec<_>>();
    let more = |count: u64| json!({ "not_segment": count });
    for (text, more) in [
        (Value::from(zeros).to_string(), more(49_000)),
        (Value::from(mixed).to_string(), json!({ "not_segment": 48_998, "missing_message_id": 1 })),
        (json!({ "batch": nested }).to_string(), more(49_000)),
        (
            json!({ "body": body }).to_string(),
            json!({ "not_segment": 48_998, "missing_message_id": 1 }),
        ),
        (
            json!({ "log": { "entries": records } }).to_string(),
            json!({ "bad_capture_body": 49_000 }),
        ),
    ] {
        let (workspace, rejects) = rejects_of(&format!("{}{text}\n{}", track("m8"), track("m9")));
        assert_eq!(rejects.len(), 1001);
        assert_eq!(rejects[1000]["more"], more, "{}", rejects[1000]);
        assert_eq!(rejects[1000]["line"], 2);
        let most = more.as_object().unwrap().iter().max_by_key(|(_, count)| count.as_u64());
        assert_eq!(rejects[1000]["reason"], *most.unwrap().0);
        let written = workspace.read("out/rejects.ndjson").len();
        assert!(written < 400_000, "{written} bytes of rejects");
    }
}

#[test]
fn a_record_of_4_mb_of_zeros_is_refused_in_bounded_memory() {
    let workspace = Workspace::new();
    workspace.write("zeros.json", format!("[{}]\n{}", vec!["0"; 2_000_000].join(","), track("m1")));
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_backtrail");
    // The tape takes a multiple of the text, but the rejects of the elements take nothing.
    command.args([
        "-c",
        &format!("ulimit -v 1500000; {program} run zeros.json -o out -q --threads 1"),
    ]);
    command.current_dir(workspace.path("."));
    assert!(command.status().unwrap().success());
    assert_ledger_holds(&workspace, "out");
    assert_eq!(workspace.report("out")["rejects"]["total"], 2_000_000);
}

#[test]
fn check_counts_every_bad_element_and_reports_a_thousand() {
    let workspace = Workspace::new();
    workspace.write("zeros.json", Value::from(vec![json!(0); 1500]).to_string());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.args(["check", "zeros.json", "--report", "json"]).current_dir(workspace.path("."));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("500 more items of this record are refused"), "{}", text.len());
}

#[test]
fn an_input_without_events_reports_first_positions_and_keeps_its_rejects() {
    let workspace = Workspace::new();
    workspace.write(
        "events.json",
        "{\"event\":\"A\",\"properties\":{\"distinct_id\":\"d\"}}\n{]\n7\n8\n",
    );
    let finished = workspace
        .run(["events.json", "-o", "out"])
        .exits(2)
        .says("no event in the input (4 rejected: 1 invalid_json, 3 not_segment)")
        .says("\n  events.json:1: not_segment: looks like Mixpanel's export: ")
        .says("\n  events.json:2: invalid_json: byte 2 of the record: ")
        .says("\n  events.json:3: not_segment: ")
        .says("rejects.ndjson");
    assert!(!finished.stderr.contains("events.json:4"), "{finished}");
    assert_eq!(workspace.list("out"), ["rejects.ndjson"]);
    assert_eq!(workspace.rejects("out").len(), 4);
    // Outputs of an earlier run are not changed.
    workspace.write("events.json", "9\n");
    workspace.run(["events.json", "-o", "out", "--overwrite"]).exits(2);
    assert_eq!(workspace.rejects("out").len(), 4);
}

#[test]
fn an_input_with_mostly_rejects_is_reported_with_the_reason() {
    let workspace = Workspace::new();
    let row = r#"{"id":"1","anonymous_id":"a","event":"signed_up","event_text":"Signed Up","received_at":"x"}"#;
    workspace.write("tracks.json", format!("{}{row}\n{row}\n7\n", track("m1")));
    let told = "3 of 4 records are refused, 3 as not_segment, as in tracks.json:2: looks like a warehouse export of tracks: ";
    workspace.run(["tracks.json", "-o", "out"]).exits(0).says(told);
    let warnings = workspace.report("out")["warnings"].clone();
    assert!(warnings[0].as_str().unwrap().starts_with(told), "{warnings}");
    workspace.write("few.json", format!("{}{row}\n", track("m1")));
    workspace.run(["few.json", "-o", "few"]).exits(0);
    assert_eq!(workspace.report("few")["warnings"], json!([]));
}

#[test]
fn delete_calls_are_named_and_their_users_have_no_leads() {
    let identify = |user: Value, email: &str| json!({"type": "identify", "messageId": format!("i-{email}"), "userId": user, "traits": {"email": email}});
    let delete =
        |id: &str, user: &Value| json!({"type": "delete", "messageId": id, "userId": user});
    let events = [
        // Whether the events of a user come before or after does not matter.
        delete("d1", &json!("u1")),
        identify(json!("u1"), "ana@acme.example"),
        identify(json!(7), "ben@acme.example"),
        identify(json!("u3"), "eva@acme.example"),
        delete("d2", &json!(7)),
        delete("d3", &json!("u1")),
        json!({"batch": [delete("d4", &json!("nobody"))]}),
    ];
    let workspace = Workspace::new();
    workspace.write("in.ndjson", events.map(|event| event.to_string()).join("\n"));
    workspace.run(["in.ndjson", "-o", "out"]).exits(0).says("4 delete calls ask that 3 users");
    assert_ledger_holds(&workspace, "out");
    let rejects = workspace.rejects("out");
    assert_eq!(rejects.len(), 4);
    for reject in &rejects {
        assert_eq!(reject["reason"], "unknown_type");
        assert!(
            reject["detail"].as_str().unwrap().contains("a `delete` call is no event"),
            "{reject}"
        );
    }
    let emails: Vec<String> =
        workspace.rows("out/leads.csv").into_iter().map(|row| row["email"].clone()).collect();
    assert_eq!(emails, ["eva@acme.example"]);
    let deleted = json!({"calls": 4, "users": 3, "events": 2, "signals": 0, "leads": 2});
    assert_eq!(workspace.report("out")["deleted"], deleted);
}
