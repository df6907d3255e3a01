//! The engine of `backtrail`: Segment event history in; leads, signals and plan reports out.
//!
//! Data goes one way, and the modules stand in that order: each imports only from those above it.
//! The library never prints, never exits and never reads the environment; the binary does.

pub mod time;

pub mod parse;

pub mod diagnostic;

pub mod event;

pub mod canonical;

pub mod fql;

pub mod filter;

pub mod rules;

pub mod source;

pub mod identity;

pub mod plan;

pub mod emit;

pub mod report;

pub mod commands;

pub mod cli;
