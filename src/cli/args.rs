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
  0  fine
  1  findings: more rejects than --max-rejects, plan over with --fail-over-plan
  2  error: usage, an input that cannot be read to its end, a bad rules file";

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
    after_help = "`backtrail COMMAND --help` tells more of a command.",
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
    /// Print errors and findings only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// How to show progress on standard error
    ///
    /// With --quiet none is shown.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub progress: ProgressWhen,
    /// The same as `--progress off`, as scripts of before have it
    #[arg(long, global = true, hide = true, conflicts_with = "progress")]
    pub no_progress: bool,
    /// When to colour the summary
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
}

/// The display of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressWhen {
    /// A bar on a terminal, else nothing
    Auto,
    /// A line a minute, and one at the end of each phase, for logs
    Plain,
    /// Nothing
    Off,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one of it
pub enum Command {
    /// Turn event exports into leads, signals and a plan report
    Run(RunArgs),
    /// Judge an allow list or destination filters against real events, and change nothing
    Audit(audit::AuditArgs),
    /// Validate fixtures against a tracking plan and mapping rules, for CI
    Check(check::CheckArgs),
    /// List events by name, show what they hold, and suggest rules to start from
    Queue(queue::QueueArgs),
    /// Tell why one lead, visitor or signal came out as it did, with the line of every event
    Explain(explain::ExplainArgs),
    /// Print shell completions, or install them
    #[command(after_help = "Examples:\n  backtrail completions fish --install\n  \
        backtrail completions bash > /etc/bash_completion.d/backtrail")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
        /// Put them where the shell looks for those of this user
        ///
        /// Bash: bash-completion/completions/backtrail below `XDG_DATA_HOME` (else ~/.local/share).
        /// Zsh: zsh/site-functions/_backtrail there. Fish: fish/completions/backtrail.fish below
        /// `XDG_CONFIG_HOME` (else ~/.config). A file that backtrail has not written is not replaced.
        #[arg(long)]
        install: bool,
    },
    /// Print the man page, or write all pages to a folder
    #[command(after_help = "Examples:\n  backtrail man | man -l -\n  \
        backtrail man --out ~/.local/share/man/man1")]
    Man {
        /// Write every page to this folder instead
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
}

/// The table that is streamed to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// Each track, page and screen, and whose it is
    Signals,
    /// Each person with an e-mail address
    Leads,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES, after_long_help = format!("{RUN_EXAMPLES}\n\n{EXIT_CODES}"))]
#[allow(clippy::struct_excessive_bools)] // each is a flag; they end in enums of the job
pub struct RunArgs {
    /// Files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard input
    ///
    /// Folders are walked in the order of their paths, without hidden files. `s3://`, `gs://`,
    /// `az://` and `abfss://` name objects, prefixes and globs of them, `https://` one object; of
    /// `segment-logs/SOURCE/` only the days of --since and --until are listed. Inputs may be plain,
    /// compressed (gzip, zstd, bzip2, xz) or archives (zip, tar), whatever their names. Without an
    /// INPUT, standard input is read unless it is a terminal.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Folder for the outputs, or `-` to stream one table
    ///
    /// The two tables, report.json, report.html to look at, and rejects.ndjson where there are any.
    /// Made where it is missing. Files appear in it whole or not at all, readable by you alone.
    /// `s3://BUCKET/FOLDER`, `gs://`, `az://` and `abfss://` name folders in object storage, where
    /// objects appear in the same way. With `-`, the table that --emit names goes to standard output and the summary to standard
    /// error.
    #[arg(short, long, value_name = "DIR", help_heading = "Output", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
    /// Formats of the tables, several with commas
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
    /// Write the leads for the importer of a CRM, too
    ///
    /// leads-hubspot.csv for HubSpot's import of contacts, leads-salesforce.csv for Salesforce's Data
    /// Import Wizard, with the names of columns that these know.
    #[arg(
        long,
        value_name = "CRM",
        help_heading = "Output",
        value_delimiter = ',',
        conflicts_with = "redact",
        value_parser = PossibleValuesParser::new(Crm::ALL.map(Crm::name)).map(value::crm)
    )]
    pub leads_for: Vec<Crm>,
    /// Which table `-o -` streams [default: signals]
    #[arg(long, value_name = "TABLE", help_heading = "Output")]
    pub emit: Option<Emit>,
    /// Replace the outputs of an earlier run
    #[arg(long, help_heading = "Output")]
    pub overwrite: bool,
    /// Write outputs that name nobody: hashes of e-mails, no names, phone numbers or IP addresses
    ///
    /// A lead is named by `lead_id`, the hash of its e-mail, and its names and phone number are left
    /// out; ids that are addresses are hashed, addresses in other texts hidden. The hash is SHA-256, as
    /// TrailSpark's emailHash, or, with a key in the environment variable `BACKTRAIL_REDACT_KEY`,
    /// HMAC-SHA-256, which nobody without the key can check a guess against.
    #[arg(long, help_heading = "Output")]
    pub redact: bool,
    /// Write no report.html
    #[arg(long, help_heading = "Output")]
    pub no_html: bool,
    /// Show e-mail addresses in report.html
    ///
    /// Of the leads with the highest scores, and of leads that the plan would have lost. Without it
    /// the page shows none, so that it can be passed on.
    #[arg(long, help_heading = "Output", conflicts_with = "no_html")]
    pub html_emails: bool,
    /// Leave CSV cells alone that a spreadsheet would run as formulas
    ///
    /// Without it, a cell from outside, or an item of a list, that begins with =, @, tab or a line
    /// end gets a leading ', and so does one that begins with + or - and is no plain number or phone
    /// number. Full-width forms count as well. The report counts the cells.
    #[arg(long, help_heading = "Output")]
    pub csv_raw: bool,

    /// Mapping rules, plan and identity settings (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Allow list: only events that one of its lines takes pass
    ///
    /// A line is a call type (identify), an event name (Form Submitted), `page PATTERN`, `screen
    /// PATTERN` or `fql: EXPRESSION`; # begins a comment. It replaces the allow list of the rules
    /// file.
    #[arg(long, value_name = "FILE", help_heading = "Rules and filters", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Destination filters: what Segment drops, and takes out of events, on the way
    ///
    /// A JSON file of one of Segment's filters, a list of them, an answer of its Public API or Config
    /// API, a file of Terraform (HCL), what `terraform show -json` prints, or a folder of such files
    /// (Git Sync), of which those without filters are passed over. They apply in Segment's order
    /// (sample, drop, drop properties, allow properties), after --allow and --where, and before
    /// everything else: what they take out is not seen again.
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

    /// Stop at the first input that cannot be read to its end
    ///
    /// Without it, what was read before the fault counts, the other inputs are read, and the exit
    /// code is 2.
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// Exit 1 past so many rejects: a number, or a share of the records
    #[arg(long, value_name = "N|P%", help_heading = "Checks", value_parser = value::max_rejects)]
    pub max_rejects: Option<MaxRejects>,
    /// Do not fail when no input has an event
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,
    /// Exit 1 when a period is over the plan's raw signals
    #[arg(long, help_heading = "Checks")]
    pub fail_over_plan: bool,
    /// Report message ids and contents that do not go together
    ///
    /// The same messageId with different content, and the same content but for the messageId. It
    /// costs a second hash of each event.
    #[arg(long, help_heading = "Checks")]
    pub profile_duplicates: bool,

    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Keep rows, keys, ids, identity facts and leads in memory up to this size; more wait on disk
    ///
    /// Rows wait until all inputs are read, because only then are identities resolved; they get a
    /// thirty-second part. The rest is for a key of each distinct event, which tells duplicates, ids and
    /// identity facts: the default holds those of about 10 million events.
    /// Leads come after the keys and get half: the default holds about 480,000.
    /// What is on disk is in files without names in the output folder, or in TMPDIR with `-o -`.
    /// The outputs are the same. With inputs in object stores an eighth, at most 256 MiB, is for what is
    /// read ahead of the threads that parse.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "1GiB", value_parser = value::size)]
    pub memory: u64,
    /// Reject longer records: bytes, or with kB, KiB, MB, MiB …
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}

/// What captured deliveries must contain.
#[derive(Debug, Args)]
pub struct Captures {
    /// Reject captured deliveries without this X-Api-Secret header
    ///
    /// SECRET is @FILE to read it from a file, or the secret itself, which other users of the
    /// machine then see in the list of processes. Prefer the file, or the environment variable
    /// `BACKTRAIL_API_SECRET`. Events that come without a capture are taken as they are.
    #[arg(long, value_name = "SECRET", help_heading = "Captures", value_parser = given())]
    pub api_secret: Option<Given>,
    /// Reject captured deliveries to paths without this key
    ///
    /// The paths are those that TrailSpark gives out: …/webhook/KEY, …/webhook/SOURCE/KEY,
    /// …/webhook/KEY/batch and …/bulk/KEY. KEY as --api-secret; or `BACKTRAIL_API_KEY`.
    #[arg(long, value_name = "KEY", help_heading = "Captures", value_parser = given())]
    pub api_key: Option<Given>,
    /// Reject captured deliveries without an X-Signature by this secret
    ///
    /// It is the HMAC-SHA1 of the body, of a batch that of its first element. SECRET as
    /// --api-secret; or `BACKTRAIL_SIGNING_SECRET`.
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
