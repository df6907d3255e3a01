//! The names that mark values as secret: of headers, members and parameters.

/// Headers whose values are always secret. Names are compared without case, with `_` as `-`, and
/// without the `HTTP_` prefix of CGI.
const NAMES: [&str; 6] =
    ["x-api-secret", "x-api-key", "authorization", "proxy-authorization", "cookie", "set-cookie"];

/// The stems of [`NAMES`]: each name contains one of them.
const STEMS: [&str; 4] = ["x-api-secret", "x-api-key", "authorization", "cookie"];

/// Words that mark a name as that of a secret, also in the plural.
const WORDS: [&str; 18] = [
    "token",
    "secret",
    "key",
    "auth",
    "authorization",
    "oauth",
    "cookie",
    "signature",
    "session",
    "password",
    "passwd",
    "passphrase",
    "jwt",
    "credential",
    "pwd",
    "cvv",
    "cvc",
    "cardnumber",
];

/// Endings of words that mark a name as that of a secret: `authtoken`, `writekey`.
const ENDINGS: [&str; 17] = [
    "token",
    "secret",
    "password",
    "cookie",
    "signature",
    "credential",
    "sessionid",
    "sessid",
    "apikey",
    "writekey",
    "authkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "signingkey",
    "sessionkey",
    "sharedkey",
];

/// The maximum length of a name, in bytes; longer strings are not names.
const MAX_NAME_BYTES: usize = 80;

/// Returns `true` if `text` is one of [`NAMES`], possibly with surrounding blanks or a colon.
pub(super) fn is_header(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':').trim_end().as_bytes();
    let text = match text.split_at_checked(5) {
        Some((prefix, rest)) if alike(prefix, b"http-") => rest,
        _ => text,
    };
    NAMES.iter().any(|name| alike(text, name.as_bytes()))
}

/// Returns `true` if `text` is a name that one of its words marks as that of a secret. A bare `key`
/// is excluded: it mostly means that a value is next to it.
pub(super) fn is_secret(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':');
    text.len() <= MAX_NAME_BYTES
        && text.bytes().all(is_part)
        && !text.eq_ignore_ascii_case("key")
        && !text.eq_ignore_ascii_case("keys")
        && has_secret_word(text)
}

/// Returns `true` if a step of the dotted property path `path` names a secret. Unlike names of
/// headers, steps may contain blanks and other characters.
pub fn is_secret_path(path: &str) -> bool {
    path.split('.').any(|step| {
        let step = step.trim_end_matches("[]");
        let plain = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
        let step: String = step.chars().map(plain).collect();
        !matches!(&*step.to_ascii_lowercase(), "key" | "keys") && has_secret_word(&step)
    })
}

/// Returns `true` if `byte` can be part of a name.
pub(super) fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'[' | b']')
}

/// Returns `true` if a word of `name` marks a secret. Words end at characters other than letters
/// and digits, and where lower case changes to upper case.
fn has_secret_word(name: &str) -> bool {
    let bytes = name.as_bytes();
    let begins = |at: usize| {
        let [before, byte] = [bytes[at - 1], bytes[at]];
        let next = bytes.get(at + 1);
        !byte.is_ascii_alphanumeric()
            || !before.is_ascii_alphanumeric()
            || (byte.is_ascii_uppercase()
                && (!before.is_ascii_uppercase() || next.is_some_and(u8::is_ascii_lowercase)))
    };
    let mut words = [""; 2];
    let mut start = 0;
    (1..=bytes.len()).any(|end| {
        if end < bytes.len() && !begins(end) {
            return false;
        }
        let word = name[start..end].trim_start_matches(|char: char| !char.is_ascii_alphanumeric());
        start = end;
        words = if word.is_empty() { words } else { [words[1], word] };
        let [one, two] = words;
        is_secret_word(word)
            || (one.eq_ignore_ascii_case("card") && two.eq_ignore_ascii_case("number"))
    })
}

fn is_secret_word(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let single = word.strip_suffix('s').unwrap_or(&word);
    WORDS.contains(&single)
        || WORDS.contains(&word.as_str())
        || ENDINGS.iter().any(|ending| single.ends_with(ending) || word.ends_with(ending))
}

/// Returns `true` if `text` contains one of [`NAMES`].
pub(super) fn mentions_header(text: &str) -> bool {
    STEMS.iter().any(|stem| places(text, stem).next().is_some())
}

/// Returns `true` if `text` contains one of [`NAMES`] followed by a colon, an equals sign or a
/// quote, which makes it the name of a header. `Cookie Consent` does not qualify.
pub(super) fn names_header(text: &str) -> bool {
    STEMS.iter().any(|stem| {
        places(text, stem).any(|at| {
            let rest = text.as_bytes().get(at + stem.len()..).unwrap_or_default();
            let rest = rest.strip_prefix(b"s").unwrap_or(rest);
            rest.trim_ascii_start().first().is_some_and(|next| b":=\"'\\".contains(next))
        })
    })
}

/// Returns the offsets of `stem` in `text`.
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
            assert!(is_header(name), "{name}");
        }
        for name in ["", "X-Api-Secrets", "Cookie Consent", "http", "x-signature", "é-cookie"] {
            assert!(!is_header(name), "{name}");
        }
    }

    #[test]
    fn names_are_told_by_their_words() {
        for name in [
            "X-Auth-Token",
            "X-Amz-Security-Token",
            "X-Signature",
            "Api-Key",
            "X-Access-Token",
            "X-Functions-Key",
            "Private-Token",
            "X-Password",
            "Cf-Access-Jwt-Assertion",
            "X-Session-Id",
            "writeKey",
            "write_key",
            "APIKey",
            "apikey",
            "accessToken",
            "tokens",
            "client_secret",
            "userPassword",
            "JSESSIONID",
            "PHPSESSID",
            "OAuth",
            "credentials",
            "auth",
            "session[id]",
            "x.credential:",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "",
            "key",
            "Key",
            "keyword",
            "monkey",
            "author",
            "authenticated",
            "tokenizer",
            "anonymousId",
            "secretary",
            "Session Started",
            "Password Reset",
            "keyboard_layout",
            "passwordless",
            "obsession",
            "é_token",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_path_is_secret_by_any_of_its_steps() {
        for path in [
            "properties.userPassword",
            "properties.Api Key",
            "properties.token.value",
            "properties.é_tokens[]",
            "properties.card_number",
            "traits.cardNumber",
            "cardnumber",
            "cvv",
        ] {
            assert!(is_secret_path(path), "{path}");
        }
        for path in ["properties.key", "keys[].name", "properties.author", "card.number", ""] {
            assert!(!is_secret_path(path), "{path}");
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
            assert!(names_header(text) && mentions_header(text), "{text}");
        }
        for text in ["Cookie Consent Accepted", "Authorization", "cookie"] {
            assert!(!names_header(text) && mentions_header(text), "{text}");
        }
        assert!(!mentions_header("cook"));
    }
}
