//! Secrets in plain text, JSON or not: values after a name, in a query string, in the path of a
//! webhook, in the authority of a URL, after `Bearer` or `Basic`, and keys with a service's prefix.

use std::ops::Range;

use base64::Engine as _;
use memchr::memmem;

use super::name::{is_part, is_secret};
use super::{BASE64, HIDDEN};

/// The path segments of TrailSpark's URLs that precede a key.
const PATHS: [&str; 2] = ["webhook", "bulk"];
/// The minimum length of a token after `Bearer`; a shorter word is part of a sentence.
const MIN_TOKEN_BYTES: usize = 6;
/// The prefixes of keys that services issue.
const KEY_PREFIXES: [&str; 5] = ["sk_live_", "sk_test_", "ghp_", "xoxb-", "AKIA"];

/// Returns the byte ranges of `text` to hide, unsorted and possibly overlapping.
pub(super) fn hidden(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    named_values(text, &mut found);
    for path in PATHS {
        keys_of_path(text, path, &mut found);
    }
    bearers(text, &mut found);
    basics(text, &mut found);
    prefixed_keys(text, &mut found);
    web_tokens(text, &mut found);
    passwords_of_urls(text, &mut found);
    found.retain(|range| {
        let value = &text[range.clone()];
        !value.is_empty() && value.bytes().any(|byte| byte != b'*')
    });
    found
}

/// Returns the number of bytes from `at` on that are `wanted`.
fn run(bytes: &[u8], at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len())
}

/// Finds values such as in `X-Auth-Token: …`, `?token=…` and `"writeKey":"…"`.
fn named_values(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = run(bytes, at, is_part);
        let name = &text[at..at + length];
        let is_bare_key = name.eq_ignore_ascii_case("key");
        if length > 0 && (is_bare_key || is_secret(name)) {
            found.extend(value_behind(bytes, at + length, is_bare_key));
        }
        at += length.max(1);
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
}

/// Returns the value of the name that ends at `at`. A bare `key` has a value only as a parameter.
fn value_behind(bytes: &[u8], at: usize, is_bare_key: bool) -> Option<Range<usize>> {
    let is_quote = |byte: u8| matches!(byte, b'"' | b'\'' | b'\\');
    let quotes = run(bytes, at, is_quote);
    let mut at = at + quotes;
    at += run(bytes, at, |byte| byte == b' ' || byte == b'\t');
    let by = *bytes.get(at).filter(|by| matches!(by, b':' | b'='))?;
    if is_bare_key && (by == b':' || quotes > 0) {
        return None;
    }
    at += 1;
    if by == b'=' {
        at += run(bytes, at, |byte| matches!(byte, b'>' | b'='));
    }
    at += run(bytes, at, |byte| byte == b' ' || byte == b'\t');
    let opening = run(bytes, at, is_quote);
    at += opening;
    if opening == 0 && by == b':' && matches!(bytes.get(at), Some(b'{' | b'[')) {
        return None; // read as JSON
    }
    let ends = |byte: u8| match (opening > 0, by, quotes > 0) {
        (true, ..) => is_quote(byte) || byte == b'\n',
        (_, b':', false) => is_quote(byte) || byte == b'\n' || byte == b'\r',
        _ => is_quote(byte) || byte.is_ascii_whitespace() || b"&;,)}]<>#".contains(&byte),
    };
    Some(at..at + run(bytes, at, |byte| !ends(byte)))
}

/// Finds keys in `…/webhook/KEY`, `…/webhook/SOURCE/KEY` and `…/bulk/KEY/batch`, also with escaped
/// slashes.
fn keys_of_path(text: &str, path: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    for at in memmem::find_iter(bytes, path) {
        if at == 0 || bytes[at - 1] != b'/' {
            continue;
        }
        let mut at = at + path.len();
        loop {
            let slash = run(bytes, at, |byte| byte == b'\\');
            if bytes.get(at + slash) != Some(&b'/') {
                break;
            }
            at += slash + 1;
            let ends = |byte: u8| byte.is_ascii_whitespace() || b"/?#\"'\\&<>,;)}]".contains(&byte);
            let length = run(bytes, at, |byte| !ends(byte));
            if &text[at..at + length] != "batch" {
                found.push(at..at + length);
            }
            at += length;
        }
    }
}

/// Finds tokens after `Bearer`.
fn bearers(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    for end in memmem::find_iter(bytes, "earer").map(|at| at + "earer".len()) {
        let at = end + run(bytes, end, |byte| byte == b' ');
        let length = run(bytes, at, is_token);
        if at > end && length >= MIN_TOKEN_BYTES {
            found.push(at..at + length);
        }
    }
}

/// Finds credentials after `Basic`: the base64 of `USER:PASSWORD`.
fn basics(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    for end in memmem::find_iter(bytes, "asic ").map(|at| at + "asic ".len()) {
        let at = end + run(bytes, end, |byte| byte == b' ');
        let length = run(bytes, at, is_base64);
        // Of truncated base64, only whole groups are decoded.
        let groups = &text[at..at + length / 4 * 4];
        if BASE64.decode(groups).is_ok_and(|plain| plain.contains(&b':')) {
            found.push(at..at + length);
        }
    }
}

/// Finds keys that begin with the prefix of the service that issued them.
fn prefixed_keys(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    for beginning in KEY_PREFIXES {
        for at in memmem::find_iter(bytes, beginning) {
            let length = run(bytes, at, is_key);
            let starts = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            if starts && length >= beginning.len() + MIN_TOKEN_BYTES {
                found.push(at..at + length);
            }
        }
    }
}

/// Finds JSON web tokens: `{"` in base64, and two dots.
fn web_tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    for at in memmem::find_iter(bytes, "eyJ") {
        let length = run(bytes, at, is_token);
        if text[at..at + length].split('.').count() > 2 {
            found.push(at..at + length);
        }
    }
}

/// Finds the credentials of `https://USER:PASSWORD@host`.
fn passwords_of_urls(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    for at in memmem::find_iter(bytes, "://").map(|at| at + "://".len()) {
        let ends = |byte: u8| byte.is_ascii_whitespace() || b"/?#\"'\\<>@".contains(&byte);
        let length = run(bytes, at, |byte| !ends(byte));
        if bytes.get(at + length) == Some(&b'@') && bytes[at..at + length].contains(&b':') {
            found.push(at..at + length);
        }
    }
}

/// Returns `text` with each of `ranges` replaced by [`HIDDEN`].
pub(super) fn replaced(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for range in ranges {
        if range.start >= at {
            out.push_str(&text[at..range.start]);
            out.push_str(HIDDEN);
        }
        at = at.max(range.end);
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        replaced(text, hidden(text))
    }

    #[test]
    fn what_stands_behind_a_name_is_hidden() {
        for (text, expected) in [
            ("GET /x?token=s3cr&a=b HTTP/1.1", "GET /x?token=***&a=b HTTP/1.1"),
            ("/x?a=b&key=s3cr#top", "/x?a=b&key=***#top"),
            ("X-Auth-Token: s3cr s3cr\r\nHost: h", "X-Auth-Token: ***\r\nHost: h"),
            (r#"{"writeKey":"s3cr","a":1}"#, r#"{"writeKey":"***","a":1}"#),
            (r#"{"token":123,"a":1}"#, r#"{"token":***,"a":1}"#),
            (r#""{\"token\":\"s3cr\"}""#, r#""{\"token\":\"***\"}""#),
            ("api_secret = 's3cr'", "api_secret = '***'"),
            ("['token' => 's3cr']", "['token' => '***']"),
            ("session_id=s3cr; theme=dark", "session_id=***; theme=dark"),
            ("password=s3cr", "password=***"),
            ("curl -H 'Authorization: Bearer s3cr'", "curl -H 'Authorization: ***'"),
            ("sent Bearer s3crs3cr to h", "sent Bearer *** to h"),
            ("sent Basic YW5hOnMzY3I= to h", "sent Basic *** to h"),
            ("with sk_live_s3crs3cr.", "with ***."),
            ("AKIAS3CRS3CRS3CRS3CR", "***"),
            ("https://ana:s3cr@acme.example/", "https://***@acme.example/"),
            ("t eyJhbGciOi.eyJzdWIi.s3cr_x, u", "t ***, u"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn the_key_of_a_webhook_path_is_hidden() {
        for (text, expected) in [
            ("/webhook/s3cr", "/webhook/***"),
            (
                r#""path":"/webhook/web/s3cr/batch","a":1"#,
                r#""path":"/webhook/***/***/batch","a":1"#,
            ),
            (r"https:\/\/h\/bulk\/s3cr?x", r"https:\/\/h\/bulk\/***?x"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            r#"{"key":"Content-Type","value":"x"}"#,
            r#"{"session":{"id":"open"}}"#,
            "Session Started, Password Reset, Bearer of news",
            "keyword=shoes; author: Ana; token",
            "https://acme.example/webhooks/about?x=y@z",
            "a webhook and bulk",
            "Basic subscription, Basic plan, ghp_, task_live_shows",
            "expected `token`: a string",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_masked_for_good(text in r#"([=:&/"'\\ {},]|token|key|webhook|Bearer |eyJ|://|@|é|[a-c1.]){0,40}"#) {
            let once = shown(&text);
            prop_assert_eq!(shown(&once), once.clone());
        }
    }
}
