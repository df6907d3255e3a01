//! Examples of values from the data for people: few, short, and without addresses and secrets.

use super::profile::push_escaped;
use crate::diagnostic::{is_unprintable, masked};
use crate::mask::{is_secret_path, may_have_address};
use crate::parse::auth::Auth;
use crate::parse::excerpt::secrets;

/// The maximum number of values shown for a path.
const SHOWN: usize = 3;
/// The maximum length of a value, in characters.
const LONGEST: usize = 60;
/// The number of bytes of a value that are examined.
const READ_BYTES: usize = 4 << 10;
/// The text shown in place of a secret.
const HIDDEN: &str = "***";

/// Some values of a path: those with the smallest hashes, so that the choice depends only on the
/// values.
#[derive(Debug, Default)]
pub struct Examples(Vec<(u64, String)>);

impl Examples {
    /// Offers a value with its hash; calls `show` for its text only if the value is kept.
    #[inline]
    pub fn offer(&mut self, hash: u64, show: impl FnOnce() -> String) {
        let kept = &mut self.0;
        if kept.len() == SHOWN && kept.last().is_some_and(|(last, _)| *last <= hash) {
            return;
        }
        if let Err(at) = kept.binary_search_by_key(&hash, |(hash, _)| *hash) {
            kept.insert(at, (hash, show()));
            kept.truncate(SHOWN);
        }
    }

    /// Adds the values of `other`.
    pub fn absorb(&mut self, other: Self) {
        for (hash, text) in other.0 {
            self.offer(hash, || text);
        }
    }

    /// Returns the texts, sorted and without repetitions.
    pub fn into_sorted(self) -> Vec<String> {
        let mut texts: Vec<String> = self.0.into_iter().map(|(_, text)| text).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    }
}

/// Returns `text`, the value at `path`, masked and cut short.
pub fn shown(text: &str, path: &str, auth: &Auth) -> String {
    if is_secret_path(path) {
        return HIDDEN.into();
    }
    shortened(&masked(&secrets(beginning(text), auth)), LONGEST)
}

/// Returns the beginning of `text`, of at most [`READ_BYTES`] bytes.
fn beginning(text: &str) -> &str {
    let ends = (0..=READ_BYTES.min(text.len())).rev();
    let end = ends.into_iter().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// Returns a name from the data with addresses masked and without control characters.
pub fn shown_name(name: &str) -> String {
    shortened(&masked(name), usize::MAX)
}

/// Returns a path from the data in which no name contains an address.
pub fn shown_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while !rest.is_empty() {
        let end = step_end(rest);
        let (step, later) = rest.split_at(end);
        if may_have_address(step) {
            let (name, list) = step.split_at(step.find("[]").unwrap_or(step.len()));
            push_escaped(&shown_name(&name.replace('\\', "")), &mut out);
            out.push_str(list);
        } else {
            out.push_str(step);
        }
        rest = later.strip_prefix('.').unwrap_or(later);
        if rest.len() < later.len() {
            out.push('.');
        }
    }
    shortened(&out, usize::MAX)
}

/// Returns the end of the first step of a path: the offset of the first dot without a backslash.
fn step_end(path: &str) -> usize {
    let mut escaped = false;
    let dot = path.bytes().position(|byte| {
        let ends = byte == b'.' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    dot.unwrap_or(path.len())
}

/// Returns `text` without control characters, cut to at most `most` characters.
fn shortened(text: &str, most: usize) -> String {
    let clean = |char: char| if is_unprintable(char) { '\u{fffd}' } else { char };
    if text.chars().count() <= most {
        return text.chars().map(clean).collect();
    }
    text.chars().take(most - 1).map(clean).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(text: &str, path: &str) -> String {
        shown(text, path, &Auth::default())
    }

    #[test]
    fn addresses_and_secrets_are_hidden_wherever_they_stand() {
        for (text, path, expected) in [
            ("ana@acme.example", "properties.email", "***@acme.example"),
            ("mail ana@acme.example now", "properties.note", "mail ***@acme.example now"),
            (
                "/a?email=ana%40acme.example&b=1",
                "properties.url",
                "/a?email=***%40acme.example&b=1",
            ),
            ("/a?x=1&access_token=abc#top", "properties.url", "/a?x=1&access_token=***#top"),
            ("hunter2", "properties.userPassword", "***"),
            ("abc", "properties.api-key", "***"),
            ("Bearer abcdef", "properties.header", "Bearer ***"),
            ("eyJhbGciOi.x.y", "properties.jwt", "***"),
            ("Outfitter", "properties.plan", "Outfitter"),
            ("a\tb\nc", "properties.plan", "a\u{fffd}b\u{fffd}c"),
        ] {
            assert_eq!(value(text, path), expected, "{text} at {path}");
        }
        let long = value(&"é".repeat(9_000), "properties.text");
        assert_eq!((long.chars().count(), long.ends_with('…')), (LONGEST, true));
        assert_eq!(shown_name("Mail to ana@acme.example"), "Mail to ***@acme.example");
    }

    #[test]
    fn a_path_keeps_its_steps_and_loses_its_addresses() {
        for (path, expected) in [
            (r"traits.by.ana\@acme\.example[].name", r"traits.by.\*\*\*\@acme\.example[].name"),
            (r"a.ana\%40acme\.example", r"a.\*\*\*\%40acme\.example"),
            (r"properties.product\ 1.a\.b[]", r"properties.product\ 1.a\.b[]"),
            ("", ""),
        ] {
            assert_eq!(shown_path(path), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            mut hashes in prop::collection::vec(0_u64..40, 0..60),
            cut in 0_usize..60,
        ) {
            let kept = |hashes: &[u64]| {
                let mut examples = Examples::default();
                for &hash in hashes {
                    examples.offer(hash, || hash.to_string());
                }
                examples
            };
            let cut = cut.min(hashes.len());
            let mut parts = kept(&hashes[cut..]);
            parts.absorb(kept(&hashes[..cut]));
            let whole = kept(&hashes).into_sorted();
            prop_assert_eq!(parts.into_sorted(), whole.clone());
            hashes.reverse();
            prop_assert_eq!(kept(&hashes).into_sorted(), whole);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*", path in ".*") {
            let shown = value(&text, &path);
            prop_assert!(shown.chars().count() <= LONGEST);
            let _ = shown_name(&text);
        }
    }
}
