//! The command-line arguments, as clap parses them. Help texts, man pages and completions are
//! generated from these definitions.

pub mod audit;
pub mod check;
pub mod event;
pub mod explain;
pub mod queue;
pub mod store;
pub mod window;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use super::secret::Given;
use super::value;
use super::version::long_version;
use crate::emit::overlap::ReadFile;
use crate::emit::{Crm, Format};
use crate::jobs::run::MaxRejects;

const EXIT_CODES: &str = "\
Exit codes:
  0  success
  1  finding: more rejects than --max-rejects, or a period over the plan with --fail-over-plan
  2  error: wrong usage, an input that cannot be read completely, or an invalid rules file";

const EXAMPLES: &str = "\
Examples:
  backtrail queue exports/
  backtrail run exports/ --rules rules.toml -o out
  backtrail audit exports/ --allow allow.txt --rules rules.toml
  backtrail check fixtures/ --tracking-plan plan.json";

const RUN_EXAMPLES: &str = "\
Examples:
  backtrail run exports/ --rules rules.toml -o out
  backtrail run 'logs/**/*.gz' -o out --format csv,parquet
  aws s3 cp s3://bucket/log.gz - | backtrail run -o - --emit leads";

/// Backfill leads and signals from Segment event history, offline
#[derive(Debug, Parser)]
#[command(
    name = "backtrail",
    version,
    long_version = long_version(),
    max_term_width = 100,
    after_help = "Run `backtrail COMMAND --help` for the options of a command.",
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}")
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// Display settings.
    #[command(flatten)]
    pub show: Show,
}

/// What a command shows while it works, and how.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Display")]
pub struct Show {
    /// Print only errors and findings
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to show progress on standard error
    ///
    /// Nothing is shown with --quiet.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub progress: ProgressWhen,
    /// Same as `--progress off`; kept for existing scripts
    #[arg(long, global = true, hide = true, conflicts_with = "progress")]
    pub no_progress: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
}

/// The display of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressWhen {
    /// Show a progress bar if standard error is a terminal
    Auto,
    /// Print a line every minute and after each phase, for logs
    Plain,
    /// Show no progress
    Off,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// Use colours on a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always use colours
    Always,
    /// Never use colours
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one of it
pub enum Command {
    /// Convert event exports to leads, signals and a plan report
    Run(RunArgs),
    /// Audit an allow list or destination filters against real events
    Audit(audit::AuditArgs),
    /// Validate fixtures against a tracking plan and mapping rules
    Check(check::CheckArgs),
    /// List event names, show the contents of events, and suggest rules
    Queue(queue::QueueArgs),
    /// Explain the result for a lead, visitor or signal, with the source line of every event
    Explain(explain::ExplainArgs),
    /// Print or install shell completions
    #[command(after_help = "Examples:\n  backtrail completions fish --install\n  \
        backtrail completions bash > /etc/bash_completion.d/backtrail")]
    Completions {
        /// Shell to generate completions for
        shell: clap_complete::Shell,
        /// Install the completions for the current user
        ///
        /// Bash: bash-completion/completions/backtrail below `XDG_DATA_HOME` (default
        /// ~/.local/share). Zsh: zsh/site-functions/_backtrail in the same folder. Fish:
        /// fish/completions/backtrail.fish below `XDG_CONFIG_HOME` (default ~/.config). Only files
        /// written by backtrail are replaced.
        #[arg(long)]
        install: bool,
    },
    /// Print the man page, or write all man pages to a folder
    #[command(after_help = "Examples:\n  backtrail man | man -l -\n  \
        backtrail man --out ~/.local/share/man/man1")]
    Man {
        /// Write all man pages to this folder
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
}

/// The table that is streamed to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// Track, page and screen events with their leads
    Signals,
    /// People with an e-mail address
    Leads,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES, after_long_help = format!("{RUN_EXAMPLES}\n\n{EXIT_CODES}"))]
#[allow(clippy::struct_excessive_bools)] // each is a flag; they end in enums of the job
pub struct RunArgs {
    /// Files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard input
    ///
    /// Folders are walked recursively in order of paths; hidden files are skipped. `s3://`,
    /// `gs://`, `az://` and `abfss://` URLs name objects, prefixes or globs of objects; `https://`
    /// URLs name single objects. Below `segment-logs/SOURCE/`, only the days from --since to
    /// --until are listed. Inputs can be plain, compressed (gzip, zstd, bzip2, xz) or archives
    /// (zip, tar); the format is detected by content. Without INPUT, standard input is read unless
    /// it is a terminal.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Output folder, or `-` to write one table to standard output
    ///
    /// The folder is created if it does not exist. It receives the two tables, report.json,
    /// report.html, and rejects.ndjson if there are rejects. Files appear atomically, and only the
    /// current user can read them. `s3://BUCKET/FOLDER`, `gs://`, `az://` and `abfss://` URLs name
    /// folders in object storage, where objects appear in the same way. With `-`, the table of
    /// --emit is written to standard output and the summary to standard error.
    #[arg(short, long, value_name = "DIR", help_heading = "Output", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
    /// Formats of the tables, comma-separated
    #[arg(
        long,
        value_name = "FORMAT",
        help_heading = "Output",
        value_delimiter = ',',
        default_value = "csv",
        value_parser = PossibleValuesParser::new(Format::ALL.map(Format::name))
            .try_map(|name| name.parse::<Format>())
    )]
    pub format: Vec<Format>,
    /// Also write the leads in the import format of a CRM, comma-separated
    ///
    /// Writes leads-hubspot.csv for HubSpot's contact import, or leads-salesforce.csv for
    /// Salesforce's Data Import Wizard, with their column names.
    #[arg(
        long,
        value_name = "CRM",
        help_heading = "Output",
        value_delimiter = ',',
        conflicts_with = "redact",
        value_parser = PossibleValuesParser::new(Crm::ALL.map(Crm::name)).map(value::crm)
    )]
    pub leads_for: Vec<Crm>,
    /// Table to write with `-o -` [default: signals]
    #[arg(long, value_name = "TABLE", help_heading = "Output")]
    pub emit: Option<Emit>,
    /// Overwrite the outputs of an earlier run
    #[arg(long, help_heading = "Output")]
    pub overwrite: bool,
    /// Redact outputs: hash e-mail addresses, and omit names, phone numbers and IP addresses
    ///
    /// Leads are identified by `lead_id`, the hash of their e-mail address, and have no names and
    /// phone number. Ids that are e-mail addresses are hashed; addresses in other texts are masked.
    /// The hash is SHA-256, like TrailSpark's emailHash, or, with a key in the environment variable
    /// `BACKTRAIL_REDACT_KEY`, HMAC-SHA-256, against which guessed addresses cannot be verified
    /// without the key.
    #[arg(long, help_heading = "Output")]
    pub redact: bool,
    /// Do not write report.html
    #[arg(long, help_heading = "Output")]
    pub no_html: bool,
    /// Show e-mail addresses in report.html
    ///
    /// Shows those of the leads with the highest scores, and of leads that the plan would have
    /// lost. By default the page shows none, so that it can be shared.
    #[arg(long, help_heading = "Output", conflicts_with = "no_html")]
    pub html_emails: bool,
    /// Do not escape CSV cells that spreadsheets would run as formulas
    ///
    /// By default, a ' is inserted before a cell with input data, or an item of a list, that begins
    /// with =, @, tab or a line end, or with + or - unless it is a plain number or phone number.
    /// Full-width forms of these characters are included. The report counts the escaped cells.
    #[arg(long, help_heading = "Output")]
    pub csv_raw: bool,

    /// Mapping rules, plan and identity settings (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Allow list: events that match none of its lines are filtered out
    ///
    /// A line is a call type (identify), an event name (Form Submitted), `page PATTERN`, `screen
    /// PATTERN` or `fql: EXPRESSION`; # begins a comment. It replaces the allow list of the rules
    /// file.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Segment destination filters to apply: a file or a folder
    ///
    /// A file is JSON with one of Segment's filters, a list of filters, or a response of the Public
    /// API or Config API; Terraform (HCL); or the output of `terraform show -json`. In a folder
    /// (Git Sync), files without filters are skipped. Filters apply in Segment's order (sample,
    /// drop, drop properties, allow properties), after --allow and --where, and before everything
    /// else: dropped events and properties do not affect any result.
    #[arg(long, value_name = "PATH", help_heading = "Rules and filters", value_hint = ValueHint::AnyPath)]
    pub filters: Option<PathBuf>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub events: event::EventArgs,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub window: window::WindowArgs,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub captures: Captures,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub store: store::StoreArgs,

    /// Stop at the first input that cannot be read completely
    ///
    /// By default, everything before the fault is used, the other inputs are read, and the exit
    /// code is 2.
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// Exit with 1 if there are more rejects than this number or percentage of records
    #[arg(long, value_name = "N|P%", help_heading = "Checks", value_parser = value::max_rejects)]
    pub max_rejects: Option<MaxRejects>,
    /// Do not fail if no input contains events
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,
    /// Exit with 1 if a period exceeds the raw signals of the plan
    #[arg(long, help_heading = "Checks")]
    pub fail_over_plan: bool,
    /// Report message ids and contents that do not agree
    ///
    /// Reports messageIds with several contents, and contents that are equal except for their
    /// messageId. Takes a second hash of each event.
    #[arg(long, help_heading = "Checks")]
    pub profile_duplicates: bool,

    /// Number of threads; 0 uses one per core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Memory for rows, keys, ids, identity facts and leads; the rest is stored on disk
    ///
    /// One sixth of the memory is left to the allocator. Rows are stored until all inputs are read,
    /// since identities are resolved only then; they get one thirty-second of the rest. What remains
    /// is for the deduplication keys of distinct events, for ids and for identity facts: the default
    /// holds those of about 8 million events. Leads replace the keys and get half of it: the
    /// default holds about 400,000. Data on disk is in anonymous files in the output folder, or in
    /// TMPDIR with `-o -`. The outputs do not depend on this option. With inputs in object storage,
    /// one eighth, at most 256 MiB, is used to read ahead.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "1GiB", value_parser = value::size)]
    pub memory: u64,
    /// Reject records larger than this size
    ///
    /// SIZE is in bytes, or has a unit: kB, KiB, MB, MiB, GB, GiB.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}

/// What captured deliveries must contain.
#[derive(Debug, Args)]
pub struct Captures {
    /// Reject captured deliveries without this X-Api-Secret header
    ///
    /// SECRET is @FILE to read it from a file, or the secret itself, which other users of the
    /// machine can see in the process list; use a file, or the environment variable
    /// `BACKTRAIL_API_SECRET`. Events without a capture are not checked.
    #[arg(long, value_name = "SECRET", help_heading = "Captures", value_parser = given())]
    pub api_secret: Option<Given>,
    /// Reject captured deliveries to paths without this key
    ///
    /// The paths are those of TrailSpark: …/webhook/KEY, …/webhook/SOURCE/KEY, …/webhook/KEY/batch
    /// and …/bulk/KEY. See --api-secret for the format of KEY; the environment variable is
    /// `BACKTRAIL_API_KEY`.
    #[arg(long, value_name = "KEY", help_heading = "Captures", value_parser = given())]
    pub api_key: Option<Given>,
    /// Reject captured deliveries without an X-Signature by this secret
    ///
    /// The signature is the HMAC-SHA1 of the body; for a batch, that of its first element. See
    /// --api-secret for the format of SECRET; the environment variable is
    /// `BACKTRAIL_SIGNING_SECRET`.
    #[arg(long, value_name = "SECRET", help_heading = "Captures", value_parser = given())]
    pub signing_secret: Option<Given>,
}

impl Captures {
    /// Iterates over the files that contain secrets.
    pub fn files(&self) -> impl Iterator<Item = ReadFile> {
        let given = [&self.api_secret, &self.api_key, &self.signing_secret];
        given.into_iter().flatten().filter_map(Given::file)
    }
}

fn given() -> impl TypedValueParser<Value = Given> {
    OsStringValueParser::new().map(Given::from)
}
