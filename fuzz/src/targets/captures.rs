//! Captures: every record ends in an event or a reject, whatever secrets are asked for, and no
//! reject shows one.

use backtrail::parse::auth::{Auth, Secret};
use backtrail::parse::excerpt;

use super::reading::{Found, block, parser};

const SECRET: &str = "hush-hush-0123456789";

/// Reads `data` as lines, alone and as the body of captures.
///
/// # Panics
/// If a line is lost, or a reject shows the secret of a header once it is masked.
pub fn target(data: &[u8]) {
    let auth = || Auth {
        api_secret: Secret::new(SECRET),
        api_key: Secret::new("key-0123456789"),
        signing_secret: Secret::new("signs-0123456789"),
    };
    let text = String::from_utf8_lossy(data);
    let quoted = serde_json::Value::from(&*text).to_string();
    let captures = [
        text.replace('\n', " "),
        format!(
            r#"{{"headers":{{"X-Api-Secret":"{SECRET}"}},"path":"/webhook/key-0123456789","body":{quoted}}}"#
        ),
        format!(
            r#"{{"headers":{{"Authorization":"Bearer {SECRET}","x-api-secret":["{SECRET}"]}},"content":{quoted}}}"#
        ),
        format!(
            r#"{{"requestContext":{{}},"headers":{{"x-signature":"{SECRET}"}},"body":{quoted},"isBase64Encoded":true}}"#
        ),
    ];
    for capture in captures {
        let mut found = Found::default();
        parser(auth()).read_block(&block(capture.as_bytes()), &mut found);
        assert!(
            capture.trim().is_empty() || !found.records.is_empty() || is_empty(&capture),
            "lost: {capture}"
        );
        for record in found.records {
            let shown = excerpt::secrets(&record, &auth());
            assert!(!shown.contains(SECRET), "shown: {shown}");
        }
    }
}

/// Whether `capture` holds nothing by its own account: separators, or a list without items.
fn is_empty(capture: &str) -> bool {
    let is_separator = |char: char| char.is_ascii_whitespace() || ",[]\u{1e}".contains(char);
    capture.chars().all(is_separator)
        || ["[]", "{}", "foreign", "entries", "log", "requests"]
            .iter()
            .any(|text| capture.contains(text))
}
