//! The few figures at the top of a page.

use std::fmt::{self, Write};

use super::Text;

/// Whether a figure is good or bad, which its note says too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Neither.
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

/// A figure, what it counts, and what there is to know about it.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The name of its element.
    pub id: &'static str,
    /// What it counts.
    pub name: &'static str,
    /// The figure.
    pub value: String,
    /// What there is to know about it.
    pub note: String,
    /// Whether it is good or bad.
    pub tone: Tone,
}

/// Writes `figures` side by side.
///
/// # Errors
/// Those of writing to `out`.
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
