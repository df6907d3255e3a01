//! Error responses of stores, reduced to what messages may contain.

use std::fmt;

/// Delimiters of the text of an error response, which errors of `object_store` contain.
const BEGIN: &str = "<error-response ";
const END: char = '>';

/// The maximum length of codes and regions, in bytes. Longer texts are not codes and are dropped.
const MAX_NAME_BYTES: usize = 64;

/// The status, the error code and the region of an error response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The error code, such as `AccessDenied`.
    pub code: Option<String>,
    /// The region of the bucket, in a redirect to another region.
    pub region: Option<String>,
}

impl ErrorResponse {
    /// Extracts the error code from `body`, unless a header contains the `code`.
    pub fn new(status: u16, code: Option<&str>, body: &[u8], region: Option<&str>) -> Self {
        let body = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
        let code_of_body = || between(&body, "<Code>", "</Code>").or_else(|| json_code(&body));
        let code = code.or_else(code_of_body).and_then(name);
        Self { status, code, region: region.and_then(name) }
    }

    /// Parses the error response that `text` contains in its [`Display`](fmt::Display) form.
    pub fn find(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(BEGIN)?;
        let (inner, _) = rest.split_once(END)?;
        let mut words = inner.split(' ');
        let status = words.next()?.parse().ok()?;
        let mut next = || words.next().and_then(name);
        Some(Self { status, code: next(), region: next() })
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [code, region] = [&self.code, &self.region].map(|it| it.as_deref().unwrap_or("-"));
        write!(f, "{BEGIN}{} {code} {region}{END}", self.status)
    }
}

/// Returns `text` if it looks like a code or a region, not like a text that may contain a secret.
fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let is_name = text.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char));
    let is_some = !text.is_empty() && text != "-" && text.len() <= MAX_NAME_BYTES;
    (is_name && is_some).then(|| text.to_owned())
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    text.split_once(begin)?.1.split_once(end).map(|(inner, _)| inner)
}

/// Returns the error code of a body in JSON: `{"error": "invalid_grant"}`, `{"error": {"code":
/// …}}`.
fn json_code(body: &str) -> Option<&str> {
    let rest = body.split_once("\"error\"")?.1;
    rest.split_once('"')?.1.split_once('"').map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_only_the_code_of_a_body() {
        let body =
            b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>canary</AWSAccessKeyId>\
                     <StringToSign>canary</StringToSign></Error>";
        let response = ErrorResponse::new(403, None, body, Some("eu-west-1"));
        let text = format!("Error at https://host/?sig=canary: {response} after 3 tries");
        assert_eq!(response.code.as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(ErrorResponse::find(&text), Some(response.clone()));
        assert!(!response.to_string().contains("canary"));
    }

    #[test]
    fn reads_codes_of_json_and_headers_but_no_texts() {
        let code = |code, body: &str| ErrorResponse::new(400, code, body.as_bytes(), None).code;
        assert_eq!(code(None, r#"{"error":"invalid_grant"}"#).as_deref(), Some("invalid_grant"));
        assert_eq!(code(Some("BlobNotFound"), "").as_deref(), Some("BlobNotFound"));
        assert_eq!(code(None, "<Code>a secret text</Code>"), None);
        assert_eq!(code(None, "no code"), None);
        let plain = ErrorResponse::new(503, None, b"", None);
        assert_eq!(ErrorResponse::find(&plain.to_string()), Some(plain));
    }
}
