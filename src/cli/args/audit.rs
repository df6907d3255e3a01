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
  0  no finding of the severity of --fail-on or higher
  1  a finding of the severity of --fail-on or higher
  2  error: wrong usage, an input that cannot be read completely, or an invalid list or rules file";

const EXAMPLES: &str = "\
Examples:
  backtrail audit archive/ --allow allow.txt --rules rules.toml
  backtrail audit archive/ --allow new.txt --against old.txt --html audit.html
  backtrail audit archive/ --rules rules.toml --format json --fail-on warning";

/// The format of the report on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// Readable text, with e-mail addresses masked
    Text,
    /// JSON, with complete e-mail addresses
    Json,
}

/// The minimum severity of findings that make the audit fail.
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
    /// The inputs should be the complete history, such as an archive of everything sent to Segment,
    /// not what a filter let pass. All inputs of `run` are supported.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Allow list to audit
    ///
    /// See `backtrail run --help` for the format. Without --allow and --filters, the allow list of
    /// the rules file is audited.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Destination filters to audit, applied after the allow list
    ///
    /// See `backtrail run --help` for the format.
    #[arg(long, value_name = "PATH", help_heading = "Rules and filters", value_hint = ValueHint::AnyPath)]
    pub filters: Option<PathBuf>,
    /// Allow list or destination filters to compare with [default: no filter]
    #[arg(long, value_name = "PATH", help_heading = "Rules and filters", value_hint = ValueHint::AnyPath)]
    pub against: Option<PathBuf>,
    /// Mapping rules, plan and identity settings (TOML or JSON)
    ///
    /// Without rules, no event is mapped or scored, and the plan is unlimited.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub events: EventArgs,

    /// Format of the report on standard output
    #[arg(long, value_name = "FORMAT", help_heading = "Output", default_value = "text")]
    pub format: AuditFormat,
    /// Also write the report as a web page to this file
    ///
    /// The page needs no network and no other file. It contains the e-mail addresses of lost leads.
    /// An earlier page is replaced atomically; only the current user can read it.
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,

    /// Redact outputs: hash e-mail addresses, and omit names, phone numbers and IP addresses
    ///
    /// Lost leads are identified by `lead_id`, the hash of their e-mail address. The hash is
    /// SHA-256, like TrailSpark's emailHash, or, with a key in the environment variable
    /// `BACKTRAIL_REDACT_KEY`, HMAC-SHA-256, against which guessed addresses cannot be verified
    /// without the key.
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

    /// Exit with 1 if there is a finding of this severity or higher
    #[arg(long, value_name = "SEVERITY", help_heading = "Checks", default_value = "error")]
    pub fail_on: FailOn,
    /// Stop at the first input that cannot be read completely
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// Do not fail if no input contains events
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,

    /// Number of threads; 0 uses one per core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Memory for rows, keys, ids, identity facts and leads; the rest is stored in TMPDIR
    ///
    /// See `backtrail run --help`. An audit holds two sets of keys, ids and facts, before and after
    /// the filter.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "1GiB", value_parser = value::size)]
    pub memory: u64,
    /// Reject records larger than this size
    ///
    /// SIZE is in bytes, or has a unit: kB, KiB, MB, MiB, GB, GiB.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}
