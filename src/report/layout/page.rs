//! A page that is written from top to bottom.

use super::words::{flow, wrap};
use super::{Layout, Table};
use crate::report::colour::Tone;
use crate::report::figure::thousands;

/// The column at which the text after a heading begins.
const INDENT: usize = 12;

/// The text written so far, and its layout.
pub(crate) struct Page {
    out: String,
    layout: Layout,
}

impl Page {
    /// Creates an empty page.
    pub fn new(layout: Layout) -> Self {
        Self { out: String::new(), layout }
    }

    /// Returns the text.
    pub fn into_text(self) -> String {
        self.out
    }

    /// Returns the width of the page, in columns.
    pub fn width(&self) -> usize {
        self.layout.width
    }

    /// Returns the width of the text beside a heading, in columns.
    pub fn text_width(&self) -> usize {
        self.layout.width - INDENT
    }

    /// Returns `text` in the colour of `tone` if the page is coloured.
    pub fn painted(&self, text: &str, tone: Tone) -> String {
        self.layout.paint(text, tone)
    }

    /// Appends a line, without breaking it.
    pub fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// Appends an empty line.
    pub fn blank(&mut self) {
        self.line("");
    }

    /// Appends a heading with `text` beside it.
    pub fn item(&mut self, head: &str, text: &str) {
        self.beside(head, &wrap(text, self.text_width()));
    }

    /// Appends `text` in the column of a heading's text, without a heading.
    pub fn continued(&mut self, text: &str) {
        self.item("", text);
    }

    /// Appends a heading with `parts` beside it, separated by commas; parts are not broken.
    pub fn list(&mut self, head: &str, parts: &[String]) {
        self.beside(head, &flow(parts, ", ", self.text_width()));
    }

    /// Appends a table.
    pub fn table(&mut self, table: &Table) {
        for line in table.lines(self.layout) {
            self.line(&line);
        }
    }

    /// Appends how many of `all` are not among the `shown`, if any.
    pub fn more(&mut self, all: usize, shown: usize, what: &str) {
        let more = all.saturating_sub(shown) as u64;
        if more > 0 {
            self.line(&format!("  … {} more {what}", thousands(more)));
        }
    }

    fn beside(&mut self, head: &str, lines: &[String]) {
        for (place, line) in lines.iter().enumerate() {
            let head = if place == 0 { head } else { "" };
            self.line(&format!("{head:<INDENT$}{line}"));
        }
    }
}
