//! Faults outside of the program: failing system calls, killed processes, full and read-only disks,
//! and inputs that change while they are read.
//!
//! A run leaves the output folder unchanged or with the complete new set, the exit code says which,
//! and leftovers of a killed run are removed at the next start.

mod changing;
mod disk;
mod namespace;
mod strace;
mod sweep;
mod together;
