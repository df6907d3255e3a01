//! Detection of requests in an HTTP archive that no Segment library sent: a browser saves every
//! request of a page.

use super::capture::{Body, Capture};
use super::rebuild::call_of_path;
use super::shape::Shape;

/// Members of Segment's calls and batches.
const WORDS: [&str; 5] = ["messageId", "anonymousId", "userId", "writeKey", "\"batch\""];

/// Returns `true` if `capture` is an entry of an HTTP archive whose URL and body have nothing to do
/// with Segment.
pub(super) fn is_foreign(capture: &Capture<'_>) -> bool {
    if capture.shape != Shape::Har {
        return false;
    }
    let Some(url) = capture.path else { return false };
    match capture.body {
        Body::Text(text) => !mentions_calls(text) && !is_call_url(url),
        Body::Absent(_) => !is_call_url(url),
        // An encoded body is decoded and judged later, like any body.
        _ => false,
    }
}

fn mentions_calls(text: &str) -> bool {
    WORDS.iter().any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// Returns `true` if requests to `url` carry calls: those of the HTTP tracking API and those to a
/// webhook.
fn is_call_url(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.split('/');
    call_of_path(url).is_some()
        || ["/v1/batch", "/v1/b", "/v1/import"].iter().any(|end| path.ends_with(end))
        || segments.any(|segment| segment == "webhook" || segment == "bulk")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;
    use crate::parse::capture::Found;

    fn foreign(method: &str, url: &str, body: Option<&str>) -> bool {
        let post = body.map(|text| serde_json::json!({ "text": text }));
        let request = serde_json::json!({ "method": method, "url": url, "postData": post });
        let entry = serde_json::json!({ "startedDateTime": "x", "request": request });
        with_json(&entry.to_string(), |value| match Found::in_object(value) {
            Some(Found::One(capture)) => is_foreign(&capture),
            _ => panic!("no capture"),
        })
    }

    #[test]
    fn only_what_has_nothing_of_segments_is_foreign() {
        assert!(foreign("GET", "https://acme.example/app.js", None));
        assert!(foreign("POST", "https://acme.example/graphql", Some("{\"query\":\"{me}\"}")));
        assert!(foreign("POST", "https://stats.example/g/collect", Some("")));
        assert!(!foreign("POST", "https://api.segment.io/v1/t", Some("{}")));
        assert!(!foreign("POST", "https://cdn.example/evs/abc", Some("{\"writeKey\":\"w\"}")));
        assert!(!foreign("POST", "https://in.example/webhook/k", None));
        assert!(!foreign("GET", "https://api.segment.io/v1/pixel/track?data=e30", None));
    }
}
