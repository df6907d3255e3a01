//! Files that users write in TOML or JSON: one tree for both, with the place of everything in the
//! text, and tables that are read key by key while every fault is noted.

pub mod read;
pub mod tree;
