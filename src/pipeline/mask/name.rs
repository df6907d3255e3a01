//! The names of headers that hold secrets.

/// Headers whose values are secret. They are compared without case, with `_` as `-`, and without
/// the `HTTP_` that CGI puts before them.
const NAMES: [&str; 6] =
    ["x-api-secret", "x-api-key", "authorization", "proxy-authorization", "cookie", "set-cookie"];

/// What every one of [`NAMES`] contains one of.
const STEMS: [&str; 4] = ["x-api-secret", "x-api-key", "authorization", "cookie"];

/// Whether `text` is such a name, perhaps with blanks or a colon about it.
pub(super) fn is_name(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':').trim_end().as_bytes();
    let text = match text.split_at_checked(5) {
        Some((prefix, rest)) if alike(prefix, b"http-") => rest,
        _ => text,
    };
    NAMES.iter().any(|name| alike(text, name.as_bytes()))
}

/// Whether `text` has such a name anywhere.
pub(super) fn speaks_of_a_header(text: &str) -> bool {
    STEMS.iter().any(|stem| places(text, stem).next().is_some())
}

/// Whether `text` has such a name with something behind it that makes it one: a colon, an equals
/// sign or a quote. `Cookie Consent` has none.
pub(super) fn names_a_header(text: &str) -> bool {
    STEMS.iter().any(|stem| {
        places(text, stem).any(|at| {
            let rest = text.as_bytes().get(at + stem.len()..).unwrap_or_default();
            let rest = rest.strip_prefix(b"s").unwrap_or(rest);
            rest.trim_ascii_start().first().is_some_and(|next| b":=\"'\\".contains(next))
        })
    })
}

/// Where `stem` stands in `text`.
fn places<'a>(text: &'a str, stem: &'a str) -> impl Iterator<Item = usize> + 'a {
    let windows = text.as_bytes().windows(stem.len()).enumerate();
    windows.filter(|(_, window)| alike(window, stem.as_bytes())).map(|(at, _)| at)
}

fn alike(text: &[u8], name: &[u8]) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    text.len() == name.len() && text.iter().zip(name).all(|(&a, &b)| plain(a) == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_in_any_writing() {
        for name in ["X-Api-Secret", "x_api_secret", "HTTP_X_API_SECRET", " COOKIE: ", "set-cookie"]
        {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "X-Api-Secrets", "Cookie Consent", "http", "x-signature", "é-cookie"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_name_with_a_value_behind_it_is_more_than_a_word() {
        for text in [
            "a\r\nX-Api-Secret: s",
            "curl -H 'cookie : a=b'",
            "['Authorization', 's']",
            "cookies=1",
        ] {
            assert!(names_a_header(text) && speaks_of_a_header(text), "{text}");
        }
        for text in ["Cookie Consent Accepted", "Authorization", "cookie"] {
            assert!(!names_a_header(text) && speaks_of_a_header(text), "{text}");
        }
        assert!(!speaks_of_a_header("cook"));
    }
}
