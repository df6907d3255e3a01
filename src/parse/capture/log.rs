//! Log entries of containers and log agents: a text and a time.
//!
//! `log` and `time` are Docker's (<https://docs.docker.com/engine/logging/drivers/json-file/>),
//! `message` and `@timestamp` those of Logstash and Elastic Beats
//! (<https://www.elastic.co/docs/reference/ecs/ecs-base>), `message` and `timestamp` those of
//! Vector (<https://vector.dev/docs/architecture/data-model/log/>), `msg` and `time` those of
//! loggers, `_raw` Splunk's. The text is JSON, or ends in JSON after the prefix that a logger
//! writes.

use super::members::{Member, Members};
use super::{Body, Capture, time};
use crate::parse::shape::Shape;

const TEXTS: [Member; 4] = [Member::Log, Member::Message, Member::Msg, Member::RawUnderscore];
const TIMES: [Member; 4] =
    [Member::Time, Member::Timestamp, Member::AtTimestamp, Member::TimeUnderscore];

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let time = TIMES.map(|member| members.get(member));
    time.iter().any(Option::is_some).then_some(())?;
    let mut texts = TEXTS.into_iter().filter_map(|member| members.text(member));
    let body = texts.find_map(json_at_end)?;
    Some(Capture {
        shape: Shape::Log,
        body: Body::Text(body),
        headers: members.headers(),
        path: members.path(),
        time: time::first(time),
    })
}

/// The maximum number of opening braces that are tried as the start of the JSON.
const MAX_BRACES_TRIED: usize = 8;

/// Returns the JSON that `text` consists of or ends in.
fn json_at_end(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.starts_with(['{', '[', '"']) && ends_with_value(text) {
        return Some(text);
    }
    let braces = memchr::memchr_iter(b'{', text.as_bytes()).take(MAX_BRACES_TRIED);
    braces.map(|at| &text[at..]).find(|rest| ends_with_value(rest))
}

/// Returns `true` if the value at the start of `text` extends to its end.
fn ends_with_value(text: &str) -> bool {
    crate::json::raw::value_end(text.as_bytes(), 0) == Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_what_goes_to_the_end() {
        for (text, expected) in [
            (r#"{"a":1}"#, Some(r#"{"a":1}"#)),
            ("[1]\n", Some("[1]")),
            (r#"INFO {req-1} got {"a":"}"} "#, Some(r#"{"a":"}"}"#)),
            (r#"[INFO] {"a":1}"#, Some(r#"{"a":1}"#)),
            (r#"{"a":1} done"#, None),
            ("no JSON", None),
            ("{ open", None),
            ("", None),
        ] {
            assert_eq!(json_at_end(text), expected, "{text}");
        }
    }
}
