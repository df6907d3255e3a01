//! What is fuzzed: a function for each target, which takes any bytes and panics where a promise is
//! broken. The programs of libFuzzer call them; so do tests of `backtrail`, a bounded number of
//! times.

#![allow(clippy::unwrap_used)] // a target that panics has found something

pub mod targets;
