//! The body of a captured delivery, and base64.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::json::{Json, Kind};

/// Base64 with or without padding, because tools disagree about it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The body of a captured delivery.
#[derive(Clone, Copy, Debug)]
pub enum Body<'t> {
    /// The body is missing; the place where it was expected.
    Absent(&'static str),
    /// A body that is parsed JSON.
    Value(Json<'t>),
    /// A JSON text.
    Text(&'t str),
    /// A JSON text in base64.
    Base64(&'t str),
    /// A whole HTTP message in base64.
    Message(&'t str),
}

impl<'t> Body<'t> {
    /// Creates the body that `value` holds. `base64` says whether a string is base64.
    pub(super) fn new(value: Json<'t>, base64: bool) -> Self {
        match value.kind() {
            Kind::String(text) if base64 => Self::Base64(text),
            Kind::String(text) => Self::Text(text),
            _ => Self::Value(value),
        }
    }
}

/// Decodes `text` and appends the bytes to `out`. Returns `false` if `text` is not base64.
pub(crate) fn decode_base64(text: &str, out: &mut Vec<u8>) -> bool {
    BASE64.decode_vec(text.trim(), out).is_ok()
}

/// Returns `true` if `text`, whose encoding is not declared, can only be an object or a list in
/// base64: `{` and `[` become the letters `e` and `W`, with which no JSON begins.
pub(super) fn seems_base64(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    text.starts_with(['e', 'W']) && text.trim_end().bytes().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_blanks_around_base64_do_not_matter() {
        for text in ["e30=", "e30", " e30=\n"] {
            let mut out = Vec::new();
            assert!(decode_base64(text, &mut out), "{text}");
            assert_eq!(out, b"{}");
        }
        assert!(!decode_base64("e3 0=", &mut Vec::new()));
        assert!(!decode_base64("*", &mut Vec::new()));
    }

    #[test]
    fn only_what_cannot_be_json_seems_base64() {
        assert!(seems_base64("eyJhIjoxfQ==") && seems_base64("W10"));
        for text in ["{}", "[]", "null", "true", "\"e30=\"", "eleven o'clock", "123", ""] {
            assert!(!seems_base64(text), "{text}");
        }
    }
}
