use super::*;
use crate::json::document::with_json;

fn found<R>(json: &str, look: impl FnOnce(Option<Found<'_>>) -> R) -> R {
    with_json(json, |value| look(Found::in_object(value)))
}

fn describe(json: &str) -> String {
    found(json, |found| match found {
        None => "nothing".into(),
        Some(Found::Many(List { shape, path, items })) => {
            format!("{} list {} of {}", shape.name(), path.join("."), items.items().count())
        }
        Some(Found::ByName(List { shape, path, items })) => {
            format!("{} lists {} of {}", shape.name(), path.join("."), items.entries().count())
        }
        Some(Found::One(capture)) => {
            let body = match capture.body {
                Body::Absent(place) => format!("absent {place}"),
                Body::Value(_) => "value".into(),
                Body::Text(text) => format!("text {text}"),
                Body::Base64(text) => format!("base64 {text}"),
                Body::Message(text) => format!("message {text}"),
            };
            let path = capture.path.unwrap_or("-");
            format!("{}: {body}; {path}; {}", capture.shape.name(), capture.time)
        }
    })
}

#[test]
fn each_shape_is_told_by_what_its_tool_writes() {
    for (json, expected) in [
        (
            r#"{"eventSource":"aws:kafka","records":{"t-0":[],"t-1":[]}}"#,
            "kafka lists records.* of 2",
        ),
        (r#"{"eventSource":"aws:kafka","records":{"t-0":{}}}"#, "nothing"),
        (
            r#"{"body":"x","path":"/p","url":"https://h/u","time":1}"#,
            "capture: text x; /p; 1970-01-01T00:00:01.000Z",
        ),
        (r#"{"payload":{},"request":{"uri":"/u"}}"#, "capture: value; /u; "),
        (r#"{"content":"eA==","encoding":"Base64"}"#, "capture: base64 eA==; -; "),
        (
            r#"{"uuid":"u","type":"web","token_id":"t","content":"x","url":"https://h/u",
                "created_at":"2023-03-07 13:52:43","time":0.001}"#,
            "webhook_site: text x; https://h/u; 2023-03-07T13:52:43.000Z",
        ),
        (
            r#"{"token_id":"t","type":"dns","created_at":"2023-03-07 13:52:43","content":null}"#,
            "webhook_site: absent `content`; -; 2023-03-07T13:52:43.000Z",
        ),
        (
            r#"{"path":"/p","body":"eA==","isBase64Encoded":true,"requestContext":
                {"path":"/stage/p","requestTimeEpoch":1583348638390}}"#,
            "api_gateway: base64 eA==; /p; 2020-03-04T19:03:58.390Z",
        ),
        (
            r#"{"rawPath":"/p","body":"eyJhIjoxfQ==","requestContext":{"timeEpoch":1583348638390}}"#,
            "api_gateway: base64 eyJhIjoxfQ==; /p; 2020-03-04T19:03:58.390Z",
        ),
        (
            r#"{"rawPath":"/p","body":"eyJhIjoxfQ==","isBase64Encoded":false,"requestContext":{}}"#,
            "api_gateway: text eyJhIjoxfQ==; /p; ",
        ),
        (r#"{"version":"2.0","requestContext":{}}"#, "api_gateway: absent `body`; -; "),
        (
            r#"{"id":"req_1","ingested_at":"2025-05-01T00:00:00Z","created_at":"2025-05-02T00:00:00Z",
                "data":{"path":"/p","body":{}}}"#,
            "hookdeck: value; /p; 2025-05-01T00:00:00.000Z",
        ),
        (
            r#"{"id":"evt_1","created_at":"2025-05-02T00:00:00Z","data":{"body":"x"}}"#,
            "hookdeck: text x; -; 2025-05-02T00:00:00.000Z",
        ),
        (
            r#"{"event":{"body":"x","path":"/p"},"context":{"ts":"2025-05-01T00:00:00Z"}}"#,
            "pipedream: text x; /p; 2025-05-01T00:00:00.000Z",
        ),
        (
            r#"{"start":"2014-12-15T20:32:07-08:00","request":{"uri":"/u","raw":"eA=="}}"#,
            "ngrok: message eA==; /u; 2014-12-16T04:32:07.000Z",
        ),
        (r#"{"start":"?","request":{"uri":"/u"}}"#, "ngrok: absent `request.raw`; /u; "),
        (
            r#"{"startedDateTime":"2025-05-01T00:00:00Z","request":{"url":"https://h/u",
                "postData":{"text":"eA==","encoding":"base64"}}}"#,
            "har: base64 eA==; https://h/u; 2025-05-01T00:00:00.000Z",
        ),
        (
            r#"{"startedDateTime":"?","request":{"method":"GET"}}"#,
            "har: absent `request.postData.text`; -; ",
        ),
        (
            r#"{"specversion":"1.0","type":"track","id":"1","source":"s","time":"2025-05-01T00:00:00Z",
                "data":{"body":1}}"#,
            "cloudevents: value; -; 2025-05-01T00:00:00.000Z",
        ),
        (r#"{"specversion":"1.0","data_base64":"eA=="}"#, "cloudevents: base64 eA==; -; "),
        (r#"{"log":{"entries":[{},{}]}}"#, "har list log.entries of 2"),
        (r#"{"requests":[{}]}"#, "ngrok list requests of 1"),
        (r#"{"data":[],"total":0,"per_page":50}"#, "webhook_site list data of 0"),
        (r#"{"models":[{}],"count":1,"pagination":{}}"#, "hookdeck list models of 1"),
    ] {
        assert_eq!(describe(json), expected, "{json}");
    }
}

#[test]
fn what_no_tool_writes_is_no_capture() {
    for json in [
        "{}",
        r#"{"body":null,"headers":[]}"#,
        r#"{"log":{"entries":{}},"requests":{},"data":[]}"#,
        r#"{"event":"Signed Up","context":{}}"#,
        r#"{"request":{"method":"GET"}}"#,
        r#"{"data":{"headers":{}}}"#,
        r#"{"specversion":"1.0"}"#,
        r#"{"models":[]}"#,
    ] {
        assert_eq!(describe(json), "nothing", "{json}");
    }
}
