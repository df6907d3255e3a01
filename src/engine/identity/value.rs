//! Validates and normalises ids and e-mail addresses.

use crate::fql::glob::Glob;

/// Values that trackers send in place of a missing id.
const NO_IDS: [&str; 15] = [
    "anonymous",
    "null",
    "undefined",
    "unknown",
    "none",
    "nil",
    "na",
    "n/a",
    "guest",
    "-1",
    "0",
    "true",
    "false",
    "nan",
    "[object object]",
];
/// The length of the longest of [`NO_IDS`].
const NO_ID_MAX: usize = 15;
/// The maximum length of an address in SMTP (RFC 5321 with erratum 1690).
const EMAIL_MAX: usize = 254;
/// The scheme of links to e-mail addresses.
const MAILTO: &str = "mailto:";

/// The values that are never accepted as an id.
#[derive(Clone, Debug, Default)]
pub struct Blocklist {
    globs: Vec<Glob>,
}

impl Blocklist {
    /// Creates the list of the built-in values and `globs`, which must be lower-case.
    pub fn new(globs: Vec<Glob>) -> Self {
        Self { globs }
    }

    /// Returns whether `value` is never an id: one of the built-in values, only zeros and dashes,
    /// or matched by a glob. Case is ignored.
    pub fn blocks(&self, value: &str) -> bool {
        is_no_id(value.as_bytes()) || self.blocks_by_glob(value)
    }

    /// Returns whether a glob matches `value`, ignoring case.
    pub fn blocks_by_glob(&self, value: &str) -> bool {
        if self.globs.is_empty() {
            return false;
        }
        let lower = value.to_lowercase();
        self.globs.iter().any(|glob| glob.matches(&lower))
    }
}

fn is_no_id(value: &[u8]) -> bool {
    let only_filler = || value.iter().all(|byte| matches!(byte, b'0' | b'-'));
    match value.first() {
        Some(b'0' | b'-') if only_filler() => true,
        Some(_) if value.len() <= NO_ID_MAX => {
            NO_IDS.iter().any(|no_id| value.eq_ignore_ascii_case(no_id.as_bytes()))
        }
        _ => false,
    }
}

/// Why a value cannot be used as an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailFault {
    /// It is not an address.
    Invalid,
    /// The rules block the address.
    Blocked,
}

/// Writes the normalised address of `value` to `out`: trimmed and lower-cased, without zero-width
/// characters, `mailto:` and a display name, as in `Ana <ana@acme.example>`.
///
/// An address has one `@`, a non-empty local part, a domain that contains a dot but does not end
/// with one, no whitespace, commas or control characters, and at most 254 bytes.
///
/// # Errors
/// The reason why `value` is not accepted. The contents of `out` are then unspecified.
pub fn normalise_email(
    value: &str,
    blocklist: &Blocklist,
    out: &mut Vec<u8>,
) -> Result<(), EmailFault> {
    out.clear();
    if value.is_ascii() {
        out.extend(address(value).bytes().map(|byte| byte.to_ascii_lowercase()));
    } else {
        let visible: String = value.chars().filter(|char| !is_invisible(*char)).collect();
        out.extend_from_slice(address(&visible).to_lowercase().as_bytes());
    }
    let lower = std::str::from_utf8(out).map_err(|_| EmailFault::Invalid)?;
    let (local, domain) = lower.split_once('@').ok_or(EmailFault::Invalid)?;
    let never = |char: char| char == ',' || char.is_whitespace() || char.is_control();
    let valid = !local.is_empty()
        && domain.contains('.')
        && !domain.ends_with('.')
        && !domain.contains('@')
        && lower.len() <= EMAIL_MAX
        && !lower.chars().any(never);
    if !valid {
        Err(EmailFault::Invalid)
    } else if blocklist.blocks(lower) {
        Err(EmailFault::Blocked)
    } else {
        Ok(())
    }
}

/// Returns the address in `text`, without display name and `mailto:`.
fn address(text: &str) -> &str {
    let text = text.trim();
    let bracketed = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let text = bracketed.map_or(text, |(_, inside)| inside.trim());
    match text.split_at_checked(MAILTO.len()) {
        // A link can have a subject after the address.
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(MAILTO) => {
            rest.split_once('?').map_or(rest, |(address, _)| address).trim()
        }
        _ => text,
    }
}

/// Returns whether `char` is invisible. Such characters are often copied from web pages together
/// with addresses.
fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_ids_in_any_case() {
        let blocklist = Blocklist::default();
        for value in [
            "Null",
            "[object Object]",
            "00000000-0000-0000-0000-000000000000",
            "-1",
            "0",
            "-",
            "N/A",
        ] {
            assert!(blocklist.blocks(value), "{value}");
        }
        for value in ["1", "-2", "0a", "nobody", "nullable", "a-0"] {
            assert!(!blocklist.blocks(value), "{value}");
        }
    }

    #[test]
    fn addresses_are_trimmed_and_lower_cased() {
        let read = |value| {
            let mut out = Vec::new();
            normalise_email(value, &Blocklist::default(), &mut out)
                .map(|()| String::from_utf8(out).unwrap())
        };
        assert_eq!(read(" Ana@Acme.Example\n").as_deref(), Ok("ana@acme.example"));
        assert_eq!(read("ÄNNE@straße.example").as_deref(), Ok("änne@straße.example"));
        for wrapped in [
            "\u{200b}Ana@acme.example\u{feff}",
            "ana@acme\u{200b}.example",
            "mailto:ana@acme.example",
            "MAILTO:ana@acme.example?subject=Hello%20there",
            "Ana <ana@acme.example>",
            "\"Ana, of Acme\" < mailto:Ana@acme.example >",
            "<ana@acme.example>\n",
        ] {
            assert_eq!(read(wrapped).as_deref(), Ok("ana@acme.example"), "{wrapped:?}");
        }
        assert_eq!(read("user@Bücher.example").as_deref(), Ok("user@bücher.example"));
        let longest = format!("{}@a.example", "x".repeat(244));
        assert_eq!(read(&longest).as_deref(), Ok(&*longest));
        let long = format!("{}@a.example", "x".repeat(245));
        for value in [
            "",
            "a",
            "a@b",
            "@b.c",
            "a@b@c.d",
            "a b@c.d",
            "a@b .c",
            "a\u{7f}@b.c",
            "a@b.c.",
            "a@b.",
            "a@b,c.d",
            "a,b@c.d",
            "a@b.c, d@e.f",
            "\u{200b}",
            "mailto:",
            "<>",
            "Ana <ana>",
            &long,
        ] {
            assert_eq!(read(value), Err(EmailFault::Invalid), "{value}");
        }
    }
}
