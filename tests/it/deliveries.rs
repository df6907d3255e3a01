//! Deliveries by cloud services and log agents, and events in unknown envelopes: all forms give
//! what the plain events give.

use std::fs;

use crate::support::{Workspace, assert_ledger_holds, testdata, track};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The five events that every capture of `testdata/captures` holds.
fn events() -> Vec<Value> {
    let text = fs::read_to_string(testdata("captures/events.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outputs(workspace: &Workspace, text: &str) -> [Vec<u8>; 2] {
    workspace.write("input.ndjson", text);
    workspace.run(["input.ndjson", "-o", "out", "-q", "--overwrite"]).exits(0);
    assert_ledger_holds(workspace, "out");
    [workspace.read("out/signals.csv"), workspace.read("out/leads.csv")]
}

fn lines(values: impl IntoIterator<Item = Value>) -> String {
    values.into_iter().map(|value| format!("{value}\n")).collect()
}

/// Asserts that each of `forms` gives what the plain events give, and five records of its shape.
#[track_caller]
fn assert_forms(forms: &[(&str, String)]) {
    let workspace = Workspace::new();
    let plain = outputs(&workspace, &lines(events()));
    for (shape, text) in forms {
        assert_eq!(outputs(&workspace, text), plain, "{shape}: {text}");
        let report = workspace.report("out");
        assert_eq!(report["records_by_shape"][shape], 5, "{shape}: {text}");
        assert_eq!(report["records"], 5, "{shape}: {text}");
    }
}

fn base64(event: &Value) -> String {
    STANDARD.encode(event.to_string())
}

/// Returns one line per event.
fn each(form: impl Fn(&Value) -> Value) -> String {
    lines(events().iter().map(form))
}

/// Returns all events in one list.
fn all(form: impl Fn(&Value) -> Value) -> Value {
    events().iter().map(form).collect::<Vec<_>>().into()
}

#[test]
fn deliveries_of_amazon_give_what_the_plain_events_give() {
    let sqs = |event: &Value| {
        json!({ "messageId": "q", "receiptHandle": "r",
        "body": event.to_string(), "attributes": { "SentTimestamp": "1746435601000" },
        "messageAttributes": {}, "eventSource": "aws:sqs" })
    };
    let sns = |event: &Value| {
        json!({ "EventSource": "aws:sns", "EventVersion": "1.0",
        "Sns": { "Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:x:1:t",
            "Message": event.to_string(), "Timestamp": "2025-05-05T09:00:01.000Z" } })
    };
    let notification = |event: &Value| {
        json!({ "Type": "Notification", "MessageId": "n",
        "TopicArn": "arn:aws:sns:x:1:t", "Message": event.to_string(),
        "Timestamp": "2025-05-05T09:00:01.000Z" })
    };
    let kinesis = |event: &Value| {
        json!({ "kinesis": { "kinesisSchemaVersion": "1.0",
        "partitionKey": "p", "sequenceNumber": "1", "data": base64(event),
        "approximateArrivalTimestamp": 1_746_435_601.5 }, "eventSource": "aws:kinesis" })
    };
    let stream = |event: &Value| {
        json!({ "SequenceNumber": "1", "Data": base64(event),
        "ApproximateArrivalTimestamp": "2025-05-05T09:00:01+00:00", "PartitionKey": "p" })
    };
    let firehose = |event: &Value| {
        json!({ "recordId": "1", "data": base64(event),
        "approximateArrivalTimestamp": 1_746_435_601_000_u64 })
    };
    let received = |event: &Value| {
        json!({ "MessageId": "q", "ReceiptHandle": "r",
        "Body": event.to_string(), "Attributes": { "SentTimestamp": "1746435601000" } })
    };
    assert_forms(&[
        (
            "eventbridge",
            each(|event| {
                json!({ "version": "0", "id": "e", "detail-type": event["type"],
            "source": "aws.partner/segment.com/x", "account": "1", "time": "2025-05-05T09:00:01Z",
            "region": "us-west-2", "resources": [], "detail": event })
            }),
        ),
        ("sqs", json!({ "Records": all(sqs) }).to_string()),
        ("sqs", each(sqs)),
        ("sqs", json!({ "Messages": all(received) }).to_string()),
        ("sqs", each(|event| sqs(&notification(event)))),
        ("sns", json!({ "Records": all(sns) }).to_string()),
        ("sns", each(notification)),
        ("kinesis", json!({ "Records": all(kinesis) }).to_string()),
        ("kinesis", json!({ "Records": all(stream), "MillisBehindLatest": 0 }).to_string()),
        (
            "firehose",
            json!({ "invocationId": "i", "deliveryStreamArn": "a", "region": "r",
            "records": all(firehose) })
            .to_string(),
        ),
        (
            "firehose",
            json!({ "requestId": "i", "timestamp": 1_746_435_601_000_u64,
            "records": all(|event| json!({ "data": base64(event) })) })
            .to_string(),
        ),
    ]);
}

#[test]
fn messages_of_pub_sub_and_kafka_give_what_the_plain_events_give() {
    let message = |event: &Value| {
        json!({ "data": base64(event), "messageId": "1",
        "publishTime": "2025-05-05T09:00:01.123456789Z", "attributes": {} })
    };
    let pulled = |event: &Value| json!({ "ackId": "a", "message": message(event) });
    assert_forms(&[
        (
            "pubsub",
            each(|event| json!({ "message": message(event), "subscription": "projects/p/s" })),
        ),
        ("pubsub", json!({ "receivedMessages": all(pulled) }).to_string()),
        ("pubsub", all(pulled).to_string()),
        ("pubsub", each(message)),
        (
            "kafka",
            each(|event| {
                json!({ "topic": "t", "partition": 0, "offset": 1,
            "tstype": "create", "ts": 1_746_435_601_000_u64, "broker": 1, "headers": ["a", "b"],
            "key": "k", "payload": event.to_string() })
            }),
        ),
        (
            "kafka",
            each(|event| {
                json!({ "topic": "t", "partition": 0, "offset": 1,
            "timestamp": 1_746_435_601_000_u64, "key": "k", "value": event })
            }),
        ),
        ("kafka", each(|event| json!({ "topic": "t", "value": base64(event) }))),
        ("capture", each(|event| json!({ "schema": { "type": "struct" }, "payload": event }))),
    ]);
}

#[test]
fn kafka_events_of_lambda_give_what_the_plain_events_give() {
    let record = |event: &Value| {
        json!({ "topic": "t", "partition": 0, "offset": 1, "timestamp": 1_746_435_601_000_u64,
        "timestampType": "CREATE_TIME", "key": "aw==", "value": base64(event), "headers": [] })
    };
    let records: Vec<Value> = events().iter().map(record).collect();
    let event = |source: &str| {
        json!({ "eventSource": source, "bootstrapServers": "b:9092",
        "records": { "t-0": records[..2], "t-1": [], "u-0": records[2..] } })
    };
    let lambda = event("aws:kafka");
    // An empty list of a partition is a reject.
    let filled = json!({ "eventSource": "SelfManagedKafka",
        "records": { "t-0": records[..2], "u-0": records[2..] } });
    assert_forms(&[("kafka", filled.to_string())]);
    let workspace = Workspace::new();
    let plain = outputs(&workspace, &lines(events()));
    assert_eq!(outputs(&workspace, &lambda.to_string()), plain);
    let broken = json!({ "eventSource": "aws:kafka",
        "records": { "t-0": [{ "topic": "t", "value": "*" }, records[0]] } });
    outputs(&workspace, &broken.to_string());
    let rejects = workspace.rejects("out");
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    assert!(rejects[0]["detail"].as_str().unwrap().starts_with("records.*[0]: "), "{rejects:?}");
    assert_eq!(rejects[0]["record"], r#"{"topic":"t","value":"*"}"#);
}

#[test]
fn several_values_in_one_record_give_what_the_plain_events_give() {
    let texts: Vec<String> = events().iter().map(Value::to_string).collect();
    let sqs =
        |body: String| json!({ "receiptHandle": "r", "body": body, "eventSource": "aws:sqs" });
    let encoded = |text: String| STANDARD.encode(text);
    let pretty: Vec<String> =
        events().iter().map(|event| serde_json::to_string_pretty(event).unwrap()).collect();
    let list = json!(events()[2..]).to_string();
    assert_forms(&[
        ("sqs", json!({ "Records": [sqs(texts.join("\n")) ] }).to_string()),
        (
            "sqs",
            json!({ "Records": [sqs(texts[..2].concat()), sqs(texts[2..].join("\r\n"))] })
                .to_string(),
        ),
        (
            "kinesis",
            json!({ "Records": [{ "kinesis": { "data": encoded(pretty.join("\n")) } }] })
                .to_string(),
        ),
        (
            "firehose",
            json!({ "records": [{ "recordId": "1", "data": encoded(texts.concat()) }] })
                .to_string(),
        ),
        (
            "kafka",
            json!({ "topic": "t", "value": format!("{}\n{}\n{list}", texts[0], texts[1]) })
                .to_string(),
        ),
        (
            "pubsub",
            json!({ "message": { "data": encoded(texts.join("\n")) }, "subscription": "s" })
                .to_string(),
        ),
        ("capture", json!({ "body": texts.join("\n"), "headers": {} }).to_string()),
    ]);
    // A broken record affects only itself.
    let workspace = Workspace::new();
    let body = format!("{}\n{}\n{}", texts[0], &texts[1][..40], texts[2]);
    outputs(&workspace, &sqs(body).to_string());
    assert_eq!(
        (workspace.report("out")["events"]["total"].as_u64(), workspace.rejected("out")),
        (Some(2), 1)
    );
    assert_eq!(workspace.rejects("out")[0]["reason"], "bad_capture_body");
}

#[test]
fn logs_give_what_the_plain_events_give() {
    let prefixed = |prefix: &str| -> String {
        events().iter().map(|event| format!("{prefix}{event}\n")).collect()
    };
    assert_forms(&[
        (
            "log",
            each(|event| {
                json!({ "log": format!("{event}\n"), "stream": "stdout",
            "time": "2025-05-05T09:00:01Z" })
            }),
        ),
        (
            "log",
            each(|event| {
                json!({ "@timestamp": "2025-05-05T09:00:01Z", "@version": "1",
            "message": format!("[info] {{req}} body={event}") })
            }),
        ),
        (
            "log",
            each(|event| {
                json!({ "level": 30, "time": 1_746_435_601_000_u64, "pid": 1,
            "msg": event.to_string() })
            }),
        ),
        (
            "log",
            each(|event| json!({ "_time": "2025-05-05T09:00:01Z", "_raw": event.to_string() })),
        ),
        ("log_line", prefixed("2025-05-05T09:00:01.000Z stdout F ")),
        ("log_line", prefixed("[2025-05-05 09:00:01] INFO webhook: ")),
        ("log_line", prefixed("May  5 09:00:01 host app[12]: ")),
    ]);
}

#[test]
fn events_in_envelopes_of_any_name_give_what_the_plain_events_give() {
    let text = |value: &Value| Value::from(value.to_string());
    assert_forms(&[
        (
            "envelope",
            each(|event| {
                json!({ "type": "track", "messageId": "outer", "ingestedAt": "2025-05-05T09:00:01Z",
            "httpHeaders": {}, "httpPayload": event })
            }),
        ),
        (
            "envelope",
            each(|event| json!({ "insertId": "x", "jsonPayload": event, "severity": "INFO" })),
        ),
        ("envelope", each(|event| json!({ "insertId": "x", "textPayload": text(event) }))),
        (
            "envelope",
            each(|event| json!({ "request": { "method": "POST", "headers": {}, "body": event } })),
        ),
        (
            "envelope",
            each(|event| json!({ "id": 1, "data": event, "created_at": "2025-05-05T09:00:01Z" })),
        ),
        ("envelope", each(|event| json!({ "message": event, "metadata": { "jobId": 1 } }))),
        (
            "envelope",
            each(|event| json!({ "batchedRequest": { "body": { "JSON": event, "XML": {} } } })),
        ),
        ("envelope", each(|event| json!({ "data": text(event) }))),
        ("capture", each(|event| json!({ "body": "", "content_type": "json", "raw": event }))),
        ("envelope", json!({ "rows": { "batch": all(Clone::clone) } }).to_string()),
        ("envelope", each(text)),
        ("envelope", each(|event| text(&text(event)))),
        ("envelope", all(text).to_string()),
        ("capture", each(|event| json!({ "body": { "JSON": event, "FORM": {} }, "type": "REST" }))),
    ]);
}

#[test]
fn the_time_of_a_delivery_stands_in_for_a_missing_received_at() {
    let event = r#"{"type":"track","event":"A","messageId":"m","anonymousId":"a"}"#;
    for value in [
        json!({ "detail-type": "track", "source": "s", "time": "2025-05-05T09:00:01Z",
            "detail": serde_json::from_str::<Value>(event).unwrap() }),
        json!({ "eventSource": "aws:sqs", "body": event, "attributes": { "SentTimestamp": "1746435601000" } }),
        json!({ "Sns": { "Message": event, "Timestamp": "2025-05-05T09:00:01Z" } }),
        json!({ "kinesis": { "data": STANDARD.encode(event), "approximateArrivalTimestamp": 1_746_435_601.0 } }),
        json!({ "recordId": "1", "data": STANDARD.encode(event), "approximateArrivalTimestamp": 1_746_435_601_000_u64 }),
        json!({ "message": { "data": STANDARD.encode(event), "publishTime": "2025-05-05T09:00:01Z" } }),
        json!({ "topic": "t", "ts": 1_746_435_601_000_u64, "payload": event }),
        json!({ "log": event, "time": "2025-05-05T09:00:01Z" }),
        json!({ "anything": event, "ingestedAt": "2025-05-05T09:00:01Z" }),
    ] {
        let workspace = Workspace::new();
        outputs(&workspace, &value.to_string());
        let rows = workspace.rows("out/signals.csv");
        assert_eq!(rows[0]["received_at"], "2025-05-05T09:00:01.000Z", "{value}");
    }
    let workspace = Workspace::new();
    outputs(&workspace, &format!("2025-05-05T11:00:01+02:00 INFO {event}\n"));
    assert_eq!(workspace.rows("out/signals.csv")[0]["received_at"], "2025-05-05T09:00:01.000Z");
}

#[test]
fn an_event_with_members_of_a_delivery_is_itself() {
    let mut event: Value = serde_json::from_str(&track("own")).unwrap();
    let inner = track("inner");
    for (name, value) in [
        ("message", json!(inner)),
        ("value", json!(inner)),
        ("log", json!(inner)),
        ("data", json!(STANDARD.encode(&inner))),
        ("detail", serde_json::from_str(&inner).unwrap()),
        ("topic", json!("t")),
        ("detail-type", json!("x")),
        ("source", json!("s")),
        ("time", json!("2025-05-05T09:00:01Z")),
        ("Records", json!([{ "body": inner }])),
        ("recordId", json!("1")),
        ("kinesis", json!({ "data": "e30=" })),
        ("TopicArn", json!("t")),
    ] {
        event[name] = value;
    }
    let workspace = Workspace::new();
    outputs(&workspace, &event.to_string());
    assert_eq!(workspace.rows("out/signals.csv")[0]["message_id"], "own");
    assert_eq!(workspace.report("out")["records_by_shape"]["event"], 1);
}

#[test]
fn a_record_without_an_event_names_the_member_that_looks_nearest() {
    let workspace = Workspace::new();
    let two: Value = serde_json::from_str(&track("m1")).unwrap();
    let text = track("m0")
        + &lines([
            json!({ "row": { "payload_of": { "type": "track", "event": "A", "properties": {} } } }),
            json!({ "a": two, "b": two }),
            json!({ "log": "started {}", "time": "2025-05-05T09:00:01Z" }),
        ])
        + "INFO nothing here\n";
    outputs(&workspace, &text);
    let rejects = workspace.rejects("out");
    let details: Vec<_> = rejects.iter().map(|reject| reject["detail"].as_str().unwrap()).collect();
    assert!(
        details[0].contains("`row.payload_of` looks nearest: it has no `messageId`"),
        "{details:?}"
    );
    assert!(details[1].contains("`a` and `b` both look like events"), "{details:?}");
    let reasons: Vec<_> = rejects.iter().map(|reject| reject["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["not_segment", "not_segment", "not_segment", "invalid_json"]);
}

#[test]
fn an_envelope_must_show_the_secret_as_any_capture_must() {
    let workspace = Workspace::new();
    let with = |secret: &str| json!({ "request": { "headers": { "x-api-secret": secret }, "body": track("m1") } });
    workspace
        .write("input.ndjson", lines([with("right"), with("wrong"), json!({ "x": track("m2") })]));
    workspace.run(["input.ndjson", "-o", "out", "-q", "--api-secret", "right"]).exits(0);
    let report = workspace.report("out");
    assert_eq!(report["events"]["total"], 1);
    assert_eq!(report["rejects"]["by_reason"]["unauthorized"], 2);
}
