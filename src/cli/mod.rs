//! The command line: arguments to jobs, and what is shown while they run.

pub mod args;
pub mod closing;
pub mod command_tip;
pub mod completions;
pub mod man;
pub mod moment;
pub mod next_steps;
pub mod program;
pub mod progress;
pub mod resolve;
pub mod secret;
mod value;
mod version;
