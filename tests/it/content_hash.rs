//! Compares signal ids with those computed by a JCS and an XXH3 library in another language.

use std::collections::HashSet;
use std::path::Path;

use crate::support::{Workspace, python};

/// Values for `properties.value`, as JSON texts.
const VALUES: [&str; 44] = [
    "1e21",
    "1e20",
    "-0.0",
    "-0",
    "0.0",
    "0.1",
    "5e-324",
    "1.0",
    "100",
    "1E2",
    "1e-7",
    "0.000001",
    "123456789012345.678",
    "1.7976931348623157e308",
    "2.2250738585072014e-308",
    "4.35",
    "-1.5e-10",
    "333333333.33333329",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1152921504606846976",
    "1234567890123456789012345678901234567890",
    "null",
    "true",
    "[]",
    "{}",
    r#"{"b":1,"a":{"d":[{"z":0,"y":null}],"c":2},"":3}"#,
    r#"{"a":1,"b":2,"a":3}"#,
    // In order of UTF-16 code units, astral names precede U+E000 and above.
    "{\"\u{e000}\":1,\"\u{1f980}\":2,\"\u{ffee}\":3,\"\u{fb33}\":4,\"\u{d7ff}\":5,\"\u{10ffff}\":6,\"z\":7}",
    "{\"x\u{ffee}\":1,\"x\u{1f980}\":2,\"x\":3,\"xx\":4,\"X\":5}",
    "{\"\u{20ac}\":1,\"\\r\":2,\"1\":4,\"10\":5,\"2\":6,\"\u{80}\":7,\"\u{f6}\":8,\"o\u{308}\":9}",
    r#"{"\ud83e\udd80":"\u00e9\u20ac\ud83d\ude00","\u0061":"a"}"#,
    r#""\u0000\u0001\b\t\n\u000b\f\r\u001f\"\\\/ \u007f\u0080\u2028\u2029""#,
    "\"Gr\u{fc}\u{df}e, \u{0141}ukasz \u{1f980}\"",
    r#"" <>&' ""#,
    r#"[1,[2.50,[-0.0,{"k":[]}]],"",null]"#,
    r#"{"nothing":null}"#,
];

/// Other members of the event, as JSON texts. The first two are representatives of members that are
/// not part of the hash.
const MEMBERS: [&str; 20] = [
    r#""sentAt":"2025-05-01T00:00:09Z","receivedAt":"2025-05-01T00:00:09Z","integrations":{"All":true}"#,
    r#""_metadata":{"a":1},"writeKey":"w","projectId":"p","version":2,"channel":"server","extra":1"#,
    r#""timestamp":"2025-05-01T00:00:01.000Z""#,
    r#""originalTimestamp":"2025-05-01T00:00:01.000Z""#,
    r#""timestamp":"2025-05-01T00:00:02.000Z","originalTimestamp":"2025-05-01T00:00:01+00:00""#,
    r#""timestamp":"2025-05-01T00:00:02.000Z","originalTimestamp":null"#,
    r#""timestamp":1746057600.123,"context":null"#,
    r#""userId":7001"#,
    r#""userId":7.50"#,
    r#""userId":"7001""#,
    r#""userId":9007199254740993"#,
    r#""userId":{"id":1}"#,
    r#""userId":null"#,
    r#""userId":"","category":"","name":"","groupId":0"#,
    r#""traits":{"email":"ana@acme.example","age":1e2},"groupId":"g","previousId":"p","category":"c""#,
    r#""category":1,"name":[1],"groupId":{"b":1,"a":2},"previousId":false"#,
    r#""event":"\u0042","event":"C","userId":"u1","userId":"u2""#,
    r#""context":{"page":{"url":"https://www.acme.example/?a=1&b=2"},"app":{"z":1,"a":2},"ip":null}"#,
    "\"na\\u006de\":\"N\u{e4}me\"",
    r#""Timestamp":"x","Name":"y","message_id":"z""#,
];

fn events() -> Vec<String> {
    let ids = ["\"a1\"", "42", "12345678901234567890123", "\"\u{1f980}\\u0041\\n\""];
    let values = VALUES.iter().map(|value| format!("\"properties\":{{\"value\":{value}}}"));
    let members = MEMBERS.iter().map(|&members| members.to_owned());
    let numbered = values.chain(members).enumerate();
    let mut events: Vec<String> = numbered
        .map(|(at, members)| {
            let id = ids[at % ids.len()];
            let head = format!(r#""type":"track","messageId":"m{at}","event":"Ping""#);
            // The position of the members must not matter.
            match at % 2 {
                0 => format!(r#"{{{head},{members},"anonymousId":{id}}}"#),
                _ => format!(r#"{{ {members} , {head} , "anonymousId" : {id} }}"#),
            }
        })
        .collect();
    events.push(r#"{"type":"page","messageId":17.0,"userId":1e3,"name":"N"}"#.into());
    events.push(r#"{"type":"screen","messageId":-1e-9,"anonymousId":0.5,"name":"N"}"#.into());
    events
}

#[test]
fn signal_ids_equal_the_hashes_computed_by_python() {
    let Some(mut python) = python::with(&["rfc8785", "xxhash"]) else { return };
    let events = events();
    let workspace = Workspace::new();
    workspace.write("events.ndjson", events.join("\n") + "\n");
    workspace.run(["events.ndjson", "-o", "out"]).exits(0);
    let rows = workspace.rows("out/signals.csv");
    assert_eq!(rows.len(), events.len(), "every event is a signal");

    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/content_hash.py"));
    python.arg(workspace.path("events.ndjson"));
    let printed = python::output(python);
    let expected: Vec<&str> = printed.lines().collect();
    assert_eq!(expected.len(), events.len());
    let different: Vec<_> = rows
        .iter()
        .zip(&expected)
        .zip(&events)
        .filter(|((row, hash), _)| row["signal_id"] != **hash)
        .map(|((row, hash), event)| format!("{} is not {hash}: {event}", row["signal_id"]))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
    let distinct: HashSet<_> = expected.iter().collect();
    assert_eq!(distinct.len(), events.len(), "each event has a message id of its own");
}

#[test]
fn delivery_is_not_part_of_a_signal_id() {
    let first = r#"{"type":"track","event":"Ping","messageId":"m","anonymousId":"a","originalTimestamp":"2025-05-01T00:00:00Z","properties":{"a":[1,null],"b":{}}"#;
    let lines = [
        format!("{first}}}\n"),
        format!(r#"{first},"timestamp":"2025-05-01T00:00:01Z","sentAt":"2025-05-01T00:00:02Z"}}"#)
            + "\n",
        format!(r#"{first},"receivedAt":"2025-05-01T00:00:03Z","integrations":{{"All":false}}}}"#)
            + "\n",
        format!(r#"{first},"_metadata":{{}},"channel":"server","version":2,"userId":null}}"#)
            + "\n",
        format!(r#"{first},"timestamp":"2025-05-01T00:00:01Z"}}"#).replace("null", "0") + "\n",
    ];
    let workspace = Workspace::new();
    workspace.write("events.ndjson", lines.concat());
    workspace.run(["events.ndjson", "-o", "out"]).exits(0);
    assert_eq!(workspace.report("out")["events"]["duplicates"], 3);
    assert_eq!(workspace.rows("out/signals.csv").len(), 2);
}
