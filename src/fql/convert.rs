//! Conversions of values: changes of case, and conversions between types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::number;
use super::value::{Value, item_count};
use crate::event::path::Lookup;
use crate::json::{Json, Kind, Number};

pub(super) fn lowercase(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text;
    }
    Cow::Owned(text.to_lowercase())
}

pub(super) fn uppercase(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase()) {
        return text;
    }
    Cow::Owned(text.to_uppercase())
}

/// Replaces spaces by `joint` and changes nothing else.
pub(super) fn replace_blanks<'v>(text: Cow<'v, str>, joint: &str) -> Cow<'v, str> {
    if text.contains(' ') { Cow::Owned(text.replace(' ', joint)) } else { text }
}

/// Converts the first letter of each word to upper case. Words are separated by whitespace, and the
/// rest of a word is unchanged.
pub(super) fn titlecase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for char in text.chars() {
        if in_word || char.is_whitespace() {
            out.push(char);
        } else {
            out.extend(char.to_uppercase());
        }
        in_word = !char.is_whitespace();
    }
    out
}

/// Converts a value to a boolean. `false`, null, 0, an empty list, and the strings empty, `0` and
/// `false` (in any case) are false; everything else is true.
pub(super) fn to_bool(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => !number::is_zero(*number),
        Value::Text(text) => !matches!(&**text, "" | "0") && !text.eq_ignore_ascii_case("false"),
        Value::Array(array) => item_count(*array) > 0,
        Value::List(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}

/// Converts a value to a number: numbers are unchanged, strings are parsed, and any other value has
/// none.
pub(super) fn to_number(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => number::parse_text(text),
        _ => None,
    }
}

/// Converts a value to a string: strings are unchanged, null is the empty string, and any other
/// value is its compact JSON.
pub(super) fn to_text<'v, 't>(value: Value<'v>, event: &impl Lookup<'t>) -> Cow<'v, str> {
    match value {
        Value::Text(text) => text,
        Value::Null => Cow::Borrowed(""),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        value => {
            let mut out = String::new();
            write_value(&mut out, &value, event);
            Cow::Owned(out)
        }
    }
}

fn write_value<'t>(out: &mut String, value: &Value<'_>, event: &impl Lookup<'t>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number::to_text(*number)),
        Value::Text(text) => write_text(out, text),
        Value::Array(json) | Value::Object(json) => write_json(out, *json),
        Value::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, &item.value(event), event);
            }
            out.push(']');
        }
    }
}

fn write_json(out: &mut String, json: Json<'_>) {
    match json.kind() {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number::to_text(number)),
        Kind::String(text) => write_text(out, text),
        Kind::Array(_) => {
            out.push('[');
            for (place, item) in json.items().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_json(out, item);
            }
            out.push(']');
        }
        Kind::Object(_) => {
            out.push('{');
            // Sorted by name; of members with the same name only the last counts.
            let members: BTreeMap<_, _> = json.entries().collect();
            for (place, (name, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_text(out, name);
                out.push(':');
                write_json(out, value);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
