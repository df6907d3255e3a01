//! Rows to files: one file of code for each format, and files that appear whole or not at all.
//!
//! A row says its cells in order ([`row::Row`]); each format is one receiver of cells
//! ([`row::Cells`]). Workers render rows to [`Chunk`]s side by side; one [`TableWriter`] puts the
//! chunks into the file in order.

mod crm;
mod csv;
mod encoder;
mod format;
mod gather;
mod json;
pub mod overlap;
mod parquet;
pub mod row;
mod scan;
pub mod staging;
mod table;
mod writer;

pub use crm::Crm;
pub(crate) use csv::is_formula;
pub use encoder::{Chunk, Encoder, Spent};
pub use format::{Format, FormulaGuard, UnknownFormat};
pub use gather::Gathered;
pub use table::{LEAD_ID, Layout, Table};
pub use writer::TableWriter;
