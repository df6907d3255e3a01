//! Masking of e-mail addresses, which must not appear in logs.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// The percent-encodings of `@` in URLs, and in URLs within URLs.
const ENCODED: [&str; 2] = ["%40", "%2540"];

/// Returns `text` with the local part of each e-mail address replaced by asterisks of the same
/// width, so that carets on the next line stay aligned. The `@` may be percent-encoded.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = next_at(rest) {
        let (before, after) = (&rest[..at.start], &rest[at.end..]);
        let is_encoded = at.len() > 1;
        let has_domain = after.chars().next().is_some_and(char::is_alphanumeric);
        let local = local_start(before, is_encoded);
        let (kept, local) = before.split_at(if has_domain { local } else { before.len() });
        let columns: usize = local.chars().filter_map(UnicodeWidthChar::width).sum();
        out.push_str(kept);
        out.extend(std::iter::repeat_n('*', columns));
        out.push_str(&rest[at]);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Returns the ranges of all addresses in `text`, domains included.
pub(super) fn places(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(at) = next_at(&text[from..]) {
        let at = from + at.start..from + at.end;
        let start = from + local_start(&text[from..at.start], at.len() > 1);
        let end = at.end + domain_len(&text[at.end..]);
        if start < at.start && end > at.end {
            found.push(start..end);
        }
        from = end;
    }
    found
}

/// Returns the start of the local part in the text `before` an `@`.
fn local_start(before: &str, is_encoded: bool) -> usize {
    let ends = |char: char| !is_local(char) || (is_encoded && is_delimiter(char));
    let after = |at: usize| at + before[at..].chars().next().map_or(0, char::len_utf8);
    before.rfind(ends).map_or(0, after)
}

/// Returns the length of the domain that `text` begins with.
fn domain_len(text: &str) -> usize {
    let is_domain = |char: char| char.is_alphanumeric() || char == '.' || char == '-';
    let end = text.find(|char| !is_domain(char)).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', '-']).len()
}

/// Returns `true` if [`masked`] may change `text`.
pub fn may_have(text: &str) -> bool {
    next_at(text).is_some()
}

/// Returns the range of the next `@`, encoded or not.
fn next_at(text: &str) -> Option<Range<usize>> {
    memchr::memchr2_iter(b'@', b'%', text.as_bytes()).find_map(|at| {
        let rest = &text[at..];
        let mark = if rest.starts_with('@') {
            Some("@")
        } else {
            ENCODED.into_iter().find(|mark| rest.starts_with(mark))
        };
        mark.map(|mark| at..at + mark.len())
    })
}

/// Returns `true` if `char` is usual before the `@` (RFC 5322, `atext` and the dot). The asterisk
/// is excluded: it occurs in patterns, which are not addresses.
pub(crate) fn is_local(char: char) -> bool {
    char.is_alphanumeric() || "!#$%&+-/=?^_{|}~.".contains(char)
}

/// Returns `true` if `char` delimits parts of a URL: where the `@` is encoded, it would be encoded
/// too.
fn is_delimiter(char: char) -> bool {
    "#&/=?".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn addresses_lose_their_local_part() {
        for (text, shown) in [
            ("block = [\"ana.r+x@acme.example\", 3]", "block = [\"*******@acme.example\", 3]"),
            ("a@b.co,c@d.co", "*@b.co,*@d.co"),
            ("'jörg@acme.example'", "'****@acme.example'"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn the_at_may_be_percent_encoded() {
        for (text, shown) in [
            ("/a?email=ana%40acme.example&b=1", "/a?email=***%40acme.example&b=1"),
            ("ana%2Br%40acme.example", "*******%40acme.example"),
            ("u=%2Fa%3Fe%3Dana%2540acme.example", "u=**************%2540acme.example"),
            ("ana%40acme.example@mail.example", "***%40************@mail.example"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn what_is_no_address_stays() {
        for text in [
            "*@example.test",
            "a @ b",
            "@handle",
            "user@",
            "ana @acme",
            "",
            "@",
            "100%4",
            "50 % 40",
            "*%40example.test",
            "a%40 b",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    proptest! {
        #[test]
        fn the_width_stays(text in "([a-zé世@. *\'-]|%40|%25|%2540){0,40}") {
            prop_assert_eq!(masked(&text).width(), text.width());
        }
    }
}
