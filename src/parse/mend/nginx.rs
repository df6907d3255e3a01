//! Decoding of bodies as nginx logs them if its `log_format` lacks `escape=json`: every quote,
//! backslash and byte that is not printable ASCII is written as in `\x22` (`ngx_http_log_module`,
//! `log_format`).

use super::repair::hex_byte;
use crate::grammar::Scanner;

/// The first bytes of an escaped object.
const BEGIN: &[u8] = br"{\x22";

/// Decodes the escaped object in `text`, which may follow the other fields of a log line, and
/// returns it with its number of escapes.
pub(super) fn decode(text: &[u8]) -> Option<(Vec<u8>, u64)> {
    let start = memchr::memmem::find(text, BEGIN)?;
    let head = &text[..start];
    // Inside a JSON string, the escapes belong to the string.
    if matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) && head.ends_with(b"\"") {
        return None;
    }
    let (mut decoded, mut count) = (Vec::new(), 0);
    let mut rest = &text[start..];
    while let Some(stop) = memchr::memchr(b'\\', rest) {
        decoded.extend_from_slice(&rest[..stop]);
        rest = &rest[stop..];
        if let Some(byte) = hex_byte(rest) {
            decoded.push(byte);
            count += 1;
            rest = &rest[4..];
        } else {
            decoded.push(b'\\');
            rest = &rest[1..];
        }
    }
    decoded.extend_from_slice(rest);
    let end = Scanner::scan(&decoded).ok()?;
    decoded.truncate(end);
    Some((decoded, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<String> {
        decode(text.as_bytes()).map(|(text, _)| String::from_utf8(text).unwrap())
    }

    #[test]
    fn an_escaped_object_is_found_alone_and_in_a_log_line() {
        let expected = r#"{"a": "b\"c", "d": {}}"#;
        for text in [
            r"{\x22a\x22: \x22b\x5C\x22c\x22, \x22d\x22: {}}",
            r#"10.0.0.1 - - [01/Mar/2025:10:00:01 +0000] "POST /hook" 200 "{\x22a\x22: \x22b\x5C\x22c\x22, \x22d\x22: {}}" "-""#,
        ] {
            assert_eq!(decoded(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_object_is_left_alone() {
        for text in [r#"{"a":1}"#, r"{\x22a\x22: ", r#"{"body":"{\x22a\x22:1}"}"#, r"{\x22"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
