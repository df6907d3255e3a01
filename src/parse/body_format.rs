//! Detection of bodies of captures that are in another format than JSON, with advice for each.

/// The first bytes of compressed data. In a text, bytes past 127 have become U+FFFD, or the
/// characters of Latin-1.
const COMPRESSED: [(&[&[u8]], &str); 3] = [
    (
        &[b"\x1f\x8b", b"\x1f\xef\xbf\xbd", b"\x1f\xc2\x8b"],
        "expected JSON, found gzip data; capture the body decompressed, or decompress it before",
    ),
    (
        &[b"\x28\xb5\x2f\xfd", b"\x28\xef\xbf\xbd\x2f\xef\xbf\xbd", b"\x28\xc2\xb5\x2f\xc3\xbd"],
        "expected JSON, found zstd data; capture the body decompressed, or decompress it before",
    ),
    (
        &[
            b"\x78\x01",
            b"\x78\x9c",
            b"\x78\xda",
            b"\x78\xef\xbf\xbd",
            b"\x78\xc2\x9c",
            b"\x78\xc3\x9a",
        ],
        "expected JSON, found zlib (deflate) data; capture the body decompressed, or decompress it \
         before",
    ),
];

const FORM: &str = "expected JSON, found a form (application/x-www-form-urlencoded); have the \
                    sender post JSON, or take the JSON out of its field before";

/// The maximum length of the first field name of a form, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Returns the detail of a reject for `body`, which has no surrounding whitespace, if its format is
/// known and is not JSON.
pub(super) fn foreign_format(body: &[u8]) -> Option<&'static str> {
    if body.starts_with(b"{") || body.starts_with(b"[") {
        return None;
    }
    let compressed =
        COMPRESSED.iter().find(|(marks, _)| marks.iter().any(|mark| body.starts_with(mark)));
    compressed.map(|(_, detail)| *detail).or_else(|| is_form(body).then_some(FORM))
}

/// Returns `true` if `body` begins with a name and `=` as a form does. A body that ends after the
/// sign may be base64 and is not taken for a form.
fn is_form(body: &[u8]) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+%[]*".contains(&byte);
    let name = body.iter().take_while(|&&byte| is_name(byte)).count();
    let value = body.get(name + 1..).unwrap_or_default();
    (1..=MAX_NAME_BYTES).contains(&name)
        && body.get(name) == Some(&b'=')
        && value.iter().any(|&byte| byte != b'=')
        && !body.iter().any(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &[u8]) -> Option<&'static str> {
        let detail = foreign_format(body)?.strip_prefix("expected JSON, found ")?;
        detail.split([' ', ';']).next()
    }

    #[test]
    fn compressed_bodies_are_told_by_their_beginnings() {
        assert_eq!(found(b"\x1f\x8b\x08\x00rest"), Some("gzip"));
        assert_eq!(found("\u{1f}\u{fffd}\u{8}".as_bytes()), Some("gzip"));
        assert_eq!(found("\u{1f}\u{8b}\u{8}".as_bytes()), Some("gzip"));
        assert_eq!(found(b"\x28\xb5\x2f\xfd\x04"), Some("zstd"));
        assert_eq!(found("(\u{b5}/\u{fd}".as_bytes()), Some("zstd"));
        assert_eq!(found(b"\x78\x9c\xab"), Some("zlib"));
    }

    #[test]
    fn a_form_begins_with_a_name_and_a_value() {
        for form in ["payload=%7B%22type%22%3A1%7D", "a=1&b=2", "user[name]=x", "data=eyJ9"] {
            assert_eq!(found(form.as_bytes()), Some("a"), "{form}");
        }
        for other in [
            "{\"a=\":1}",
            "[1]",
            "eyJhIjoxfQ==",
            "eyJhIjoxfQ=",
            "a",
            "=",
            "",
            "level=info msg=\"x\"",
            "x",
        ] {
            assert_eq!(found(other.as_bytes()), None, "{other}");
        }
    }
}
