//! The arguments of `queue`.

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
  2  error: wrong usage, an input that cannot be read completely, an invalid rules file, or a name
     in --event without events";

const EXAMPLES: &str = "\
Examples:
  backtrail queue archive/
  backtrail queue archive/ --rules rules.toml --format csv -o names.csv
  backtrail queue archive/ --event 'Demo Requested'
  backtrail queue archive/ --suggest -o rules.toml";

/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QueueFormat {
    /// Readable text
    Text,
    /// JSON
    Json,
    /// CSV with one line per event name, or per path with --event
    Csv,
}

/// The arguments of `queue`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[allow(clippy::struct_excessive_bools)] // each is a flag; they end in enums of the job
pub struct QueueArgs {
    /// Files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard input
    ///
    /// See `backtrail run --help`.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Show the contents of events with this name: every path with its types and values
    ///
    /// NAME is the name of a track event, `Page Viewed`, `Screen Viewed`, or a call such as
    /// identify. E-mail addresses and secrets in examples are masked. If there are more than 1,000
    /// paths, the deepest ones, and those with names that look like ids, are combined.
    #[arg(long, value_name = "NAME", help_heading = "Questions", conflicts_with = "suggest")]
    pub event: Option<String>,
    /// Write a suggested rules file
    ///
    /// It has a rule for each event name that indicates intent, by its words, its rarity, and how
    /// often the visitor is identified within an hour after the event. Comments above each rule
    /// give the counts and the reason; other names are listed in comments, and an allow list
    /// matches the rules. The scores are only a starting point.
    #[arg(long, help_heading = "Questions", conflicts_with = "format")]
    pub suggest: bool,

    /// Format of the queue
    #[arg(long, value_name = "FORMAT", help_heading = "Output", default_value = "text")]
    pub format: QueueFormat,
    /// Write to this file instead of standard output
    ///
    /// The file is written atomically, and only the current user can read it.
    #[arg(short, long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Overwrite the file of --output
    #[arg(long, help_heading = "Output", requires = "output")]
    pub overwrite: bool,

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

    /// Redact the report: omit values, and hash e-mail addresses in event names
    ///
    /// Ids in event names are hashed as in `run`. Cannot be combined with --suggest, whose rules
    /// need the original names.
    #[arg(long, help_heading = "Output", conflicts_with = "suggest")]
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

    /// Stop at the first input that cannot be read completely
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// Do not fail if no input contains events
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,

    /// Number of threads; 0 uses one per core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Memory for rows, keys, ids and identity facts; the rest is stored in TMPDIR
    ///
    /// See `backtrail run --help`.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "1GiB", value_parser = value::size)]
    pub memory: u64,
    /// Reject records larger than this size
    ///
    /// SIZE is in bytes, or has a unit: kB, KiB, MB, MiB, GB, GiB.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}
