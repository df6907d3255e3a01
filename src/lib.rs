//! The engine of `backtrail`: Segment event history in; leads, signals and plan reports out.
//!
//! Data goes one way, and the modules stand in that order: each uses only those above it. The
//! library never prints and never exits; the binary does, and only [`cli`] reads the environment.

pub mod mask;

pub mod diagnostic;

mod grammar;

mod nearest;

mod varint;

pub mod json;

pub mod time;

pub mod config;

pub mod store;

pub mod source;

pub mod event;

pub mod emit;

pub mod error;

pub mod parse;

pub mod fql;

pub mod filter;

pub mod rules;

pub mod schema;

pub mod engine;

pub mod report;

pub mod jobs;

pub mod cli;
