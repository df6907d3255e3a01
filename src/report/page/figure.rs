//! The key figures at the top of a page.

use std::fmt::{self, Write};

use super::Text;

/// The judgement of a figure, which its note repeats in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// No judgement.
    Plain,
    /// Nothing to do.
    Good,
    /// Worth a look.
    Doubtful,
    /// Something is lost.
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Doubtful => "doubtful",
            Self::Bad => "bad",
        }
    }
}

/// A key figure with its name and a note.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The id of the element.
    pub id: &'static str,
    /// The name of what it counts.
    pub name: &'static str,
    /// The figure.
    pub value: String,
    /// A note on the figure.
    pub note: String,
    /// The judgement.
    pub tone: Tone,
}

/// Writes `figures` side by side.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn write_figures(figures: &[Figure], out: &mut String) -> fmt::Result {
    out.write_str("<dl class=\"figures\">\n")?;
    for Figure { id, name, value, note, tone } in figures {
        writeln!(
            out,
            "<div class=\"{tone}\"><dt>{name}</dt><dd class=\"value\" id=\"{id}\">{value}</dd>\
             <dd class=\"note\">{note}</dd></div>",
            tone = tone.class(),
            value = Text(value),
            note = Text(note),
        )?;
    }
    out.write_str("</dl>\n")
}
