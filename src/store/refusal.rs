//! What a store says when it refuses, reduced to what may be shown.

use std::fmt;

/// What stands around it where it passes through other texts.
const BEGIN: &str = "<refusal ";
const END: char = '>';

/// Codes and regions are short names; what is no such name is not shown.
const LONGEST_NAME: usize = 64;

/// The status of an answer, the code of its body, and the region of the bucket where that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status of HTTP.
    pub status: u16,
    /// What the store calls it, such as `AccessDenied`.
    pub code: Option<String>,
    /// Where the bucket is.
    pub region: Option<String>,
}

impl Refusal {
    /// What an answer with this status and body, and perhaps a code of its own, comes to.
    pub fn new(status: u16, code: Option<&str>, body: &[u8], region: Option<&str>) -> Self {
        let body = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
        let of_body = || between(&body, "<Code>", "</Code>").or_else(|| json_code(&body));
        let code = code.or_else(of_body).and_then(name);
        Self { status, code, region: region.and_then(name) }
    }

    /// The one that stands in `text`.
    pub fn find(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(BEGIN)?;
        let (inner, _) = rest.split_once(END)?;
        let mut words = inner.split(' ');
        let status = words.next()?.parse().ok()?;
        let mut next = || words.next().and_then(name);
        Some(Self { status, code: next(), region: next() })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [code, region] = [&self.code, &self.region].map(|it| it.as_deref().unwrap_or("-"));
        write!(f, "{BEGIN}{} {code} {region}{END}", self.status)
    }
}

/// `text`, if it is a name that may be shown.
fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let is_name = text.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char));
    let is_some = !text.is_empty() && text != "-" && text.len() <= LONGEST_NAME;
    (is_name && is_some).then(|| text.to_owned())
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    text.split_once(begin)?.1.split_once(end).map(|(inner, _)| inner)
}

/// The code of an answer in JSON: `{"error": "invalid_grant"}`, `{"error": {"code": …}}`.
fn json_code(body: &str) -> Option<&str> {
    let rest = body.split_once("\"error\"")?.1;
    rest.split_once('"')?.1.split_once('"').map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refusal_only_its_code_is_kept() {
        let body =
            b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>canary</AWSAccessKeyId>\
                     <StringToSign>canary</StringToSign></Error>";
        let refusal = Refusal::new(403, None, body, Some("eu-west-1"));
        let text = format!("Error at https://host/?sig=canary: {refusal} after 3 tries");
        assert_eq!(refusal.code.as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(Refusal::find(&text), Some(refusal.clone()));
        assert!(!refusal.to_string().contains("canary"));
    }

    #[test]
    fn codes_of_json_and_of_headers_are_read_and_texts_are_not() {
        let code = |code, body: &str| Refusal::new(400, code, body.as_bytes(), None).code;
        assert_eq!(code(None, r#"{"error":"invalid_grant"}"#).as_deref(), Some("invalid_grant"));
        assert_eq!(code(Some("BlobNotFound"), "").as_deref(), Some("BlobNotFound"));
        assert_eq!(code(None, "<Code>a secret text</Code>"), None);
        assert_eq!(code(None, "no code"), None);
        let plain = Refusal::new(503, None, b"", None);
        assert_eq!(Refusal::find(&plain.to_string()), Some(plain));
    }
}
