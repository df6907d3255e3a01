//! Several values in a row, and values that are almost JSON.

use serde_json::{Value, json};

use crate::support::{Workspace, assert_ledger_holds};

/// An event of a visitor, without a line end.
fn event(message_id: &str) -> String {
    json!({
        "type": "track", "event": "Signed Up", "messageId": message_id, "anonymousId": "v1",
        "timestamp": "2025-03-01T10:00:00.000Z", "properties": {"plan": "pro"},
    })
    .to_string()
}

/// Runs over `events.json` with these bytes.
#[track_caller]
fn run_over(bytes: impl AsRef<[u8]>) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("events.json", bytes);
    workspace.run(["events.json", "-o", "out", "--allow-empty"]).exits(0);
    assert_ledger_holds(&workspace, "out");
    workspace
}

/// The message ids of the signals, in order.
#[track_caller]
fn signals(workspace: &Workspace) -> Vec<String> {
    let rows = workspace.rows("out/signals.csv").into_iter();
    rows.map(|mut row| row.remove("message_id").unwrap()).collect()
}

/// Returns the rejects as `[line, offset, reason]`.
fn places(workspace: &Workspace) -> Value {
    let rejects = workspace.rejects("out");
    rejects
        .iter()
        .map(|reject| json!([reject["line"], reject["offset"], reject["reason"]]))
        .collect()
}

#[test]
fn several_values_on_a_line_are_separate_records() {
    let (a, b, c) = (event("a"), event("b"), event("c"));
    for text in [
        format!("{a}{b}{c}"),
        format!("{a} {b}\t{c}\n"),
        format!("{a}{b}\n{c}\n"),
        format!("{a},\n{b},\r\n{c}"),
        format!("{a},{b}, {c},"),
        format!("\u{1e}{a}\n\u{1e}{b}\n\u{1e}{c}\n"),
    ] {
        let workspace = run_over(&text);
        assert_eq!(signals(&workspace), ["a", "b", "c"], "{text}");
        assert_eq!(workspace.report("out")["records"], 3, "{text}");
    }
}

#[test]
fn a_value_among_others_on_a_line_has_its_own_offset() {
    let (a, b) = (event("a"), event("b"));
    let workspace = run_over(format!("{a}\n{a}{{\"x\":1}}{b} [\n"));
    assert_eq!(signals(&workspace), ["a", "b"]);
    let (second, junk) = (2 * a.len() + 1, 2 * a.len() + b.len() + 9);
    assert_eq!(places(&workspace), json!([[2, second, "not_segment"], [2, junk, "invalid_json"]]));
    assert_eq!(workspace.rejects("out")[0]["record"], "{\"x\":1}");
}

#[test]
fn a_truncated_line_affects_only_itself() {
    for cut in [r#"{"type":"track","event":"Sig"#, r#"{"type":"track","properties":{"a":1}"#, "{"] {
        let workspace =
            run_over(format!("{}\n{cut}\n{}\n{}\n", event("a"), event("b"), event("c")));
        assert_eq!(signals(&workspace), ["a", "b", "c"], "{cut}");
        assert_eq!(places(&workspace), json!([[2, event("a").len() + 1, "invalid_json"]]));
    }
}

#[test]
fn a_truncated_value_in_a_line_affects_only_itself() {
    let workspace = run_over(format!("{}{{\"type\":\"tra{}{}", event("a"), event("b"), event("c")));
    assert_eq!(signals(&workspace), ["a", "b", "c"]);
    assert_eq!(places(&workspace), json!([[1, event("a").len(), "invalid_json"]]));
}

#[test]
fn a_broken_line_is_divided_alike_whatever_lines_precede_it() {
    let cut = r#"{"cut":1,"e"#;
    let open = r#"{"cut":1,"e{"type":"tra"#;
    let workspace = run_over(format!("{open}\n{cut}{}\n{open}\n", event("a")));
    assert_eq!(signals(&workspace), ["a"]);
    let second = open.len() + 1;
    let third = second + cut.len() + event("a").len() + 1;
    let at = [(1, 0), (2, second), (3, third)];
    assert_eq!(places(&workspace), json!(at.map(|(line, at)| json!([line, at, "invalid_json"]))));
}

/// Events of a few visitors with some padding; every tenth is an identify call.
fn history(count: usize) -> Vec<Value> {
    let event = |n: usize| {
        let visitor = format!("v{}", n % 97);
        let time = format!("2025-03-{:02}T10:{:02}:{:02}Z", 1 + n % 28, n / 60 % 60, n % 60);
        let mut event = json!({
            "type": "track", "event": "Signed \u{1f600} {Up}", "messageId": format!("m{n}"),
            "anonymousId": visitor, "timestamp": time,
            "properties": {"list": [{"n": n}, [], {}], "text": "\"}{\"".repeat(n % 40 * 10)},
        });
        if n.is_multiple_of(10) {
            event["type"] = json!("identify");
            event["traits"] = json!({"email": format!("{visitor}@acme.example")});
        }
        event
    };
    (0..count).map(event).collect()
}

#[test]
fn any_way_of_writing_the_same_values_gives_the_same_tables() {
    let events = history(2500);
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let pretty: Vec<String> = events.iter().map(|event| format!("{event:#}")).collect();
    let separated: String = pretty.iter().map(|text| format!("\u{1e}{text}\n")).collect();
    let usual = run_over(lines.join("\n"));
    assert!(lines.concat().len() > 1 << 20, "several blocks");
    for (number, (way, text)) in [
        ("one behind another", lines.concat()),
        ("with blanks between", lines.join(" ")),
        ("a few on a line", lines.chunks(7).map(|few| few.concat() + "\n").collect()),
        ("lines that end in commas", lines.join(",\r\n") + ",\r\n"),
        ("RFC 7464", separated),
        ("RFC 7464 on one line each", lines.iter().map(|line| format!("\u{1e}{line}\n")).collect()),
        ("pretty", pretty.join("\n")),
        ("pretty, without line ends between", pretty.concat()),
        ("pretty, commas between", pretty.join(",\n")),
        ("a list, a line for each element", format!("[\n{}\n]\n", lines.join(",\n"))),
        ("a pretty list", format!("{:#}", Value::from(events.clone()))),
    ]
    .into_iter()
    .enumerate()
    {
        let threads = ["1", "3"][number % 2];
        let workspace = Workspace::new();
        workspace.write("events.json", &text);
        workspace.run(["events.json", "-o", "out", "--threads", threads]).exits(0);
        assert_eq!(workspace.rejects("out"), [Value::Null; 0], "{way}");
        for table in ["out/signals.csv", "out/leads.csv"] {
            assert!(workspace.read(table) == usual.read(table), "{way}: {table}");
        }
    }
}

#[test]
fn a_broken_value_over_lines_goes_on_to_the_next_line_that_begins_with_one() {
    let pretty = |id: &str| format!("{:#}\n", serde_json::from_str::<Value>(&event(id)).unwrap());
    let broken = pretty("x").replace("\"Signed Up\"", "\"Signed");
    let workspace = run_over(format!("{}{broken}{}{}", pretty("a"), pretty("b"), event("c")));
    assert_eq!(signals(&workspace), ["a", "b", "c"]);
    let (line, offset) = (pretty("a").lines().count() + 1, pretty("a").len());
    assert_eq!(places(&workspace), json!([[line, offset, "invalid_json"]]));

    // The first value is no exception, nor is text between values.
    let workspace = run_over(format!("{broken}{}text\nand more\n{}", pretty("a"), pretty("b")));
    assert_eq!(signals(&workspace), ["a", "b"]);
    assert_eq!(workspace.report("out")["rejects"]["by_reason"]["invalid_json"], 2);
}

#[test]
fn a_place_far_into_a_file_of_values_over_lines_is_known() {
    let pretty: String = history(2500).iter().map(|event| format!("{event:#}\n")).collect();
    assert!(pretty.len() > 1 << 20, "several blocks");
    let giant = format!("{{\n\"giant\": [\n{}1\n]\n}}\n", "1,\n".repeat(50_000));
    let workspace = Workspace::new();
    workspace.write("events.json", format!("{pretty}{giant}{{\n\"x\": 1\n}}\n"));
    workspace.run(["events.json", "-o", "out", "--max-record-bytes", "100000"]).exits(0);
    assert_ledger_holds(&workspace, "out");
    let (line, offset) = (pretty.lines().count() + 1, pretty.len());
    let (next_line, next) = (line + giant.lines().count(), offset + giant.len());
    assert_eq!(
        places(&workspace),
        json!([[line, offset, "too_large"], [next_line, next, "not_segment"]])
    );
}

#[test]
fn a_truncated_list_gives_its_complete_elements() {
    let (a, b) = (event("a"), event("b"));
    let workspace = run_over(format!("[\n{a},\n{b},\n{{\"type\": \"tr"));
    assert_eq!(signals(&workspace), ["a", "b"]);
    let pretty: Vec<Value> =
        [a, b].iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let pretty = format!("{:#}", json!({"batch": pretty, "sentAt": "2025-03-01T10:00:01Z"}));
    let workspace = run_over(&pretty[..pretty.find("sentAt").unwrap() + 8]);
    assert_eq!(signals(&workspace), ["a", "b"]);
    assert_eq!(workspace.report("out")["rejects"]["total"], 1);
}

#[test]
fn fixtures_of_values_one_behind_another_are_checked_one_by_one() {
    let workspace = Workspace::new();
    let long = "x".repeat(101);
    let pretty = format!("{:#}", serde_json::from_str::<Value>(&event(&long)).unwrap());
    workspace.write("line.json", format!("{}{}{}", event("a"), event(&long), event("b")));
    workspace.write("pretty.json", format!("{pretty}\n{pretty}\n"));
    let arguments = ["--report", "json", "line.json", "pretty.json"];
    let output = workspace.does("check", &arguments).exits(1);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let place = |finding: &Value| json!([finding["file"], finding["line"], finding["violation"]]);
    let places: Vec<_> = findings.iter().map(place).collect();
    let violation = "too-long-message-id";
    assert_eq!(
        places,
        [
            json!(["line.json", 1, violation]),
            json!(["pretty.json", 4, violation]),
            json!(["pretty.json", 14, violation]),
        ]
    );
}

#[test]
fn lone_surrogates_are_read_as_replacement_characters_and_counted() {
    let page = r#"{"type":"page","name":"Launch \ud83d","messageId":"m1","anonymousId":"v\udc00","timestamp":"2025-03-01T10:00:00Z","properties":{"\ude00\ud83d":1,"\ud83d\ude00":2}}"#;
    let identify = r#"{"type":"identify","messageId":"i1","anonymousId":"v\udc00","traits":{"email":"ana@acme.example","name":"Ana \ude00"},"timestamp":"2025-03-01T11:00:00Z"}"#;
    let workspace = run_over(format!("{page}\n{identify}\n"));
    assert_eq!(workspace.report("out")["events"]["lone_surrogates"], 6);
    assert_eq!(workspace.report("out")["rejects"]["total"], 0);
    let signals = workspace.rows("out/signals.csv");
    assert_eq!(signals[0]["page_name"], "Launch \u{fffd}");
    assert_eq!(signals[0]["anonymous_id"], "v\u{fffd}");
    assert_eq!(signals[0]["lead_email"], "ana@acme.example");
    assert_eq!(workspace.rows("out/leads.csv")[0]["name"], "Ana \u{fffd}");

    // Texts with replacement characters in the input have the same hash, so that these lines are
    // duplicates.
    let written = page.replace("\\ud83d\\ude00", "\u{1f600}");
    let written = ["\\ud83d", "\\ude00", "\\udc00"]
        .iter()
        .fold(written, |text, half| text.replace(half, "\u{fffd}"));
    let lines = [page, &written, page, &written].join("\n");
    let copies = run_over(lines);
    assert_eq!(copies.report("out")["duplicates"]["total"], 3);
    assert_eq!(copies.rows("out/signals.csv")[0]["signal_id"], signals[0]["signal_id"]);
}

#[test]
fn of_names_that_are_equal_after_repair_the_last_counts() {
    let (head, tail) =
        (r#"{"type":"track","messageId":"m","anonymousId":"v","event":"E","properties":{"#, "}}");
    let text = format!(
        "{head}\"\\ud83d\":1,\"\\ude00\":2{tail}\n{head}\"\\ufffd\":2{tail}\n{head}\"\\ude00\":2,\"\\ud83d\":1{tail}\n"
    );
    let workspace = run_over(text);
    assert_eq!(workspace.report("out")["duplicates"]["total"], 1);
}

#[test]
fn invalid_numbers_are_null_and_counted() {
    let text = event("a").replace(r#""pro""#, "NaN")
        + "\n"
        + &event("b").replace(r#""pro""#, "[-Infinity,1e400]");
    let workspace = run_over(text);
    assert_eq!(signals(&workspace), ["a", "b"]);
    assert_eq!(workspace.report("out")["events"]["non_finite_numbers"], 3);
    workspace
        .run(["events.json", "-o", "again"])
        .exits(0)
        .says("3 numbers such as NaN read as null");
}

#[test]
fn escapes_of_nginx_are_decoded_and_counted() {
    let escaped = event("a").replace('"', "\\x22");
    for text in [
        escaped.clone(),
        format!(
            "10.0.0.1 - - [01/Mar/2025:10:00:01 +0000] \"POST /hook\" 200 \"{escaped}\" \"-\"\n"
        ),
        format!("{{\"time\":\"2025-03-01T10:00:01Z\",\"body\":\"{escaped}\"}}\n"),
    ] {
        let workspace = run_over(&text);
        assert_eq!(signals(&workspace), ["a"], "{text}");
        assert_eq!(
            workspace.report("out")["events"]["hex_escapes"],
            escaped.matches("\\x").count()
        );
    }
}

#[test]
fn complete_events_of_a_broken_batch_are_accepted() {
    let (a, b, c) = (event("a"), event("b"), event("c"));
    for (text, lost) in [
        (format!("{{\"batch\":[{a},,{b},{c}],\"sentAt\":\"2025-03-01T12:00:05Z\"}}"), 0),
        (format!("{{\"batch\":[{a}{b}{c}]}}"), 0),
        (format!("{{\"batch\":[{a},{b},{c}"), 0),
        (format!("{{\"batch\":[{a},{b},{c},{{\"type\":\"tr"), 1),
        (format!("[{a},{{\"type\":}},{b},{c}]"), 1),
        (format!("{{\"batch\":[{a},{b},{c}]}}]}}"), 1),
        (format!(",{a}\n,{b}\n,{c}],\"writeKey\":\"k\"}}"), 1),
    ] {
        let workspace = run_over(&text);
        assert_eq!(signals(&workspace), ["a", "b", "c"], "{text}");
        assert_eq!(workspace.report("out")["rejects"]["by_reason"]["invalid_json"], lost, "{text}");
    }
}

#[test]
fn a_reject_names_the_byte_that_is_wrong() {
    let bad_escape =
        r#"{"type":"track","event":"Signed Up","messageId":"ab\qcd","anonymousId":"a"}"#;
    let control = "{\"type\":\"track\",\"messageId\":\"a\tb\",\"anonymousId\":\"a\"}";
    let open = r#"{"type":"track","messageId":"ab}"#;
    let python = "{'type': 'track', 'sent': True}";
    let workspace = run_over([bad_escape, control, open, python].join("\n"));
    let details: Vec<_> =
        workspace.rejects("out").into_iter().map(|reject| reject["detail"].clone()).collect();
    let at = |text: &str, part: &str| text.find(part).unwrap() + 1;
    assert_eq!(
        details,
        [
            json!(format!(
                "byte {} of the record: expected a JSON escape after the backslash",
                at(bad_escape, "\\q")
            )),
            json!(format!(
                "byte {} of the record: expected an escape such as `\\t`, found a control character in a string",
                at(control, "\t")
            )),
            json!(format!(
                "byte {} of the record: expected a closing double quote for the string that begins here",
                at(open, "\"ab")
            )),
            json!(
                "byte 2 of the record: found a single quote, as Python and JavaScript write it: JSON has double \
                 quotes; write the data with `json.dumps` or `JSON.stringify`"
            ),
        ]
    );
}
