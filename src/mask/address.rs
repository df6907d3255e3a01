//! E-mail addresses that the user wrote do not belong into logs.

use unicode_width::UnicodeWidthChar;

/// `text` with the local part of each e-mail address as asterisks, as wide as it was, so that
/// carets below stay in place.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        let has_domain = after.chars().next().is_some_and(char::is_alphanumeric);
        let local = before
            .rfind(|char| !is_local(char))
            .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
        let (kept, local) = before.split_at(if has_domain { local } else { before.len() });
        let columns: usize = local.chars().filter_map(UnicodeWidthChar::width).sum();
        out.push_str(kept);
        out.extend(std::iter::repeat_n('*', columns));
        out.push('@');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether `char` is usual before the `@` (RFC 5322, `atext` and the dot). A star is not: it
/// stands in patterns, which are nobody's address.
pub(crate) fn is_local(char: char) -> bool {
    char.is_alphanumeric() || "!#$%&+-/=?^_{|}~.".contains(char)
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
    fn what_is_no_address_stays() {
        for text in ["*@example.test", "a @ b", "@handle", "user@", "ana @acme", "", "@"] {
            assert_eq!(masked(text), text);
        }
    }

    proptest! {
        #[test]
        fn the_width_stays(text in "[a-zé世@. *'-]{0,40}") {
            prop_assert_eq!(masked(&text).width(), text.width());
        }
    }
}
