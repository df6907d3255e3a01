//! The names of what is secret: of headers, members, parameters.

/// Headers whose values are secret wherever their names stand. They are compared without case,
/// with `_` as `-`, and without the `HTTP_` that CGI puts before them.
const NAMES: [&str; 6] =
    ["x-api-secret", "x-api-key", "authorization", "proxy-authorization", "cookie", "set-cookie"];

/// What every one of [`NAMES`] contains one of.
const STEMS: [&str; 4] = ["x-api-secret", "x-api-key", "authorization", "cookie"];

/// A name that has one of these words, or their plural, is that of a secret.
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

/// So is one that has a word with one of these endings: `authtoken`, `writekey`.
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

/// The longest name, in bytes; what is longer is a text.
const LONGEST: usize = 80;

/// Whether `text` is one of [`NAMES`], perhaps with blanks or a colon about it.
pub(super) fn is_header(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':').trim_end().as_bytes();
    let text = match text.split_at_checked(5) {
        Some((prefix, rest)) if alike(prefix, b"http-") => rest,
        _ => text,
    };
    NAMES.iter().any(|name| alike(text, name.as_bytes()))
}

/// Whether `text` is a name, and that of a secret by one of its words. A bare `key` is none: it
/// mostly says that a value stands beside it.
pub(super) fn is_secret(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':');
    text.len() <= LONGEST
        && text.bytes().all(is_part)
        && !text.eq_ignore_ascii_case("key")
        && !text.eq_ignore_ascii_case("keys")
        && has_secret_word(text)
}

/// Whether a step of `path`, as the dotted path of a property, is a name that says that its value
/// is secret. Steps may have blanks and other letters than names of headers have.
pub fn is_secret_path(path: &str) -> bool {
    path.split('.').any(|step| {
        let step = step.trim_end_matches("[]");
        let plain = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
        let step: String = step.chars().map(plain).collect();
        !matches!(&*step.to_ascii_lowercase(), "key" | "keys") && has_secret_word(&step)
    })
}

/// Whether `byte` can be part of a name.
pub(super) fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'[' | b']')
}

/// Words end at what is no letter or digit, and where small letters turn to capitals.
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

/// Whether `text` has one of [`NAMES`] anywhere.
pub(super) fn speaks_of_a_header(text: &str) -> bool {
    STEMS.iter().any(|stem| places(text, stem).next().is_some())
}

/// Whether `text` has one of [`NAMES`] with something behind it that makes it one: a colon, an
/// equals sign or a quote. `Cookie Consent` has none.
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
            assert!(names_a_header(text) && speaks_of_a_header(text), "{text}");
        }
        for text in ["Cookie Consent Accepted", "Authorization", "cookie"] {
            assert!(!names_a_header(text) && speaks_of_a_header(text), "{text}");
        }
        assert!(!speaks_of_a_header("cook"));
    }
}
