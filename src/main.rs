//! The `backtrail` command.
fn main() {}
