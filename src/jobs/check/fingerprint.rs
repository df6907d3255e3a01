//! Fingerprints of findings, which do not change when lines move or values change.

use std::fmt;

use ahash::AHashMap;
use xxhash_rust::xxh3::xxh3_128;

use super::finding::{Finding, Violation};
use super::repository::Repository;
use crate::diagnostic::masked;

/// Identifies a finding by kind, file, event, pointer, rule and the outline of the message: not by
/// its line, and not by the values in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// Returns the fingerprint of `finding`.
    pub fn of(finding: &Finding, repository: &Repository) -> Self {
        let mut text = Vec::new();
        for part in [
            finding.violation.name(),
            &repository.name(&finding.place.file),
            &masked(finding.event.as_deref().unwrap_or_default()),
            &masked(&finding.pointer),
            &masked(finding.rule.as_deref().unwrap_or_default()),
            &outline(&finding.message, finding.violation),
        ] {
            text.extend_from_slice(part.as_bytes());
            text.push(0xFF); // in no UTF-8 text
        }
        Self(xxh3_128(&text))
    }

    /// Parses a fingerprint in hexadecimal.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Self)
    }

    /// Returns the fingerprints of `findings`, each with its number among equal ones, from 1.
    pub fn numbered(findings: &[Finding], repository: &Repository) -> Vec<(Self, u32)> {
        let mut seen: AHashMap<Self, u32> = AHashMap::new();
        let number = |finding| {
            let fingerprint = Self::of(finding, repository);
            let count = seen.entry(fingerprint).or_default();
            *count += 1;
            (fingerprint, *count)
        };
        findings.iter().map(number).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Returns `message` with `…` in place of values: text in double quotes, numbers and addresses.
/// Names in backticks are kept, unless the pointer already gives the name of the field.
pub fn outline(message: &str, violation: Violation) -> String {
    let names_stay = !matches!(violation, Violation::InvalidType | Violation::InvalidValue);
    let mut out = String::with_capacity(message.len());
    let mut chars = message.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                out.push_str("\"…\"");
                skip_quoted(&mut chars, '"');
            }
            '`' if !names_stay => {
                out.push_str("`…`");
                skip_quoted(&mut chars, '`');
            }
            '0'..='9' => {
                out.push('…');
                let in_number = |next: &char| next.is_ascii_digit() || matches!(next, '.' | ',');
                while chars.next_if(in_number).is_some() {}
            }
            '@' => {
                // The stars of a masked address, or its local part, have already been copied.
                let kept = out.trim_end_matches(|last: char| !last.is_whitespace() && last != '`');
                out.truncate(kept.len());
                out.push('…');
                let in_domain = |next: &char| next.is_alphanumeric() || matches!(next, '.' | '-');
                while chars.next_if(in_domain).is_some() {}
            }
            other => out.push(other),
        }
    }
    out
}

/// Skips the rest of a quoted text and its closing `quote`, unless a backslash escapes it.
fn skip_quoted(chars: &mut impl Iterator<Item = char>, quote: char) {
    while let Some(char) = chars.next() {
        if char == '\\' {
            chars.next();
        } else if char == quote {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::report::sample::finding;
    use super::*;

    fn fingerprint(finding: &Finding) -> Fingerprint {
        Fingerprint::of(finding, &Repository::around(Path::new("/nowhere")))
    }

    #[test]
    fn neither_lines_nor_values_change_it() {
        let first = finding(Violation::InvalidType, "expected a number, found \"a \\\" 1\"");
        let mut second = finding(Violation::InvalidType, "expected a number, found \"b\"");
        second.place.line += 40;
        second.place.column += 7;
        second.excerpt = None;
        second.place.file = format!("./{}", first.place.file);
        assert_eq!(fingerprint(&first), fingerprint(&second));
    }

    #[test]
    fn everything_else_changes_it() {
        let base = finding(Violation::MissingRequired, "`form_name` is required");
        let mut others = vec![base.clone(); 6];
        others[0].violation = Violation::InvalidType;
        others[1].place.file.push('x');
        others[2].event = None;
        others[3].pointer.push_str("/x");
        others[4].rule = None;
        others[5].message = "`page_name` is required".into();
        for other in others {
            assert_ne!(fingerprint(&base), fingerprint(&other), "{other:?}");
        }
    }

    #[test]
    fn values_are_left_out_of_messages() {
        for (message, shown) in [
            ("41,000.5 bytes, over 32768", "… bytes, over …"),
            ("`a` must be \"x\"", "`a` must be \"…\""),
            ("***@acme.example is no address", "… is no address"),
            ("found \"open", "found \"…\""),
        ] {
            assert_eq!(outline(message, Violation::TooLargeEvent), shown);
        }
        assert_eq!(outline("`red` is none", Violation::InvalidValue), "`…` is none");
    }

    #[test]
    fn equal_ones_are_numbered() {
        let findings = vec![finding(Violation::InvalidType, "x"); 3];
        let repository = Repository::around(Path::new("/nowhere"));
        let numbered = Fingerprint::numbered(&findings, &repository);
        assert_eq!(numbered.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn any_message_has_an_outline_and_any_fingerprint_reads_back(
            message in "[a-z0-9\"`@* \\\\é….,]{0,40}", number: u128,
        ) {
            outline(&message, Violation::InvalidValue);
            let fingerprint = Fingerprint(number);
            prop_assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        }
    }
}
