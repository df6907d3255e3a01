//! Captured webhook deliveries: an object that holds the delivery's body beside other things.
//!
//! The generic shape is what request bins, Pipedream and proxies' own logs write: the body under
//! `body`, `rawBody`, `payload` or `content`, as a JSON value or as text, perhaps in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::{Json, Kind};
use crate::time::Time;

/// Members that may hold the body, in order of preference.
const BODIES: [&str; 4] = ["body", "rawBody", "payload", "content"];
/// Members that may hold the time of the delivery, in order of preference.
const TIMES: [&str; 6] = ["receivedAt", "received_at", "timestamp", "created_at", "time", "ts"];

/// What a capture holds.
#[derive(Clone, Copy, Debug)]
pub struct Capture<'t> {
    /// The body.
    pub body: Body<'t>,
    /// When it was delivered.
    pub time: Time,
}

/// The body of a captured delivery.
#[derive(Clone, Copy, Debug)]
pub enum Body<'t> {
    /// Parsed already.
    Value(Json<'t>),
    /// A text of JSON.
    Text(&'t str),
    /// A text of JSON in base64.
    Base64(&'t str),
}

impl<'t> Capture<'t> {
    /// The capture that `object` is, if it has a body.
    pub fn from_object(object: Json<'t>) -> Option<Self> {
        let present = |name| object.get(name).filter(|value: &Json<'t>| !value.is_null());
        let body = BODIES.into_iter().find_map(present)?;
        let body = match body.kind() {
            Kind::String(text) if is_base64(object) => Body::Base64(text),
            Kind::String(text) => Body::Text(text),
            _ => Body::Value(body),
        };
        let time = TIMES.into_iter().filter_map(present).find_map(Time::from_json);
        Some(Self { body, time: time.unwrap_or(Time::MISSING) })
    }
}

fn is_base64(object: Json<'_>) -> bool {
    let flag = |name| object.get(name).is_some_and(|v| matches!(v.kind(), Kind::Bool(true)));
    flag("isBase64Encoded")
        || flag("base64")
        || object
            .get("encoding")
            .and_then(Json::as_str)
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"))
}

/// Decodes `text` to the end of `out`; `false` where it is no base64.
pub fn decode_base64(text: &str, out: &mut Vec<u8>) -> bool {
    STANDARD.decode_vec(text.trim(), out).is_ok()
}
