//! The jobs of the program: one folder for each command, from a resolved job to its outcome.

pub mod audit;
pub mod check;
pub mod explain;
mod input;
pub mod json_schema;
pub mod queue;
mod refused;
pub mod run;
