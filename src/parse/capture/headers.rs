//! The headers of a delivery, in each of the forms that tools write.

use super::message;
use crate::json::{Json, Kind};

/// The headers of a delivery. Names are compared without case (RFC 9110, 5.1).
#[derive(Clone, Copy, Debug)]
pub enum Headers<'t> {
    /// Headers next to the body in the capture: objects whose values are strings or lists, or lists
    /// of `{name, value}` objects or of pairs. API Gateway gives the headers twice.
    Json([Option<Json<'t>>; 2]),
    /// The head of an HTTP message.
    Text(&'t [u8]),
}

impl<'t> Headers<'t> {
    /// No headers.
    pub const NONE: Self = Self::Json([None, None]);

    /// Creates the headers in `value`, if any.
    pub(super) fn new(value: Option<Json<'t>>) -> Self {
        Self::Json([value, None])
    }

    /// Returns `true` if the capture has no headers.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Json([None, None]))
    }

    /// Calls `see` with each value of the header `name`, in order.
    pub fn each(&self, name: &str, see: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Json(places) => {
                for place in places.iter().flatten() {
                    each_in(*place, name, see);
                }
            }
            Self::Text(head) => message::each_header(head, name, see),
        }
    }
}

fn each_in(headers: Json<'_>, name: &str, see: &mut dyn FnMut(&[u8])) {
    for (key, value) in headers.entries() {
        if key.eq_ignore_ascii_case(name) {
            each_value(value, see);
        }
    }
    for item in headers.items() {
        let (key, value) = match item.kind() {
            Kind::Array(_) => (item.item(0), item.item(1)),
            _ => (item.get("name"), item.get("value")),
        };
        let is_named = key.and_then(Json::as_str).is_some_and(|key| key.eq_ignore_ascii_case(name));
        if let (true, Some(value)) = (is_named, value) {
            each_value(value, see);
        }
    }
}

fn each_value(value: Json<'_>, see: &mut dyn FnMut(&[u8])) {
    for text in [value].into_iter().chain(value.items()).filter_map(Json::as_str) {
        see(text.trim().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::Document;

    fn values(headers: &str) -> Vec<String> {
        Document::default().read(headers.as_bytes(), |value| {
            let mut found = Vec::new();
            let mut see = |value: &[u8]| found.push(String::from_utf8_lossy(value).into_owned());
            Headers::new(value.ok()).each("x-api-secret", &mut see);
            found
        })
    }

    #[test]
    fn every_form_of_headers_is_read_without_regard_to_case() {
        for headers in [
            r#"{"X-Api-Secret":"s","Host":"h"}"#,
            r#"{"x-api-secret":[" s "],"host":["h"]}"#,
            r#"[{"name":"X-API-SECRET","value":"s"},{"name":"Host","value":"h"}]"#,
            r#"[["Host","h"],["x-Api-sEcret","s"]]"#,
        ] {
            assert_eq!(values(headers), ["s"], "{headers}");
        }
        assert_eq!(values(r#"{"X-Api-Secret":["s","t"],"x-api-secret":"u"}"#), ["s", "t", "u"]);
    }

    #[test]
    fn what_are_no_headers_has_none() {
        for headers in [
            "null",
            "\"X-Api-Secret: s\"",
            "[]",
            "{\"X-Api-Secret\":null}",
            "[\"X-Api-Secret\",\"s\"]",
            "[{\"name\":\"X-Api-Secret\"}]",
            "[[\"X-Api-Secret\"]]",
            "{\"X-Api-Secret\":{\"value\":\"s\"}}",
        ] {
            assert_eq!(values(headers), [""; 0], "{headers}");
        }
        assert!(Headers::NONE.is_none());
    }
}
