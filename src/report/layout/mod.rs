//! Pages of text for a terminal: headings with text beside them, and tables. No line of a table is
//! wider than the page, and of other lines only those with a long path are.

mod page;
mod table;
mod words;

pub(crate) use page::Page;
pub(crate) use table::{Cell, Column, Table};
pub(crate) use words::{fitted, flow, wrap};

use super::colour::{Colour, Tone};

/// The minimum and maximum width of a page, in columns.
const NARROWEST: usize = 60;
const WIDEST: usize = 120;

/// How a page is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    width: usize,
    colour: Colour,
}

impl Layout {
    /// The width if that of the terminal is not known.
    pub const USUAL_WIDTH: usize = 80;

    /// Creates a layout for a terminal of `columns` columns, limited to 60 to 120.
    pub fn new(columns: usize, colour: Colour) -> Self {
        Self { width: columns.clamp(NARROWEST, WIDEST), colour }
    }

    /// Returns a layout for plain text in 80 columns.
    pub fn plain() -> Self {
        Self::new(Self::USUAL_WIDTH, Colour::Off)
    }

    /// Returns the width of the page, in columns.
    pub fn width(self) -> usize {
        self.width
    }

    /// Returns whether the page is coloured.
    pub fn colour(self) -> Colour {
        self.colour
    }

    /// Returns `text` in the colour of `tone` if the page is coloured.
    pub fn paint(self, text: &str, tone: Tone) -> String {
        self.colour.paint(text, tone)
    }
}
