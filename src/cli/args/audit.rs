//! The arguments of `audit`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::Captures;
use super::event::EventArgs;
use super::store::StoreArgs;
use super::window::WindowArgs;
use crate::cli::value;

const EXIT_CODES: &str = "\
Exit codes:
  0  no finding at or above --fail-on
  1  such a finding
  2  error: usage, an input that cannot be read to its end, a bad list or rules file";

const EXAMPLES: &str = "\
Examples:
  backtrail audit archive/ --allow allow.txt --rules rules.toml
  backtrail audit archive/ --allow new.txt --against old.txt --html audit.html
  backtrail audit archive/ --rules rules.toml --format json --fail-on warning";

/// The format of the report on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// For people; addresses are masked
    Text,
    /// For programs; addresses are whole
    Json,
}

/// The severity from which findings make the audit fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors
    Error,
    /// Errors and warnings
    Warning,
}

/// The arguments of `audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[allow(clippy::struct_excessive_bools)] // each is a flag; they end in enums of the job
pub struct AuditArgs {
    /// Files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard input
    ///
    /// They should be the whole history, not what a filter let pass: an archive of everything that
    /// Segment was sent. What run reads is read here too.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Allow list that is judged
    ///
    /// As of run. Without --allow and --filters, the list of the rules file is judged.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Destination filters that are judged, after the allow list where there is one
    ///
    /// As of run.
    #[arg(long, value_name = "PATH", help_heading = "Rules and filters", value_hint = ValueHint::AnyPath)]
    pub filters: Option<PathBuf>,
    /// Allow list, or destination filters, to compare with, instead of no filter at all
    #[arg(long, value_name = "PATH", help_heading = "Rules and filters", value_hint = ValueHint::AnyPath)]
    pub against: Option<PathBuf>,
    /// Mapping rules, plan and identity settings (TOML or JSON)
    ///
    /// Without them no event is mapped or scored, and the plan has no limit.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub events: EventArgs,

    /// What is written to standard output
    #[arg(long, value_name = "FORMAT", help_heading = "Output", default_value = "text")]
    pub format: AuditFormat,
    /// Write the report as one web page, too
    ///
    /// It needs no network and no other file. It holds the addresses of lost leads; it appears
    /// whole or not at all, replaces an earlier one, and is readable by you alone.
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,

    /// Write outputs that name nobody: hashes of e-mails, no names, phone numbers or IP addresses
    ///
    /// Lost leads are named by `lead_id`, the hash of their e-mails. The hash is SHA-256, as TrailSpark's
    /// emailHash, or, with a key in the environment variable `BACKTRAIL_REDACT_KEY`, HMAC-SHA-256, which
    /// nobody without the key can check a guess against.
    #[arg(long, help_heading = "Output")]
    pub redact: bool,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub window: WindowArgs,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub captures: Captures,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub store: StoreArgs,

    /// Exit 1 when there is a finding of this severity, or worse
    #[arg(long, value_name = "SEVERITY", help_heading = "Checks", default_value = "error")]
    pub fail_on: FailOn,
    /// Stop at the first input that cannot be read to its end
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// Do not fail when no input has an event
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,

    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Keep rows, keys, ids, identity facts and leads in memory up to this size; more wait in TMPDIR
    ///
    /// As of run; an audit holds two sets of keys, ids and facts, before and after the filter.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "1GiB", value_parser = value::size)]
    pub memory: u64,
    /// Reject longer records: bytes, or with kB, KiB, MB, MiB …
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}
