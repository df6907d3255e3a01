//! Tables that can be moved sideways with the keyboard.

use std::fmt::{self, Write};

use super::Text;
use crate::report::figure::thousands;

/// A cell. The first of each row is its heading.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Markup, at the start of the line.
    Text(String),
    /// A number, at the end of the line.
    Number(u64),
    /// A text among numbers, such as a share.
    Figure(String),
    /// Bars behind one another: the class of each, and its length from 0 to 1.
    Bars(Vec<(&'static str, f64)>),
}

/// A table; its rows follow.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The name of its element.
    pub id: &'a str,
    /// What it shows.
    pub caption: &'a str,
    /// The headings of its columns; one that begins with `<` is of texts.
    pub columns: &'a [&'a str],
}

impl Table<'_> {
    /// Writes the table with `rows`.
    ///
    /// # Errors
    /// Those of writing to `out`.
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

    /// Writes the table, folded up under `summary`.
    ///
    /// # Errors
    /// Those of writing to `out`.
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

/// Writes what a list leaves out; nothing where it is whole.
///
/// # Errors
/// Those of writing to `out`.
pub fn more(rest: Option<String>, out: &mut String) -> fmt::Result {
    match rest {
        Some(rest) => writeln!(out, "<p class=\"soft more\">… {}</p>", Text(&rest)),
        None => Ok(()),
    }
}
