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
  0  fine
  2  error: usage, an input that cannot be read to its end, a bad rules file, a name of --event that
     no event has";

const EXAMPLES: &str = "\
Examples:
  backtrail queue archive/
  backtrail queue archive/ --rules rules.toml --format csv -o names.csv
  backtrail queue archive/ --event 'Demo Requested'
  backtrail queue archive/ --suggest -o rules.toml";

/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QueueFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets: a line for each name, or for each path with --event
    Csv,
}

/// The arguments of `queue`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[allow(clippy::struct_excessive_bools)] // each is a flag; they end in enums of the job
pub struct QueueArgs {
    /// Files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard input
    ///
    /// As of run.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Show what the events of this name hold: every path, its types and values
    ///
    /// NAME is the name of a track event, `Page Viewed`, `Screen Viewed`, or a call such as
    /// identify. E-mail addresses and secrets in examples are masked. Of more than 1,000 paths the
    /// deepest, and those whose names look like ids, are summed up.
    #[arg(long, value_name = "NAME", help_heading = "Questions", conflicts_with = "suggest")]
    pub event: Option<String>,
    /// Write a rules file to start from
    ///
    /// A rule for each name that tells of intent: by its words, by how rare it is, and by how often
    /// the visitor is identified in the hour after it. What was counted and why a rule is there
    /// stands above it; the rest stands in comments, and an allow list matches the rules. Scores
    /// are a beginning.
    #[arg(long, help_heading = "Questions", conflicts_with = "format")]
    pub suggest: bool,

    /// How the queue is written
    #[arg(long, value_name = "FORMAT", help_heading = "Output", default_value = "text")]
    pub format: QueueFormat,
    /// Write to this file instead of standard output
    ///
    /// It appears whole or not at all, readable by you alone.
    #[arg(short, long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Replace the file of --output
    #[arg(long, help_heading = "Output", requires = "output")]
    pub overwrite: bool,

    /// Mapping rules, plan and identity settings (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Allow list: only events that one of its lines takes are counted
    ///
    /// As of run: it replaces the allow list of the rules file.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Destination filters: what they drop is not counted, what they take out is not seen
    ///
    /// As of run.
    #[arg(long, value_name = "PATH", help_heading = "Rules and filters", value_hint = ValueHint::AnyPath)]
    pub filters: Option<PathBuf>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub events: EventArgs,

    /// Write a report that names nobody: no values, and no addresses in names of events
    ///
    /// Ids in names of events are hashed as by run. A suggested rules file has names as they are.
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

    /// Stop at the first input that cannot be read to its end
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// Do not fail when no input has an event
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,

    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Keep rows, keys, ids and identity facts in memory up to this size; more wait in TMPDIR
    ///
    /// As of run.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "1GiB", value_parser = value::size)]
    pub memory: u64,
    /// Reject longer records: bytes, or with kB, KiB, MB, MiB …
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}
