//! The program from outside, through its built binary: one test program, so that it is linked once.

#![allow(clippy::format_collect)] // plain to read, and small
#![allow(clippy::unwrap_used)] // a test that panics has failed

#[path = "../../benches/support/history.rs"]
mod history;
#[path = "../../benches/support/rules.rs"]
mod rules;
#[cfg(all(unix, feature = "object-store"))]
mod store;
mod support;
#[cfg(unix)]
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

mod addresses;
mod architecture;
mod audit;
mod audit_page;
#[cfg(unix)]
mod bad_input;
#[cfg(unix)]
mod bucket;
#[cfg(unix)]
mod captures;
mod check;
mod check_plans;
mod check_reports;
mod check_spec;
mod cli;
#[cfg(unix)]
mod completions;
#[cfg(unix)]
mod containers;
#[cfg(unix)]
mod content_hash;
#[cfg(unix)]
mod crm;
mod deletions;
#[cfg(unix)]
mod deliveries;
mod dependencies;
#[cfg(unix)]
mod destination_filters;
#[cfg(unix)]
mod determinism;
mod docs;
#[cfg(unix)]
mod explain;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod fuzzing;
mod generator;
#[cfg(unix)]
mod injection;
#[cfg(unix)]
mod inputs;
#[cfg(target_os = "linux")]
mod json_schemas;
#[cfg(unix)]
mod json_suite;
mod limits;
mod man;
#[cfg(unix)]
mod memory;
#[cfg(unix)]
mod near_misses;
#[cfg(unix)]
mod oracle;
mod output_formats;
#[cfg(unix)]
mod output_safety;
#[cfg(unix)]
mod queue;
#[cfg(unix)]
mod redact;
#[cfg(unix)]
mod rejects;
mod report_page;
#[cfg(unix)]
mod shown_text;
#[cfg(all(unix, feature = "object-store"))]
mod store_inputs;
#[cfg(all(unix, not(feature = "object-store")))]
mod store_missing;
mod tables_in_memory;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod times;
#[cfg(unix)]
mod tracked_users;
mod trailco;
mod values;
#[cfg(unix)]
mod window;
