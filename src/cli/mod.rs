//! The command line: converts arguments to jobs, and shows progress, summaries and errors.

mod allocator;
pub mod args;
pub mod command_tip;
pub mod completions;
mod interrupt;
pub mod man;
pub mod messages;
pub mod moment;
pub mod next_steps;
pub mod program;
pub mod progress;
pub mod resolve;
pub mod secret;
mod value;
mod version;
