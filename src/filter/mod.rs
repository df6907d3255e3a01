//! Filters that decide what reaches a destination: allow lists, and destination filters that drop
//! or change events.

pub mod allow;
pub mod destination;
