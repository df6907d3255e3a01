//! One file a command: each takes a resolved job and calls the engine.

pub mod audit;
pub mod check;
pub mod queue;
pub mod run;
