//! Files that users write in TOML, JSON or HCL: one tree for all, with the place of everything in the
//! text, and tables that are read key by key while every fault is noted.

pub mod hcl;
pub mod read;
pub mod terraform;
pub mod tree;
