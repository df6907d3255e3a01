//! Rows to files: one file of code for each format, and atomic files.

pub mod row;
