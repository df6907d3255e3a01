//! Promises about what goes wrong outside the program: system calls that fail, processes that are
//! killed, disks that are full or read-only, inputs that change while they are read.
//!
//! A run leaves the output folder as it was or with the whole new set, the exit code says which,
//! and whatever a killed run left behind is gone after the next start.

mod changing;
mod disk;
mod namespace;
mod strace;
mod sweep;
mod together;
