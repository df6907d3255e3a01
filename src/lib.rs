//! The engine of `backtrail`: Segment event history in; leads, signals and plan reports out.
//!
//! Data goes one way, and the modules stand in that order. The library never prints and never exits;
//! the binary does, and only [`cli`] reads the environment.

pub mod time;

mod counts;
mod grammar;
mod slot;

pub mod parse;

pub mod mask;

pub mod diagnostic;

pub mod error;

pub mod event;

pub mod canonical;

pub mod fql;

pub mod config;

pub mod filter;

pub mod rules;

pub mod source;

pub mod identity;

pub mod lead;

pub mod plan;

pub mod emit;

pub mod report;

pub mod pipeline;

pub mod schema;

pub mod check;

pub mod audit;

pub mod queue;

pub mod commands;

pub mod cli;
