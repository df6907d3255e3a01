//! What reaches a destination at all: allow lists, and the filters that drop or change events.

pub mod allow;
pub mod destination;
