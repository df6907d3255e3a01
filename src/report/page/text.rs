//! Escapes texts from the data for a page.

use std::fmt;

use crate::diagnostic::{clean, is_unprintable};
use crate::report::layout::fitted;

/// The maximum width of a name and of a message from the data, in columns.
const NAME: usize = 120;
const MESSAGE: usize = 400;

/// A text for an element or an attribute: markup is escaped, and U+FFFD replaces characters that
/// would affect the page or change the direction of writing.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t>(pub &'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                char if is_unprintable(char) && char != '\n' => f.write_char('\u{fffd}')?,
                char => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

/// Returns a name from the data as markup: masked, cut short, and isolated from the direction of
/// the text around it.
pub fn label(name: &str) -> String {
    format!("<bdi>{}</bdi>", Text(&fitted(&clean(name), NAME)))
}

/// Returns a path, an entry of a list or a rule of the user as markup, masked and cut short.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", Text(&fitted(&clean(text), NAME)))
}

/// Returns a message as markup, cut short, with text between backticks as code.
pub fn ticked(message: &str) -> String {
    let message = fitted(message, MESSAGE);
    let parts = message.split('`').enumerate().map(|(place, part)| match place % 2 {
        1 => format!("<code>{}</code>", Text(part)),
        _ => Text(part).to_string(),
    });
    parts.collect()
}

/// Formats the minute of a time in the format of reports, such as `2025-06-26 14:00 UTC`.
pub fn minute(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(date), Some(clock)) => format!("{date} {clock} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_acts_on_the_page() {
        let evil = "</script><!-- \"'& \u{1b}[31m \u{202e}gpj";
        let shown = Text(evil).to_string();
        assert_eq!(shown, "&lt;/script&gt;&lt;!-- &quot;&#39;&amp; \u{fffd}[31m \u{fffd}gpj");
        assert!(!label(evil).contains('\u{202e}') && !ticked(evil).contains("</s"));
    }

    #[test]
    fn names_are_short_and_without_addresses() {
        let shown = label(&format!("ana@acme.example {}", "x".repeat(10_000)));
        assert!(!shown.contains("ana@") && shown.len() < 200, "{shown}");
        assert!(ticked(&"`".repeat(10_000)).len() < 10_000);
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        assert_eq!(ticked("let `a<b` pass"), "let <code>a&lt;b</code> pass");
        assert_eq!(minute("2025-06-26T14:00:00.000Z"), "2025-06-26 14:00 UTC");
        assert_eq!(minute("soon"), "soon");
    }
}
