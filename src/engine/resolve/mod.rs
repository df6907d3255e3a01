//! The second phase: each row to its owner, its lead and its line in the outputs.

pub mod finish;
pub mod lead_rows;
pub mod sums;
pub mod tally;
