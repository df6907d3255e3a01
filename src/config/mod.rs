//! Files that users write in TOML, JSON or HCL: one tree for all formats, with the span of every
//! value, and tables that are read key by key while all faults are collected.

pub mod hcl;
pub mod read;
pub mod terraform;
pub mod tree;
