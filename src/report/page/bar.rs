//! A table of names and counts whose rows have bars.

use std::fmt::{self, Write};

use super::{Table, Text};
use crate::report::figure::thousands;

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Bar {
    /// The name, as markup.
    pub name: String,
    /// A note on the name; may be empty.
    pub note: String,
    /// The count.
    pub count: u64,
    /// A figure after the count.
    pub figure: String,
    /// The CSS class that gives the colour.
    pub class: &'static str,
}

/// Writes `bars`; the length of each is its share of `whole`.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn write_bars(table: Table<'_>, whole: u64, bars: &[Bar], out: &mut String) -> fmt::Result {
    let Table { id, caption, columns } = table;
    write!(
        out,
        "<table class=\"bars\" id=\"{id}\"><caption>{}</caption><thead><tr>",
        Text(caption)
    )?;
    for (place, column) in columns.iter().enumerate() {
        let class = if place == 0 { " class=\"text\"" } else { "" };
        write!(out, "<th scope=\"col\"{class}>{column}</th>")?;
    }
    out.write_str("</tr></thead><tbody>\n")?;
    for Bar { name, note, count, figure, class } in bars {
        write!(out, "<tr><th scope=\"row\">{name}")?;
        if !note.is_empty() {
            write!(out, " <small>{}</small>", Text(note))?;
        }
        let length = share(*count, whole) * 100.0;
        writeln!(
            out,
            "<span class=\"track\"><i class=\"{class}\" style=\"inline-size:{length:.1}%\"></i></span>\
             </th><td>{}</td><td>{}</td></tr>",
            thousands(*count),
            Text(figure),
        )?;
    }
    out.write_str("</tbody></table>\n")
}

#[allow(clippy::cast_precision_loss)] // the length of a bar
fn share(part: u64, whole: u64) -> f64 {
    (part as f64 / whole.max(1) as f64).min(1.0)
}
