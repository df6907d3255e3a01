//! What `check` finds in fixtures, in plain values that any report can be made of.

pub mod finding;
