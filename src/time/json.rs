//! Times in JSON values.

use super::{Stamp, Time, Zone, epoch};
use crate::json::{Json, Kind, Number};

/// Names of the single member of an object that wraps a time: `MongoDB`'s extended JSON, the client
/// of `BigQuery`.
const WRAPPERS: [&str; 5] = ["$date", "$numberLong", "$numberInt", "$numberDouble", "value"];
/// Names for seconds and additional nanoseconds: Firestore, its serialised form, Protocol Buffers.
const PARTS: [(&str, &str); 3] =
    [("seconds", "nanoseconds"), ("_seconds", "_nanoseconds"), ("seconds", "nanos")];
/// The maximum number of objects around a time: `{"$date": {"$numberLong": "…"}}`.
const MAX_WRAPPERS: u8 = 2;

/// Returns the time in `json`.
#[inline]
pub(super) fn read(json: Json<'_>) -> Option<Stamp> {
    match json.kind() {
        Kind::String(text) => Stamp::parse(text.as_bytes()),
        Kind::Number(number) => stated(epoch::read(number)),
        Kind::Object(_) => wrapped(json, MAX_WRAPPERS),
        _ => None,
    }
}

fn stated(time: Option<Time>) -> Option<Stamp> {
    time.map(|time| Stamp { time, zone: Zone::Stated })
}

/// Returns the time in an object by which a database represents it.
#[cold]
fn wrapped(json: Json<'_>, wrappers_left: u8) -> Option<Stamp> {
    let mut entries = json.entries();
    let (name, value) = entries.next()?;
    if entries.next().is_some() {
        return in_parts(json);
    }
    match name {
        "$timestamp" => stated(epoch::read(number(value.get("t")?)?)),
        "seconds" | "_seconds" => in_parts(json),
        _ if !WRAPPERS.contains(&name) => None,
        _ if value.is_object() && wrappers_left > 1 => wrapped(value, wrappers_left - 1),
        _ if value.is_object() => None,
        _ => read(value),
    }
}

fn in_parts(json: Json<'_>) -> Option<Stamp> {
    // The Parse platform: `{"__type": "Date", "iso": "…"}`.
    if let Some(iso) = json.get("iso") {
        return Stamp::parse(iso.as_str()?.as_bytes());
    }
    PARTS.into_iter().find_map(|(seconds, nanos)| {
        let seconds = number(json.get(seconds)?)?;
        let Number::Int(seconds) = seconds else { return None };
        let nanos = match json.get(nanos).and_then(number) {
            Some(Number::Int(nanos)) => nanos,
            Some(_) => return None,
            None => 0,
        };
        let millis = seconds.checked_mul(1000)?.checked_add(nanos.div_euclid(1_000_000))?;
        stated(Time::from_millis(millis))
    })
}

/// Returns a number, or the number in a text of digits, as 64-bit integers are passed to
/// JavaScript.
fn number(value: Json<'_>) -> Option<Number> {
    match value.kind() {
        Kind::Number(number) => Some(number),
        Kind::String(text) => text.parse().ok().map(Number::Int),
        _ => None,
    }
}
