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
  0  fine
  2  error: usage, an input that cannot be read to its end, a bad rules file, an address or id that no
     event has";

const EXAMPLES: &str = "\
Examples:
  backtrail explain exports/ --rules rules.toml --email ana@acme.example
  backtrail explain exports/ --rules rules.toml --anonymous-id kiosk-3
  backtrail explain exports/ --signal-id 52ae2eff5e9c4e7c3ab1c0b9d3f10a77 --format json";

/// The format of the explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct ExplainArgs {
    /// Files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard input
    ///
    /// As of run. The input is read twice; standard input and pipes are kept in a temporary file
    /// between.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub subject: SubjectArgs,

    /// How the explanation is written
    ///
    /// Text is as wide as the terminal, from 60 to 120 columns. Both forms show the addresses and
    /// ids that the subject's events have.
    #[arg(long, value_name = "FORMAT", help_heading = "Output", default_value = "text")]
    pub format: ExplainFormat,
    /// Write an explanation that names nobody: hashes of e-mails, no names, phone numbers or IP
    /// addresses
    ///
    /// As of run, also with a key in `BACKTRAIL_REDACT_KEY`. Of values that conditions of rules found,
    /// only the shape is shown.
    #[arg(long, help_heading = "Output")]
    pub redact: bool,

    /// Mapping rules, plan and identity settings (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Allow list: only events that one of its lines takes pass
    ///
    /// As of run: it replaces the allow list of the rules file.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Destination filters: what Segment drops, and takes out of events, on the way
    ///
    /// As of run.
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

    /// Stop at the first input that cannot be read to its end
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,

    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Keep ties between ids, and the events of the subject, in memory up to this size; more wait in
    /// TMPDIR
    ///
    /// The whole input has about 16 bytes of ties for each distinct pair of ids that an event names.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "256MiB", value_parser = value::size)]
    pub memory: u64,
    /// Keep so much of standard input and pipes in TMPDIR, to read it again
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "16GiB", value_parser = value::size)]
    pub max_spool: u64,
    /// Reject longer records: bytes, or with kB, KiB, MB, MiB …
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}

/// The subject of the explanation: exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SubjectArgs {
    /// Explain the lead of this e-mail address
    #[arg(long, value_name = "ADDRESS", help_heading = "Subject")]
    pub email: Option<String>,
    /// Explain the events of this anonymousId
    #[arg(long, value_name = "ID", help_heading = "Subject")]
    pub anonymous_id: Option<String>,
    /// Explain the events of this userId
    #[arg(long, value_name = "ID", help_heading = "Subject")]
    pub user_id: Option<String>,
    /// Explain the events of this messageId
    #[arg(long, value_name = "ID", help_heading = "Subject")]
    pub message_id: Option<String>,
    /// Explain the signal of this content hash, as the column `signal_id` has it
    #[arg(long, value_name = "HASH", help_heading = "Subject")]
    pub signal_id: Option<String>,
}
