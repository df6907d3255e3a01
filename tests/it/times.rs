//! Times as written by SDKs, warehouses and people.

use crate::support::{Workspace, assert_ledger_holds, unbroken};
use serde_json::{Value, json};

/// Returns a track event with these additional members.
fn track(message_id: &str, members: &Value) -> String {
    let mut event = json!({
        "type": "track", "event": "Ping", "messageId": message_id, "anonymousId": "a1",
    });
    let more = members.as_object().unwrap().clone();
    event.as_object_mut().unwrap().extend(more);
    format!("{event}\n")
}

fn timestamps(workspace: &Workspace) -> Vec<(String, String)> {
    let mut rows = workspace.rows("out/signals.csv");
    let row = |row: &mut crate::support::Row| {
        (row.remove("message_id").unwrap(), row.remove("timestamp").unwrap())
    };
    rows.iter_mut().map(row).collect()
}

#[test]
fn each_form_of_a_time_is_that_time() {
    let workspace = Workspace::new();
    let forms = [
        json!("2025-07-01T00:00:34.985Z"),
        json!("2025-07-01T02:00:34.985+0200"),
        json!("2025-07-01 00:00:34.985123"),
        json!("2025-07-01 00:00:34.985 UTC"),
        json!("2025-07-01T00:00:34,985Z"),
        json!(1_751_328_034_985_i64),
        json!("1751328034.985"),
        json!("1751328034985123"),
        json!({"$date": "2025-07-01T00:00:34.985Z"}),
        json!({"$date": {"$numberLong": "1751328034985"}}),
        json!({"_seconds": 1_751_328_034, "_nanoseconds": 985_000_000}),
        json!("2025-07-01T02:00:34.985 02:00"),
        json!("Tue Jul 01 2025 00:00:34.985 GMT+0000 (Coordinated Universal Time)"),
    ];
    let events = forms.iter().enumerate();
    let events = events.map(|(at, form)| track(&format!("m{at}"), &json!({"timestamp": form})));
    workspace.write("events.ndjson", events.collect::<String>());
    workspace.run(["events.ndjson", "-o", "out"]).exits(0);
    for (message_id, timestamp) in timestamps(&workspace) {
        assert_eq!(timestamp, "2025-07-01T00:00:34.985Z", "{message_id}");
    }
    let events = &workspace.report("out")["events"];
    assert_eq!(
        (&events["unreadable_timestamp"], &events["naive_timestamps"]),
        (&json!(0), &json!(1))
    );
    assert_ledger_holds(&workspace, "out");
}

#[test]
fn a_text_that_is_no_time_is_counted_shown_and_skipped() {
    let workspace = Workspace::new();
    let received = "2025-07-01T00:00:40.000Z";
    let lines = [
        track("m1", &json!({"timestamp": "2025-07-01T00:00:34Z"})),
        track(
            "m2",
            &json!({"timestamp": "3/1/2025", "originalTimestamp": "2025-07-01T00:00:30Z", "receivedAt": received}),
        ),
        track("m3", &json!({"originalTimestamp": "2024-06-ThT03:53:33Z", "receivedAt": received})),
        track("m4", &json!({"timestamp": [2025, 7, 1]})),
        track("m5", &json!({"timestamp": "", "sentAt": null, "receivedAt": received})),
        track("m6", &json!({"timestamp": "by ana@acme.example \u{1b}[31m"})),
    ];
    workspace.write("events.ndjson", lines.concat());
    let summary = workspace.run(["events.ndjson", "-o", "out"]).exits(0).stderr;
    let expected = [
        ("m1", "2025-07-01T00:00:34.000Z"),
        ("m2", "2025-07-01T00:00:30.000Z"),
        ("m3", received),
        ("m4", ""),
        ("m5", received),
        ("m6", ""),
    ];
    assert_eq!(timestamps(&workspace), expected.map(|(id, time)| (id.into(), time.into())));
    let events = &workspace.report("out")["events"];
    assert_eq!(events["unreadable_timestamp"], 4);
    assert_eq!(events["no_timestamp"], 2);
    let example = |line, field, value: &str| json!({"file": "events.ndjson", "line": line, "field": field, "value": value});
    assert_eq!(
        events["timestamp_examples"]["unreadable_timestamp"],
        json!([
            example(2, "timestamp", "3/1/2025"),
            example(3, "originalTimestamp", "2024-06-ThT03:53:33Z"),
            example(4, "timestamp", "[2025,7,1]"),
        ]),
    );
    let said = "times 4 unreadable, ignored, the first at events.ndjson:2: timestamp \"3/1/2025\"";
    assert!(unbroken(&summary).contains(said), "{summary}");
    assert!(
        summary.contains("2 events without a usable time, the first at events.ndjson:4"),
        "{summary}"
    );
    assert!(!summary.contains('\u{1b}') && !summary.contains("ana@"), "{summary}");
}

#[test]
fn implausible_times_cause_a_warning() {
    let workspace = Workspace::new();
    let received = json!("2015-07-03T13:39:50.000Z");
    let lines = [
        track("m1", &json!({"timestamp": "2015-07-03T13:39:40Z", "receivedAt": received})),
        track("m2", &json!({"timestamp": "0027-06-27T08:23:48+0300", "receivedAt": received})),
        track("m3", &json!({"timestamp": "1970-01-01T00:03:12Z", "receivedAt": received})),
        track("m4", &json!({"timestamp": "2558-07-03T20:39:39+0700", "receivedAt": received})),
        track("m5", &json!({"timestamp": "2558-07-03T20:39:39+0700"})),
    ];
    workspace.write("events.ndjson", lines.concat());
    let summary = workspace.run(["events.ndjson", "-o", "out"]).exits(0).stderr;
    let report = workspace.report("out");
    assert_eq!(report["events"]["implausible_timestamps"], 3);
    assert_eq!(report["events"]["clock_skew"], 1);
    let said = "3 events are dated before 2005 or after 2099; the first is at events.ndjson:2: \"0027-06-27T05:23:48.000Z\"";
    assert!(report["warnings"][0].as_str().unwrap().starts_with(said), "{report:#}");
    assert!(unbroken(&summary).contains(said), "{summary}");
}

#[test]
fn examples_of_times_are_the_same_for_any_number_of_threads() {
    let workspace = Workspace::new();
    let line = |at: usize| {
        let time = if at % 50 == 7 { "soon" } else { "2025-07-01T00:00:34Z" };
        track(&format!("m{at}-{}", "x".repeat(600)), &json!({"timestamp": time}))
    };
    workspace.write("a.ndjson", (0..9_000).map(line).collect::<String>());
    workspace.write("b.ndjson", (0..9_000).map(line).collect::<String>());
    let examples = ["1", "4"].map(|threads| {
        workspace.run(["a.ndjson", "b.ndjson", "-o", threads, "--threads", threads]).exits(0);
        workspace.report(threads)["events"]["timestamp_examples"].clone()
    });
    assert_eq!(examples[0], examples[1]);
    let lines = examples[0]["unreadable_timestamp"].as_array().unwrap().iter();
    assert_eq!(
        lines.map(|example| example["line"].as_u64().unwrap()).collect::<Vec<_>>(),
        [8, 58, 108]
    );
}

#[test]
fn clocks_of_clients_are_corrected_on_request() {
    let workspace = Workspace::new();
    let received = "2025-03-01T10:00:10.000Z";
    let lines = [
        // The clock of the client is an hour slow, and the event was sent five seconds later.
        track(
            "m1",
            &json!({"timestamp": "2025-03-01T09:00:00Z", "sentAt": "2025-03-01T09:00:05Z", "receivedAt": received}),
        ),
        track(
            "m2",
            &json!({"originalTimestamp": "2025-03-01T09:00:00Z", "sentAt": "2025-03-01T09:00:05Z", "receivedAt": received}),
        ),
        // Already corrected by Segment.
        track(
            "m3",
            &json!({"originalTimestamp": "2025-03-01T09:00:00Z", "timestamp": "2025-03-01T10:00:04Z", "sentAt": "2025-03-01T09:00:05Z", "receivedAt": received}),
        ),
        track("m4", &json!({"timestamp": "2025-03-01T09:00:00Z", "receivedAt": received})),
        track(
            "m5",
            &json!({"timestamp": "2025-03-01T09:00:00Z", "sentAt": "2025-03-01T09:00:05Z"}),
        ),
        // A year fast: without the correction, `receivedAt` would be used instead.
        track(
            "m6",
            &json!({"timestamp": "2026-03-01T09:00:00Z", "sentAt": "2026-03-01T09:00:05Z", "receivedAt": received}),
        ),
    ];
    let capture = json!({
        "body": {"type": "track", "event": "Ping", "messageId": "m7", "anonymousId": "a1",
            "timestamp": "2025-03-01T09:00:00Z", "sentAt": "2025-03-01T09:00:05Z"},
        "receivedAt": received,
    });
    workspace.write("events.ndjson", format!("{}{capture}\n", lines.concat()));
    workspace.run(["events.ndjson", "--correct-clocks", "-o", "out"]).exits(0);
    let (sent, right) = ("2025-03-01T09:00:00.000Z", "2025-03-01T10:00:05.000Z");
    let given = "2025-03-01T10:00:04.000Z";
    let expected = [
        ("m1", right),
        ("m2", right),
        ("m3", given),
        ("m4", sent),
        ("m5", sent),
        ("m6", right),
        ("m7", right),
    ];
    assert_eq!(timestamps(&workspace), expected.map(|(id, time)| (id.into(), time.into())));
    let events = &workspace.report("out")["events"];
    assert_eq!((&events["corrected_clocks"], &events["clock_skew"]), (&json!(4), &json!(0)));
    workspace.run(["events.ndjson", "-o", "plain"]).exits(0);
    let rows = workspace.rows("plain/signals.csv");
    assert_eq!((&*rows[0]["timestamp"], &*rows[5]["timestamp"]), (sent, received));
    assert_eq!(workspace.report("plain")["events"]["corrected_clocks"], 0);
}
