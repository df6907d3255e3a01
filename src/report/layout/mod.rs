//! Pages of text for a terminal: headings with what follows them, and tables. No line of a table is
//! wider than the page; of other lines only those with a long path are.

mod page;
mod table;
mod words;

pub(crate) use page::Page;
pub(crate) use table::{Cell, Column, Table};
pub(crate) use words::{fitted, flow, wrap};

use super::colour::{Colour, Tone};

/// The narrowest page that is laid out for, and the widest.
const NARROWEST: usize = 60;
const WIDEST: usize = 120;

/// How a page is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    width: usize,
    colour: Colour,
}

impl Layout {
    /// The width where nothing says how wide the terminal is.
    pub const USUAL_WIDTH: usize = 80;

    /// A page for a terminal of so many columns: at least 60, at most 120.
    pub fn new(columns: usize, colour: Colour) -> Self {
        Self { width: columns.clamp(NARROWEST, WIDEST), colour }
    }

    /// Plain text in 80 columns.
    pub fn plain() -> Self {
        Self::new(Self::USUAL_WIDTH, Colour::Off)
    }

    /// The columns of the page.
    pub fn width(self) -> usize {
        self.width
    }

    /// Whether the page is coloured.
    pub fn colour(self) -> Colour {
        self.colour
    }

    /// `text` in the colour of `tone`, where the page is coloured.
    pub fn paint(self, text: &str, tone: Tone) -> String {
        self.colour.paint(text, tone)
    }
}
