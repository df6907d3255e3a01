//! The arguments of `explain`.

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
  0  success
  2  error: wrong usage, an input that cannot be read completely, an invalid rules file, or an
     address or id without events";

const EXAMPLES: &str = "\
Examples:
  backtrail explain exports/ --rules rules.toml --email ana@acme.example
  backtrail explain exports/ --rules rules.toml --anonymous-id kiosk-3
  backtrail explain exports/ --signal-id 52ae2eff5e9c4e7c3ab1c0b9d3f10a77 --format json";

/// The format of the explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// Readable text
    Text,
    /// JSON
    Json,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct ExplainArgs {
    /// Files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard input
    ///
    /// See `backtrail run --help`. The input is read twice; standard input and pipes are stored in
    /// a temporary file.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub subject: SubjectArgs,

    /// Format of the explanation
    ///
    /// Text has the width of the terminal, from 60 to 120 columns. Both formats show the e-mail
    /// addresses and ids in the events of the subject.
    #[arg(long, value_name = "FORMAT", help_heading = "Output", default_value = "text")]
    pub format: ExplainFormat,
    /// Redact the explanation: hash e-mail addresses, and omit names, phone numbers and IP
    /// addresses
    ///
    /// See `backtrail run --help`, also for the key in `BACKTRAIL_REDACT_KEY`. Only the shape of
    /// values that conditions of rules compare is shown.
    #[arg(long, help_heading = "Output")]
    pub redact: bool,

    /// Mapping rules, plan and identity settings (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Allow list: events that match none of its lines are filtered out
    ///
    /// See `backtrail run --help`. It replaces the allow list of the rules file.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Segment destination filters to apply: a file or a folder
    ///
    /// See `backtrail run --help`.
    #[arg(long, value_name = "PATH", help_heading = "Rules and filters", value_hint = ValueHint::AnyPath)]
    pub filters: Option<PathBuf>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub events: EventArgs,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub window: WindowArgs,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub captures: Captures,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub store: StoreArgs,

    /// Stop at the first input that cannot be read completely
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,

    /// Number of threads; 0 uses one per core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Memory for identity links and the events of the subject; the rest is stored in TMPDIR
    ///
    /// The links of the whole input take about 16 bytes for each distinct pair of ids in the same
    /// event.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "256MiB", value_parser = value::size)]
    pub memory: u64,
    /// Maximum size of standard input and pipes that is stored in TMPDIR to be read again
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "16GiB", value_parser = value::size)]
    pub max_spool: u64,
    /// Reject records larger than this size
    ///
    /// SIZE is in bytes, or has a unit: kB, KiB, MB, MiB, GB, GiB.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}

/// The subject of the explanation: exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SubjectArgs {
    /// Explain the lead with this e-mail address
    #[arg(long, value_name = "ADDRESS", help_heading = "Subject")]
    pub email: Option<String>,
    /// Explain the events with this anonymousId
    #[arg(long, value_name = "ID", help_heading = "Subject")]
    pub anonymous_id: Option<String>,
    /// Explain the events with this userId
    #[arg(long, value_name = "ID", help_heading = "Subject")]
    pub user_id: Option<String>,
    /// Explain the events with this messageId
    #[arg(long, value_name = "ID", help_heading = "Subject")]
    pub message_id: Option<String>,
    /// Explain the signal with this content hash (column `signal_id`)
    #[arg(long, value_name = "HASH", help_heading = "Subject")]
    pub signal_id: Option<String>,
}
