//! Cuts and breaks text by its width in a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::diagnostic::printable;

/// Returns `text` with its control characters replaced, cut to `width` columns.
pub(crate) fn fitted(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.width() <= width {
        return text;
    }
    let mut used = 0;
    let mut cut: String = text
        .chars()
        .take_while(|char| {
            used += char.width().unwrap_or(0);
            used < width
        })
        .collect();
    // Some characters are wider together than the sum of their widths.
    while cut.width() >= width.max(1) {
        cut.pop();
    }
    cut.push('…');
    cut
}

/// Breaks `text` between words into lines of `width` columns, with its control characters replaced.
/// A word that is wider than a line is broken too, unless it is a path, which can be copied only
/// whole.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    // A percentage stays in one piece.
    let text = printable(text).replace(" %", "\u{a0}%");
    let mut lines = vec![String::new()];
    for word in text.split(' ').flat_map(|word| pieces(word, width)) {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.into_iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

/// Joins `parts` with `separator` and breaks the text between parts into lines of `width` columns.
/// A part that is wider than a line is cut.
pub(crate) fn flow(parts: &[String], separator: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (place, part) in parts.iter().enumerate() {
        let end = if place + 1 < parts.len() { separator.trim_end() } else { "" };
        let part = format!("{}{end}", fitted(part, width.saturating_sub(end.width())));
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(&part);
        } else if line.width() + 1 + part.width() <= width {
            line.push(' ');
            line.push_str(&part);
        } else {
            lines.push(part);
        }
    }
    lines
}

/// Splits `word` into pieces of at most `width` columns, unless it is a path.
fn pieces(word: &str, width: usize) -> Vec<&str> {
    if word.width() <= width || word.contains(['/', '\\']) {
        return vec![word];
    }
    let (mut pieces, mut begin) = (Vec::new(), 0);
    for (at, char) in word.char_indices() {
        if at > begin && word[begin..at + char.len_utf8()].width() > width {
            pieces.push(&word[begin..at]);
            begin = at;
        }
    }
    pieces.push(&word[begin..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fitted("試用開始", 8), "試用開始");
        assert_eq!(fitted("試用開始", 7), "試用開…");
        assert_eq!(fitted("試用開始", 6), "試用…");
    }

    #[test]
    fn lines_are_broken_between_words_and_paths_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("so much: 4 % of it", 10), ["so much:", "4 % of it"]);
        assert_eq!(wrap("at /a/long/path:12 there", 8), ["at", "/a/long/path:12", "there"]);
        assert_eq!(wrap("試用開始試用開始", 8), ["試用開始", "試用開始"]);
    }

    #[test]
    fn parts_are_not_broken() {
        let parts = ["a rule 1".to_owned(), "b rule 2".to_owned()];
        assert_eq!(flow(&parts, ", ", 20), ["a rule 1, b rule 2"]);
        assert_eq!(flow(&parts, " · ", 12), ["a rule 1 ·", "b rule 2"]);
        assert_eq!(flow(&[], ", ", 12), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked_for(text in r"[a-z 試用❤️👩‍💻é]{0,60}", width in 4_usize..40) {
            prop_assert!(fitted(&text, width).width() <= width);
            for line in wrap(&text, width).iter().chain(&flow(&[text.clone(), text.clone()], ", ", width)) {
                prop_assert!(line.width() <= width, "{line:?}");
            }
        }
    }
}
