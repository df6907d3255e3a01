//! JSON texts against `serde_json`: taken or refused alike, read to the same value, and written in
//! the same canonical form however their members are ordered.

use backtrail::json::canonical::Canonical;
use backtrail::json::document::Document;
use serde_json::{Map, Value};

use super::canonical::canonical;

/// Reads `data` with both.
///
/// # Panics
/// If they differ, but for what the program documents: half surrogate pairs, numbers that no double
/// holds, and how deep values may be.
pub fn target(data: &[u8]) {
    let mut document = Document::default();
    let ours = document.read(data, |value| value.ok().map(written));
    match (ours, serde_json::from_slice::<Value>(data)) {
        (Some(ours), Ok(theirs)) => {
            let shown = String::from_utf8_lossy(data);
            assert_eq!(ours, canonical(&theirs), "the values of {shown}");
            let turned = turned(&theirs).to_string();
            let again = document.read(turned.as_bytes(), |value| value.ok().map(written));
            assert_eq!(again.as_ref(), Some(&ours), "members of {shown} turned around");
        }
        (None, Err(_)) => {}
        (Some(_), Err(error)) => {
            assert!(is_documented(data, &error), "taken: {}", String::from_utf8_lossy(data));
        }
        (None, Ok(theirs)) => {
            let deep = depth(&theirs) >= 100;
            assert!(deep || has_long_number(data), "refused: {}", String::from_utf8_lossy(data));
        }
    }
}

fn written(value: backtrail::json::Json<'_>) -> String {
    let mut text = Vec::new();
    Canonical::default().write(value, &mut text);
    String::from_utf8(text).unwrap()
}

/// `value` with the members of every object in the opposite order.
fn turned(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(turned).collect(),
        Value::Object(members) => {
            let members = members.iter().rev();
            members.map(|(name, value)| (name.clone(), turned(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whether `serde_json` refuses for a reason for which the program does not.
fn is_documented(data: &[u8], error: &serde_json::Error) -> bool {
    let error = error.to_string();
    let of_serde = ["surrogate", "hex escape", "number out of range", "recursion limit"];
    of_serde.iter().any(|reason| error.contains(reason)) || has_long_number(data)
}

/// Whether there is a number so long that a double may not hold it.
fn has_long_number(data: &[u8]) -> bool {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let numbers = data.split(|byte| !is_of_number(byte));
    numbers
        .into_iter()
        .any(|number| number.len() > 15 || number.iter().any(|byte| b"eE".contains(byte)))
}
