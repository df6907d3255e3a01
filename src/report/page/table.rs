//! Tables that can be scrolled sideways with the keyboard.

use std::fmt::{self, Write};

use super::Text;
use crate::report::figure::thousands;

/// A cell of a table. The first cell of each row is its heading.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Markup, left-aligned.
    Text(String),
    /// A number, right-aligned.
    Number(u64),
    /// A right-aligned text, such as a percentage.
    Figure(String),
    /// Overlapping bars: the CSS class of each, and its length from 0 to 1.
    Bars(Vec<(&'static str, f64)>),
}

/// A table, without its rows.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The id of the element.
    pub id: &'a str,
    /// What it shows.
    pub caption: &'a str,
    /// The headings of the columns; one that begins with `<` is of a left-aligned column.
    pub columns: &'a [&'a str],
}

impl Table<'_> {
    /// Writes the table with `rows`.
    ///
    /// # Errors
    /// Returns an error if writing to `out` fails.
    pub fn write(
        &self,
        rows: impl IntoIterator<Item = Vec<Cell>>,
        out: &mut String,
    ) -> fmt::Result {
        let Self { id, caption, columns } = self;
        let caption = Text(caption);
        write!(
            out,
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table: {caption}\">\
             <table id=\"{id}\"><caption>{caption}</caption><thead><tr>"
        )?;
        for (place, column) in columns.iter().enumerate() {
            match column.strip_prefix('<') {
                Some("") => out.write_str("<td></td>")?,
                Some(name) => write!(out, "<th scope=\"col\" class=\"text\">{name}</th>")?,
                None if place == 0 => {
                    write!(out, "<th scope=\"col\" class=\"text\">{column}</th>")?;
                }
                None => write!(out, "<th scope=\"col\">{column}</th>")?,
            }
        }
        out.write_str("</tr></thead><tbody>\n")?;
        for row in rows {
            out.write_str("<tr>")?;
            for (place, cell) in row.iter().enumerate() {
                cell.write(place == 0, out)?;
            }
            out.write_str("</tr>\n")?;
        }
        out.write_str("</tbody></table></div>\n")
    }

    /// Writes the table with `rows`, folded under `summary`.
    ///
    /// # Errors
    /// Returns an error if writing to `out` fails.
    pub fn write_folded(
        &self,
        summary: &str,
        rows: impl IntoIterator<Item = Vec<Cell>>,
        out: &mut String,
    ) -> fmt::Result {
        writeln!(out, "<details><summary>{}</summary>", Text(summary))?;
        self.write(rows, out)?;
        out.write_str("</details>\n")
    }
}

impl Cell {
    fn write(&self, is_heading: bool, out: &mut String) -> fmt::Result {
        match self {
            Self::Text(markup) if is_heading => write!(out, "<th scope=\"row\">{markup}</th>"),
            Self::Text(markup) => write!(out, "<td class=\"text\">{markup}</td>"),
            Self::Number(count) => write!(out, "<td>{}</td>", thousands(*count)),
            Self::Figure(text) => write!(out, "<td>{}</td>", Text(text)),
            Self::Bars(bars) => {
                out.write_str("<td class=\"bar\" aria-hidden=\"true\">")?;
                for (class, share) in bars.iter().filter(|(_, share)| *share > 0.0) {
                    let length = share.min(1.0) * 100.0;
                    write!(out, "<i class=\"{class}\" style=\"inline-size:{length:.1}%\"></i>")?;
                }
                out.write_str("</td>")
            }
        }
    }
}

/// Writes `rest`, which describes what a list leaves out; writes nothing if it is `None`.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn more(rest: Option<String>, out: &mut String) -> fmt::Result {
    match rest {
        Some(rest) => writeln!(out, "<p class=\"soft more\">… {}</p>", Text(&rest)),
        None => Ok(()),
    }
}
