use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// The value that must not be shown.
const SECRET: &str = "hunter2-\"x\\y/é";

fn masked(record: &str) -> String {
    secrets(record, &[]).into_owned()
}

/// Returns the header `name` with `value` in each of the forms that tools write.
fn forms(name: &str, value: &str) -> Vec<String> {
    let [name, value] = [name, value].map(|text| serde_json::to_string(text).unwrap());
    vec![
        format!(r#"{{"headers":{{"Host":"h",{name}:{value}}},"body":"b"}}"#),
        format!(r#"{{"headers":{{{name}:[{value},{value}],"Host":["h"]}}}}"#),
        format!(
            r#"{{"headers":[{{"name":"Host","value":"h"}},{{"name":{name},"value":{value}}}]}}"#
        ),
        format!(
            r#"{{"headers":[{{"value":{value},"name":{name}}},{{"name":"Host","value":"h"}}]}}"#
        ),
        format!(r#"{{"headers":[{{"value":[{value}],"comment":"","name":{name}}}]}}"#),
        format!(r#"{{"headers":[["Host","h"],[{name},{value}]]}}"#),
        format!(r#"{{"rawHeaders":["Host","h",{name},{value}]}}"#),
        format!("{{ {name} \t:\n  {value}\n}}"),
        format!(r#"{{{name}:{{"value":{value}}}}}"#),
        format!(r#"{{"request":{{"{}":{value}}}}}"#, "cookies"),
    ]
}

/// Returns `text` nested in further texts and encodings.
fn wrapped(text: &str) -> Vec<String> {
    let quoted = serde_json::to_string(text).unwrap();
    let once = format!(r#"{{"body":{quoted},"time":1}}"#);
    let twice = format!(r#"{{"body":{},"time":1}}"#, serde_json::to_string(&once).unwrap());
    let base64 = format!(r#"{{"body":"{}","isBase64Encoded":true}}"#, STANDARD.encode(text));
    let both = format!(r#"{{"body":"{}"}}"#, STANDARD.encode(&once));
    vec![text.to_owned(), once, twice, base64, both]
}

/// Returns `true` if a part of `SECRET` can be read from `shown`.
fn tells(shown: &str) -> bool {
    shown.contains("hunter2") || shown.contains(&STANDARD.encode("hunter2")[..8])
}

#[test]
fn no_form_of_a_header_shows_its_value() {
    for name in [
        "X-Api-Secret",
        "x-api-secret",
        "AUTHORIZATION",
        "Cookie",
        "HTTP_X_API_SECRET",
        "X-Auth-Token",
        "X-Signature",
        "writeKey",
        "Cf-Access-Jwt-Assertion",
        "session_id",
    ] {
        for form in forms(name, SECRET) {
            for record in wrapped(&form) {
                let shown = masked(&record);
                assert!(!tells(&shown) && shown.contains(HIDDEN), "{record}\n{shown}");
            }
        }
    }
}

#[test]
fn a_record_that_was_cut_anywhere_shows_no_value() {
    for form in forms("X-Api-Secret", "hunter2hunter2hunter2") {
        for record in wrapped(&form) {
            for (at, _) in record.char_indices() {
                let shown = masked(&record[..at]);
                assert!(!tells(&shown), "{}\n{shown}", &record[..at]);
            }
        }
    }
}

#[test]
fn what_is_no_secret_stays() {
    for record in [
        r#"{"type":"track","event":"Cookie Consent","properties":{"path":"/authorization"}}"#,
        r#"{"headers":{"Host":"h","X-Sign":"00"},"body":"{\"a\":\"\\u00e9\"}"}"#,
        r#"{"headers":[{"name":"Host","value":"h"},["a",1,null]],"body":"aGVsbG8gd29ybGQhISEh"}"#,
        "upstream timed out",
        "{\"cut\":\"sho",
        "]}}][",
        "",
    ] {
        assert_eq!(masked(record), record);
    }
}

#[test]
fn what_is_hidden_leaves_the_rest_readable() {
    for (record, shown) in [
        (
            r#"{"headers":{"X-Api-Secret":"s","Host":"h"},"body":"{"}"#,
            r#"{"headers":{"X-Api-Secret":"***","Host":"h"},"body":"{"}"#,
        ),
        (
            r#"{"headers":[{"value":"s","name":"Cookie"},{"name":"Host","value":"h"}]}"#,
            r#"{"headers":[{"value":"***","name":"Cookie"},{"name":"Host","value":"h"}]}"#,
        ),
        (r#"[["Authorization",["s","t"]],"x"]"#, r#"[["Authorization",["***","***"]],"x"]"#),
        (r#"{"a":"{\"cookie\":\"s\",\"b\":1}"}"#, r#"{"a":"{\"cookie\":\"***\",\"b\":1}"}"#),
        (
            r#"[["X-Auth-Token","my-secret"],["my-secret","Cookie"],["a","b"]]"#,
            r#"[["X-Auth-Token","***"],["***","Cookie"],["a","b"]]"#,
        ),
        (r#"{"cookie":"cut"#, r#"{"cookie":"***"#),
        (r#"{"Cookie":17,"b":true}"#, r#"{"Cookie":***,"b":true}"#),
        (r#"{"request":{"raw":"UE9TVA=="}}"#, r#"{"request":{"raw":"***"}}"#),
        ("{'Cookie': 's'}", "***"),
        ("GET / HTTP/1.1 Cookie: s", "***"),
        (r#"{"note":"Cookie: s"}"#, r#"{"note":"***"}"#),
    ] {
        assert_eq!(masked(record), shown);
    }
}

#[test]
fn the_secrets_that_the_user_named_are_hidden_wherever_they_stand() {
    let known: [&[u8]; 2] = [b"key-17", b"a\"b\\c"];
    for (record, shown) in [
        (r#"{"url":"https://h/webhook/key-17?x"}"#, r#"{"url":"https://h/webhook/***?x"}"#),
        (r#"{"key-17":1}"#, r#"{"***":***}"#),
        ("GET /webhook/key-17", "GET /webhook/***"),
        (r#"{"note":"is a\"b\\c so"}"#, r#"{"note":"***"}"#),
        (r#"{"url":"https://h/webhook/key-"#, r#"{"url":"https://h/webhook/***"#),
        (r#"{"a":"L3dlYmhvb2sva2V5LTE3Pw=="}"#, r#"{"a":"***"}"#),
    ] {
        assert_eq!(secrets(record, &known), shown);
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"([\[\]{},:"\\' ]|cookie|value|name|raw|\\u00|é|e30=|[a-c1]){0,60}"#) {
        let _ = masked(&text);
    }

    #[test]
    fn no_noise_about_a_header_shows_its_value(
        before in r#"[{\["a, :1]{0,8}"#,
        after in r#"[}\]"a, :1]{0,8}"#,
        form in 0_usize..10,
        wrap in 0_usize..5,
    ) {
        let form = &forms("x-Api-secret", "hunter2hunter2")[form];
        let record = format!("{before}{}{after}", wrapped(form)[wrap]);
        prop_assert!(!tells(&masked(&record)), "{record}\n{}", masked(&record));
    }

    #[test]
    fn what_is_masked_is_masked_for_good(form in 0_usize..10, wrap in 0_usize..5) {
        let once = masked(&wrapped(&forms("Cookie", SECRET)[form])[wrap]);
        prop_assert_eq!(masked(&once), once.clone());
    }
}
