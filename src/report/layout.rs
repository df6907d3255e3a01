//! Text in columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::diagnostic::printable;

/// `text`, fit to be shown and cut to `width` columns.
pub(crate) fn fitted(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.width() <= width {
        return text;
    }
    let mut used = 0;
    let cut = text.chars().take_while(|char| {
        used += char.width().unwrap_or(0);
        used < width
    });
    cut.chain(['…']).collect()
}

/// `text` and blanks up to `width` columns.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(blanks))
}

/// The lines of `text`, fit to be shown and broken between words.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let text = printable(text);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
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
    lines
}
