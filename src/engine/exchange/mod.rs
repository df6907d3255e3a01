//! The data between the two phases: rows and rejects, in memory up to a budget and on disk beyond
//! it. Also, parallel work with results in order.
//!
//! Inside of a process, rows refer to ids by the numbers of their batch ([`row`], [`store`]).
//! Between processes, values have the texts of ids: [`event_row::EventRow`], [`id_link::IdLink`],
//! [`row_owner::RowOwner`] and [`lead_part::LeadPart`], which [`arrow`] converts to record batches.

pub mod arrow;
pub mod blocks;
pub mod bytes;
pub mod event_row;
pub mod id_link;
pub mod key_counts;
pub mod lead_part;
pub mod merge;
pub mod ordered;
pub mod rejects;
pub mod row;
pub mod row_owner;
pub mod runs;
pub mod sequence;
pub mod spill;
pub mod store;
