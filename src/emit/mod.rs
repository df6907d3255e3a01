//! Writes rows to files. Each format has a source file, and output files appear complete or not at
//! all.
//!
//! A row passes its cells in order ([`row::Row`]) to the encoder of a format ([`row::Cells`]).
//! Workers encode rows to [`Chunk`]s in parallel; one [`TableWriter`] writes the chunks to the file
//! in order.

pub mod arrow;
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
