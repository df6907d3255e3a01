//! A page that is written from top to bottom.

use super::words::{flow, wrap};
use super::{Layout, Table};
use crate::report::colour::Tone;
use crate::report::figure::thousands;

/// Where the text after a heading begins.
const INDENT: usize = 12;

/// The text that is written so far, and how it is laid out.
pub(crate) struct Page {
    out: String,
    layout: Layout,
}

impl Page {
    /// An empty page.
    pub fn new(layout: Layout) -> Self {
        Self { out: String::new(), layout }
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.out
    }

    /// The columns of the page.
    pub fn width(&self) -> usize {
        self.layout.width
    }

    /// The columns that the text after a heading has.
    pub fn text_width(&self) -> usize {
        self.layout.width - INDENT
    }

    /// `text` in the colour of `tone`.
    pub fn painted(&self, text: &str, tone: Tone) -> String {
        self.layout.paint(text, tone)
    }

    /// A line, as it is.
    pub fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.line("");
    }

    /// A heading, and `text` beside it.
    pub fn item(&mut self, head: &str, text: &str) {
        self.beside(head, &wrap(text, self.text_width()));
    }

    /// `text` below that of a heading.
    pub fn continued(&mut self, text: &str) {
        self.item("", text);
    }

    /// A heading, and `parts` with commas beside it, which are not broken.
    pub fn list(&mut self, head: &str, parts: &[String]) {
        self.beside(head, &flow(parts, ", ", self.text_width()));
    }

    /// A table.
    pub fn table(&mut self, table: &Table) {
        for line in table.lines(self.layout) {
            self.line(&line);
        }
    }

    /// That so many of `all` are not `shown`.
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
