//! Components of web pages that need no network, no script and no other file. The pages of all jobs
//! are built from them.
//!
//! Charts are SVG without text, stretched to the available width, between labels in HTML, so that
//! text keeps its size on a phone and on paper. Colours come from one style sheet, for light and
//! dark.

mod bar;
mod chart;
mod document;
mod figure;
mod scale;
mod table;
mod text;

pub use bar::{Bar, write_bars};
pub use chart::{Chart, Column, Mark, Series};
pub use document::{document, section, verdict};
pub use figure::{Figure, Tone, write_figures};
pub use table::{Cell, Table, more};
pub use text::{Text, code, label, minute, ticked};
