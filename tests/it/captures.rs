//! Captured webhook deliveries: the files of every tool give what the plain events give, bad ones
//! are reported with reason and position, and no secret is ever shown.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Finished, Workspace, assert_ledger_holds, testdata, track};
use backtrail::event::Event;
use backtrail::parse::auth::Auth;
use backtrail::parse::reject::{Reject, Surplus};
use backtrail::parse::shape::Shape;
use backtrail::parse::{Arrival, Detection, MessageIds, Options, Parser, Sink};
use backtrail::source::Block;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha1::Sha1;

/// The secrets of the fixtures.
const API_SECRET: &str = "capture-secret";
const API_KEY: &str = "capture-key";
const SIGNING_SECRET: &str = "capture-signing-secret";

/// Each fixture, its shape, and the number of its captures without events.
const FIXTURES: [(&str, &str, u64); 9] = [
    ("api-gateway-v1.ndjson", "api_gateway", 0),
    ("cloudevents.ndjson", "cloudevents", 0),
    ("generic.ndjson", "capture", 0),
    ("hookdeck.json", "hookdeck", 0),
    ("lambda-v2.ndjson", "api_gateway", 0),
    ("ngrok.json", "ngrok", 0),
    ("pipedream.json", "pipedream", 0),
    ("proxy.har", "har", 0),
    ("webhook-site.json", "webhook_site", 0),
];

/// Runs over a fixture; returns the signals and the leads as written.
fn outputs(workspace: &Workspace, name: &str, more: &[&str]) -> [Vec<u8>; 2] {
    let input = testdata("captures").join(name);
    let mut command = workspace.command([input.as_os_str()]);
    command.args(["-q", "-o", "out", "--overwrite"]).args(more);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    assert_ledger_holds(workspace, "out");
    [workspace.read("out/signals.csv"), workspace.read("out/leads.csv")]
}

#[test]
fn all_tools_give_the_signals_and_leads_that_the_plain_events_give() {
    let mut names: Vec<_> = fs::read_dir(testdata("captures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names.retain(|name| name != "events.ndjson");
    assert_eq!(names, FIXTURES.map(|(name, ..)| name));

    let workspace = Workspace::new();
    let plain = outputs(&workspace, "events.ndjson", &[]);
    assert_eq!(workspace.rows("out/signals.csv").len(), 4);
    assert_eq!(workspace.rows("out/leads.csv")[0]["email"], "rosalind@peaks.example");
    for (name, shape, rejects) in FIXTURES {
        assert_eq!(outputs(&workspace, name, &[]), plain, "{name}");
        let report = workspace.report("out");
        assert_eq!(report["events"]["total"], 5, "{name}");
        assert_eq!(report["rejects"]["total"], rejects, "{name}");
        assert_eq!(report["records_by_shape"][shape], 5 + rejects, "{name}");
    }
}

#[test]
fn the_captures_of_every_tool_show_the_right_secret_key_and_signature() {
    let workspace = Workspace::new();
    workspace.write("key", format!("{API_KEY}\n"));
    let flags =
        ["--api-secret", API_SECRET, "--api-key", "@key", "--signing-secret", SIGNING_SECRET];
    let plain = outputs(&workspace, "events.ndjson", &flags);
    for (name, ..) in FIXTURES {
        if name == "cloudevents.ndjson" {
            // These have no headers and no path.
            let input = testdata("captures").join(name);
            let arguments = [input.to_str().unwrap(), "-o", "none", "--api-secret", API_SECRET];
            workspace.run(arguments).exits(2).says("4 unauthorized");
            continue;
        }
        assert_eq!(outputs(&workspace, name, &flags), plain, "{name}");
        for wrong in [["--api-secret", "x"], ["--api-key", "x"], ["--signing-secret", "x"]] {
            let flags = [&wrong[..], &["--allow-empty"]].concat();
            outputs(&workspace, name, &flags);
            let report = workspace.report("out");
            assert_eq!(report["events"]["total"], 0, "{name} {wrong:?}");
            let reason =
                if wrong[0] == "--signing-secret" { "bad_signature" } else { "unauthorized" };
            let refused = report["rejects"]["by_reason"][reason].as_u64().unwrap();
            assert!(refused >= 4, "{name} {wrong:?}: {report:#}");
        }
    }
}

#[test]
fn shapes_of_records_are_reported() {
    let workspace = Workspace::new();
    let lines = [
        track("m1"),
        format!("[{},{}]\n", track("m2").trim(), track("m3").trim()),
        capture(&track("m4"), &[]).to_string() + "\n",
        "7\n".into(),
    ];
    workspace.write("events.ndjson", lines.concat());
    workspace
        .run(["events.ndjson", "-o", "out"])
        .exits(0)
        .says("\ncame as     batch 2, capture 1, event 1, unknown 1\n");
    let shapes = workspace.report("out")["records_by_shape"].clone();
    let shapes: BTreeMap<String, u64> = serde_json::from_value(shapes).unwrap();
    assert_eq!(shapes.len(), Shape::ALL.len());
    assert_eq!(shapes.values().sum::<u64>(), 5);
    workspace.write("plain.ndjson", track("m1"));
    let finished = workspace.run(["plain.ndjson", "-o", "plain"]).exits(0);
    assert!(!finished.stderr.contains("came as"), "{finished}");
}

/// Returns a capture whose body is the text `body`.
fn capture(body: &str, headers: &[(&str, &str)]) -> Value {
    let headers: BTreeMap<_, _> = headers.iter().copied().collect();
    json!({ "headers": headers, "body": body, "receivedAt": "2025-05-01T00:00:02Z" })
}

/// The hex HMAC-SHA1 of `text`.
fn sign(secret: &str, text: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap().chain_update(text);
    mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Runs over `lines`; returns the message ids of events, and the line, reason and detail of
/// rejects.
fn refused(lines: &[String], flags: &[&str]) -> (Vec<String>, Vec<(u64, String, String)>) {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", lines.join("\n"));
    let arguments = [&["in.ndjson", "-o", "out", "-q", "--allow-empty"][..], flags].concat();
    workspace.run(arguments).exits(0);
    assert_ledger_holds(&workspace, "out");
    let rows = workspace.rows("out/signals.csv");
    let ids = rows.iter().map(|row| row["message_id"].clone()).collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rejects = workspace.rejects("out");
    let rejects = rejects.iter().map(|reject| {
        (reject["line"].as_u64().unwrap(), text(&reject["reason"]), text(&reject["detail"]))
    });
    (ids, rejects.collect())
}

#[test]
fn bodies_that_are_not_json_are_reported_with_the_reason() {
    let message = |text: &str| json!({ "start": "", "request": { "raw": STANDARD.encode(text) } });
    let head = "POST / HTTP/1.1\r\nContent-Length: 99\r\n";
    let cases: Vec<(Value, &str)> = vec![
        (capture("upstream timed out", &[]), "one JSON value"),
        (capture("{\"type\":", &[]), "one JSON value"),
        (capture("a=1&b=2", &[]), "found a form"),
        (capture("\u{1f}\u{fffd}\u{8}", &[]), "decompress"),
        (capture(" ", &[]), "expected a body, found none"),
        (json!({ "body": "*e30=", "isBase64Encoded": true }), "base64"),
        (json!({ "body": "\u{0}\u{fffd}PNG" }), "one JSON value"),
        (json!({ "body": STANDARD.encode(b"\xff\xfe{}"), "base64": true }), "one JSON value"),
        (json!({ "body": STANDARD.encode(b"\x1f\x8b\x08\0"), "base64": true }), "gzip"),
        (json!({ "body": 7 }), "an object, a list or a text"),
        (capture("null", &[]), "an object, a list or a text"),
        (json!({ "version": "2.0", "requestContext": {} }), "at `body`, found none"),
        (json!({ "start": "", "request": { "raw": "%" } }), "base64"),
        (message("GET /"), "blank line"),
        (message(&format!("{head}\r\n{{\"type\"")), "cut short"),
        (message("GET / HTTP/1.1\r\n\r\n"), "expected a body, found none"),
        (json!({ "specversion": "1.0", "source": "s" }), "data_base64"),
        (capture(&format!("{}1{}", "[".repeat(200), "]".repeat(200)), &[]), "128 levels"),
    ];
    let lines: Vec<String> = cases.iter().map(|(line, _)| line.to_string()).collect();
    let (ids, rejects) = refused(&lines, &[]);
    assert_eq!((ids.len(), rejects.len()), (0, cases.len()));
    for (number, ((line, detail), reject)) in (1..).zip(cases.iter().zip(&rejects)) {
        assert_eq!((reject.0, reject.1.as_str()), (number, "bad_capture_body"), "{line}");
        assert!(reject.2.contains(detail), "{line}\n{}", reject.2);
    }
}

#[test]
fn a_capture_in_a_capture_ten_levels_deep_is_too_deep_and_one_of_six_is_not() {
    let nested = |depth: usize| {
        (0..depth).fold(track("deep").trim().to_owned(), |body, _| {
            json!({ "body": STANDARD.encode(body), "base64": true }).to_string()
        })
    };
    let (ids, rejects) = refused(&[nested(10), nested(6)], &[]);
    assert_eq!(ids, ["deep"]);
    assert_eq!((rejects[0].0, rejects[0].1.as_str()), (1, "bad_capture_body"));
    assert!(rejects[0].2.contains("nested deeper than 8"), "{}", rejects[0].2);
}

#[test]
fn rejects_of_a_list_of_captures_name_the_capture_and_its_position() {
    let entry = |post: Value| json!({ "startedDateTime": "2025-05-01T00:00:02Z", "request": { "postData": post } });
    let har = json!({ "log": { "entries": [
        entry(Value::Null),
        entry(json!({ "text": track("m1") })),
        entry(json!({ "text": "\u{0}\u{1}\\GIF", "mimeType": "image/gif" })),
        entry(json!({ "text": "R0lGODlh", "encoding": "base64" })),
        entry(json!({ "params": [] })),
        7,
    ] } });
    for text in [serde_json::to_string_pretty(&har).unwrap(), har.to_string()] {
        let workspace = Workspace::new();
        workspace.write("browser.har", &text);
        workspace.run(["browser.har", "-o", "out"]).exits(0);
        assert_ledger_holds(&workspace, "out");
        assert_eq!(workspace.rows("out/signals.csv").len(), 1);
        assert_eq!(workspace.report("out")["records_by_shape"]["har"], 6);
        let rejects = workspace.rejects("out");
        assert_eq!(rejects.len(), 5);
        for (index, reject) in [0, 2, 3, 4, 5].into_iter().zip(&rejects) {
            let detail = reject["detail"].as_str().unwrap();
            assert!(detail.starts_with(&format!("log.entries[{index}]: ")), "{detail}");
            let record: Value = serde_json::from_str(reject["record"].as_str().unwrap()).unwrap();
            assert_eq!(record, har["log"]["entries"][index]);
            let offset = usize::try_from(reject["offset"].as_u64().unwrap()).unwrap();
            assert!(text[offset..].starts_with(reject["record"].as_str().unwrap()));
            let line = text[..offset].matches('\n').count() as u64 + 1;
            assert_eq!(reject["line"], line);
            let reason = if index == 5 { "not_segment" } else { "bad_capture_body" };
            assert_eq!(reject["reason"], reason);
        }
    }
    let empty = |list: Value| refused(&[list.to_string()], &[]).1[0].clone();
    for list in [json!({ "requests": [] }), json!({ "data": [], "total": 0, "per_page": 50 })] {
        let (line, reason, detail) = empty(list);
        assert_eq!((line, reason.as_str()), (1, "not_segment"));
        assert!(detail.contains("empty list"), "{detail}");
    }
}

#[test]
fn a_har_of_many_entries_in_one_line_is_walked_to_its_end() {
    let entries: Vec<Value> = (0..20_000)
        .map(|n| {
            let post =
                if n % 2 == 0 { json!({ "text": track(&format!("m{n}")) }) } else { Value::Null };
            json!({ "startedDateTime": "2025-05-01T00:00:02Z", "request": { "postData": post } })
        })
        .collect();
    let workspace = Workspace::new();
    workspace.write("browser.har", json!({ "log": { "entries": entries } }).to_string());
    workspace.run(["browser.har", "-o", "out"]).exits(0);
    assert_ledger_holds(&workspace, "out");
    let report = workspace.report("out");
    assert_eq!(
        (&report["events"]["total"], &report["rejects"]["total"]),
        (&json!(10_000), &json!(10_000))
    );
    let rejects = workspace.read("out/rejects.ndjson");
    assert!(rejects.len() < 10_000 * 400, "{} bytes of rejects", rejects.len());
}

#[test]
fn a_secret_that_is_missing_or_wrong_is_unauthorized() {
    let right = ("X-Api-Secret", "hunter2");
    let lines = [
        capture(&track("m1"), &[right]),
        capture(&track("m2"), &[("x-api-secret", "hunter2")]),
        capture(&track("m3"), &[]),
        capture(&track("m4"), &[("X-Api-Secret", "hunter22")]),
        capture(&track("m5"), &[("X-Api-Secret", "")]),
        json!({ "headers": [["X-API-SECRET", "hunter2"]], "payload": [{ "body": track("m6") }] }),
        json!({ "specversion": "1.0", "data": track("m7") }),
    ];
    let mut lines = lines.map(|line| line.to_string()).to_vec();
    lines.push(track("plain").trim().to_owned());
    let (ids, rejects) = refused(&lines, &["--api-secret", "hunter2"]);
    assert_eq!(ids, ["m1", "m2", "m6", "plain"], "what is in a capture that showed it needs none");
    let places: Vec<_> = rejects.iter().map(|(line, reason, _)| (*line, reason.as_str())).collect();
    assert_eq!(places, [3, 4, 5, 7].map(|line| (line, "unauthorized")));
    assert!(rejects[0].2.contains("found none") && rejects[1].2.contains("is not the secret"));
}

#[test]
fn a_key_that_is_missing_or_wrong_is_unauthorized() {
    let to = |member: &str, path: &str| json!({ member: path, "body": track(path) }).to_string();
    let lines = [
        to("path", "/webhook/k-1"),
        to("url", "https://in.example/webhook/segment/k-1?a=/webhook/k-2"),
        to("rawPath", "/bulk/k-1"),
        json!({ "request": { "uri": "/webhook/k-1/batch" }, "body": track("m4") }).to_string(),
        to("path", "/webhook/k-2"),
        to("url", "https://in.example/?a=/webhook/k-1"),
        json!({ "body": track("m7") }).to_string(),
    ];
    let (ids, rejects) = refused(&lines, &["--api-key", "k-1"]);
    assert_eq!(ids.len(), 4);
    let places: Vec<_> = rejects.iter().map(|(line, reason, _)| (*line, reason.as_str())).collect();
    assert_eq!(places, [5, 6, 7].map(|line| (line, "unauthorized")));
}

#[test]
fn a_signature_of_other_bytes_is_invalid() {
    let body = track("m1").trim().to_owned();
    let signed = |text: &str, body: &str| {
        capture(body, &[("x-signature", &sign("hunter2", text))]).to_string()
    };
    let (first, second) = (track("m2").trim().to_owned(), track("m3").trim().to_owned());
    let batch = format!("[{first},{second}]");
    let parsed = |signature: &str| {
        let value: Value = serde_json::from_str(&track("m4")).unwrap();
        json!({ "headers": { "X-Signature": signature }, "body": value }).to_string()
    };
    let lines = [
        signed(&body, &body),
        signed(&batch, &batch),
        signed(&first, &batch),
        signed(&second, &batch),
        signed(&body.replace("m1", "m0"), &body),
        signed(&body.replace(':', ": "), &body),
        capture(&body, &[]).to_string(),
        capture(&body, &[("X-Signature", "none")]).to_string(),
        parsed(&sign("hunter2", track("m4").trim())),
        parsed(&sign("hunter2", &track("m4"))),
    ];
    let (ids, rejects) = refused(&lines, &["--signing-secret", "hunter2"]);
    assert_eq!(ids, ["m1", "m2", "m3", "m4"]);
    let places: Vec<_> = rejects.iter().map(|(line, reason, _)| (*line, reason.as_str())).collect();
    assert_eq!(places, [4, 5, 6, 7, 8, 10].map(|line| (line, "bad_signature")));
    assert!(rejects[5].2.contains("JSON.stringify"), "{}", rejects[5].2);
}

/// Texts that must not appear anywhere.
const SECRETS: [&str; 4] = ["hunter2-secret", "hunter2-key", "hunter2-signing", "hunter2-other"];

#[track_caller]
fn assert_untold(text: &[u8], place: &str) {
    let text = String::from_utf8_lossy(text);
    for secret in SECRETS.iter().chain(&["hunter2"]) {
        assert!(!text.contains(secret), "{place} tells {secret}:\n{text}");
        let base64 = STANDARD.encode(secret);
        assert!(!text.contains(base64.trim_end_matches('=')), "{place} tells {secret} in base64");
    }
}

/// Captures that are all rejected, with secrets in every place that can have one.
fn telling_captures() -> String {
    let headers = json!({
        "X-Api-Secret": SECRETS[0], "Authorization": SECRETS[3], "cookie": [SECRETS[3]],
    });
    let pairs: Vec<Value> =
        headers.as_object().unwrap().iter().map(|(name, value)| json!([name, value])).collect();
    let named: Vec<Value> = headers
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| json!({ "value": value, "name": name }))
        .collect();
    let url = format!("https://in.example/webhook/{}", SECRETS[1]);
    let raw =
        format!("POST /webhook/{} HTTP/1.1\r\nX-Api-Secret: {}\r\n\r\n{{", SECRETS[1], SECRETS[0]);
    let inner = json!({ "headers": headers, "body": "{" });
    let lines = [
        json!({ "headers": headers, "url": url, "body": "{" }),
        json!({ "headers": pairs, "path": url, "body": "{" }),
        json!({ "request": { "headers": named, "url": url, "postData": { "text": "{" },
            "cookies": [{ "name": "session", "value": SECRETS[3] }] }, "startedDateTime": "?" }),
        json!({ "request": { "raw": STANDARD.encode(&raw), "uri": url } }),
        json!({ "body": inner.to_string() }),
        json!({ "body": STANDARD.encode(inner.to_string()), "base64": true }),
        json!({ "headers": headers, "signed_with": SECRETS[2], "body": "x".repeat(5000) }),
        json!({ "padding": "x".repeat(3990), "body": "{",
            "headers": [{ "value": SECRETS[0], "name": "X-Api-Secret" }] }),
    ];
    let lines = lines.map(|line| line.to_string() + "\n").concat();
    let secret = SECRETS[0];
    format!("{lines}{{\"X-Api-Secret\": \"{secret}\", broken\nPOST / X-Api-Secret: {secret}\n")
}

#[test]
fn no_secret_is_in_rejects_reports_or_errors() {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", telling_captures());
    workspace.write("secret", format!("{}\n", SECRETS[0]));
    let secrets: [(&str, &str); 3] = [
        ("BACKTRAIL_API_SECRET", SECRETS[0]),
        ("BACKTRAIL_API_KEY", SECRETS[1]),
        ("BACKTRAIL_SIGNING_SECRET", SECRETS[2]),
    ];
    let literal =
        ["--api-secret", SECRETS[0], "--api-key", SECRETS[1], "--signing-secret", SECRETS[2]];
    for (flags, variables) in [
        (&[][..], &secrets[..]),
        (&literal, &[]),
        (&["--api-secret", "@secret"], &secrets[1..]),
        (&["--api-key", SECRETS[1]], &[secrets[0], secrets[2]]),
    ] {
        let mut command =
            workspace.command(["in.ndjson", "-o", "out", "--overwrite", "--allow-empty"]);
        let output = command.args(flags).envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_untold(&output.stdout, "standard output");
        assert_untold(&output.stderr, "standard error");
        for name in workspace.list("out") {
            assert_untold(&workspace.read(&format!("out/{name}")), &name);
        }
        assert_eq!(workspace.rejects("out").len(), 10);
    }
    // Without --api-key, parts of paths are not known to be keys.
    let mut headers_only =
        workspace.command(["in.ndjson", "-o", "none", "--overwrite", "--allow-empty"]);
    assert!(headers_only.output().unwrap().status.success());
    let rejects = String::from_utf8(workspace.read("none/rejects.ndjson")).unwrap();
    assert!(
        rejects.contains("***") && !rejects.contains(SECRETS[0]) && !rejects.contains(SECRETS[3])
    );
}

#[test]
fn no_secret_is_in_help_usage_or_the_process_list() {
    let workspace = Workspace::new();
    let secrets = [
        ("BACKTRAIL_API_SECRET", SECRETS[0]),
        ("BACKTRAIL_API_KEY", SECRETS[1]),
        ("BACKTRAIL_SIGNING_SECRET", SECRETS[2]),
    ];
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["in.ndjson"],
        &["in.ndjson", "-o", "out", "--api-secert=hunter2"],
        &["in.ndjson", "-o", "out", "--api-secret=hunter2", "--api-secret=hunter2"],
        &["in.ndjson", "-o", "out", "--api-secret=hunter2", "--threads", "many"],
        &["none.ndjson", "-o", "out", "--signing-secret=hunter2"],
        &["none.ndjson", "-o", "out", "--signing-secret", "@hunter2"],
        &["none.ndjson", "-o", "out", "--api-key="],
    ] {
        let output = workspace.command(arguments).envs(secrets).output().unwrap();
        assert_untold(&output.stdout, "standard output");
        assert_untold(&output.stderr, "standard error");
    }
    workspace.write("secret", SECRETS[0]);
    let mut command = workspace.command(["-", "-o", "out", "--api-secret", "@secret"]);
    command.envs(secrets[1..].iter().copied()).stdin(Stdio::piped());
    let mut running = Workspace::start(command);
    let listed = std::process::Command::new("ps")
        .args(["-o", "args=", "-p", &running.child.id().to_string()])
        .output();
    if let Ok(listed) = listed {
        assert_untold(&listed.stdout, "ps");
        assert!(String::from_utf8_lossy(&listed.stdout).contains("@secret"));
    }
    running.child.stdin.as_mut().unwrap().write_all(track("m1").as_bytes()).unwrap();
    let finished: Finished = running.finish().exits(0);
    assert_untold(finished.stderr.as_bytes(), "standard error");
}

/// The calls of a parser.
#[derive(Default)]
struct Heard {
    events: Vec<Shape>,
    refused: Vec<Shape>,
}

impl Sink for Heard {
    fn event(&mut self, _: &Event<'_>, arrival: Arrival) {
        self.events.push(arrival.shape);
    }

    fn reject(&mut self, reject: Reject<'_>) {
        assert!(std::str::from_utf8(reject.record).is_ok());
        self.refused.push(reject.refusal.shape);
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        for &(shape, _, count) in surplus.counts {
            self.refused.extend((0..count).map(|_| shape));
        }
    }
}

fn heard(lines: &str, auth: Auth) -> Heard {
    let mut bytes = lines.as_bytes().to_vec();
    let len = bytes.len();
    bytes.resize(len + 64, b' ');
    let mut heard = Heard::default();
    let (detection, message_ids) = (Detection::EitherId, MessageIds::Required);
    let max_record_bytes = 8 << 20;
    let mut parser = Parser::new(Options {
        detection,
        message_ids,
        max_record_bytes,
        ignored: Vec::new(),
        auth,
    });
    parser.read_block(&Block { bytes, len, ..Block::default() }, &mut heard);
    heard
}

/// JSON values with the members of captures anywhere, and any values in them.
fn capture_like() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        Just(track("m1")),
        Just(STANDARD.encode(track("m1"))),
        Just(STANDARD.encode(format!("POST / HTTP/1.1\r\n\r\n{}", track("m1")))),
        Just("{\"body\":\"{}\"}".to_owned()),
        Just("base64".to_owned()),
        Just("2023-03-07 13:52:43".to_owned()),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        texts.prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let names = prop::sample::select(vec![
        "base64",
        "batch",
        "body",
        "bodyRaw",
        "content",
        "context",
        "created_at",
        "data",
        "data_base64",
        "encoding",
        "entries",
        "event",
        "headers",
        "ingested_at",
        "isBase64Encoded",
        "json",
        "log",
        "messageId",
        "models",
        "multiValueHeaders",
        "name",
        "pagination",
        "path",
        "payload",
        "per_page",
        "postData",
        "raw",
        "rawBody",
        "request",
        "requestContext",
        "requests",
        "specversion",
        "start",
        "startedDateTime",
        "text",
        "timeEpoch",
        "token_id",
        "total",
        "ts",
        "type",
        "uri",
        "url",
        "userId",
        "value",
        "X-Api-Secret",
        "X-Signature",
    ]);
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec((names.clone(), inner.clone()), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_capture_holds_it_ends_in_events_or_refusals(values in prop::collection::vec(capture_like(), 1..4)) {
        let secret = |text: &str| backtrail::parse::auth::Secret::new(text);
        let auth = Auth { api_secret: secret("s"), api_key: secret("k"), signing_secret: secret("g") };
        let lines: String = values.iter().map(|value| value.to_string() + "\n").collect();
        for auth in [Auth::default(), auth] {
            let heard = heard(&lines, auth);
            prop_assert!(heard.events.len() + heard.refused.len() >= values.len());
            prop_assert!(!heard.events.contains(&Shape::Unknown));
        }
    }
}

#[test]
fn the_outermost_capture_names_what_is_in_it() {
    let event = track("m1");
    let event: Value = serde_json::from_str(&event).unwrap();
    let cloud =
        json!({ "specversion": "1.0", "data": [event.clone(), { "type": "x", "userId": 1 }] });
    let gateway = json!({ "requestContext": {}, "body": cloud.to_string() });
    let heard = heard(
        &format!(
            "{event}\n[{event},{{}}]\n{{\"batch\":[{{\"body\":{event}}}]}}\n{cloud}\n{gateway}\n[{gateway}]\n{{}}\n"
        ),
        Auth::default(),
    );
    assert_eq!(
        heard.events,
        [
            Shape::Event,
            Shape::Batch,
            Shape::Batch,
            Shape::CloudEvents,
            Shape::ApiGateway,
            Shape::ApiGateway
        ]
    );
    assert_eq!(
        heard.refused,
        [Shape::Batch, Shape::CloudEvents, Shape::ApiGateway, Shape::ApiGateway, Shape::Unknown]
    );
}
