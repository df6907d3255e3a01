//! What waits between the two phases: rows and rejects, in memory up to a budget and on disk past
//! it, and work in parallel whose results come in order.
//!
//! In a process, rows name ids by the numbers of their batch ([`row`], [`store`]). Between processes
//! they are values with the texts of their ids: [`event_row::EventRow`], [`id_link::IdLink`],
//! [`row_owner::RowOwner`] and [`lead_part::LeadPart`], which [`arrow`] turns into record batches.

pub mod arrow;
pub mod blocks;
pub mod bytes;
pub mod event_row;
pub mod id_link;
pub mod lead_part;
pub mod merge;
pub mod ordered;
pub mod rejects;
pub mod row;
pub mod row_owner;
pub mod sequence;
pub mod spill;
pub mod store;
