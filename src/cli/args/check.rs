//! The arguments of `check`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};

use super::store::StoreArgs;
use super::value;
use crate::jobs::check::finding::Violation;
use crate::jobs::check::report::Report;

const EXIT_CODES: &str = "\
Exit codes:
  0  success: no findings, or only notes
  1  findings other than notes
  2  error: wrong usage, no fixture, a fixture that cannot be read completely, an invalid rules file
     or tracking plan";

const EXAMPLES: &str = "\
Examples:
  backtrail check fixtures/ --tracking-plan plan.json --rules rules.toml
  backtrail check fixtures/ --tracking-plan plan.json --report sarif=check.sarif --report junit=check.xml
  backtrail check fixtures/ --rules rules.toml --expect expected/ --bless
  backtrail check --rules rules.toml </dev/null";

/// The arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct CheckArgs {
    /// Fixtures: files, folders, quoted globs, objects (`s3://bucket/prefix/`), or `-` for standard
    /// input
    ///
    /// Fixtures contain events in any shape that `run` reads. A fixture with `.invalid.` in its
    /// name, such as form.invalid.json, is expected to fail; it is reported if nothing is wrong
    /// with it. Without FIXTURE, standard input is read unless it is a terminal.
    #[arg(value_name = "FIXTURE", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Tracking plan to validate events against: a file, or a folder with one schema per event
    ///
    /// Supported are responses of Segment's Public API (one or more pages, concatenated or in a
    /// list) and of the older Config API, the plan.json of typewriter or of `RudderTyper` (also as
    /// YAML), the CSV file exported from Segment's app, and Terraform's `segment_tracking_plan`, as
    /// .tf files or the output of `terraform show -json`. In a folder, every file is a plan, a rule
    /// or a JSON schema. A schema applies to the event that it requires (`"event": {"const":
    /// "Signed Up"}`), or else to the event that its file is named after, such as
    /// `signed_up.v1.json`.
    #[arg(long, value_name = "PLAN", help_heading = "Checks", value_hint = ValueHint::AnyPath)]
    pub tracking_plan: Option<PathBuf>,
    /// Mapping rules that must map all signals, with their own tests (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Checks", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Allow list that every event must pass
    ///
    /// An event that does not pass is an error. For the allow list of the rules file, which this
    /// option replaces, it is a note.
    #[arg(long, value_name = "FILE", help_heading = "Checks", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Folder with the expected leads.csv and signals.csv
    #[arg(long, value_name = "DIR", help_heading = "Checks", value_hint = ValueHint::DirPath)]
    pub expect: Option<PathBuf>,
    /// Write the actual outputs of the fixtures to the folder of --expect
    #[arg(long, help_heading = "Checks", requires = "expect")]
    pub bless: bool,
    /// Kinds of notes that fail the check, such as `uncovered`
    #[arg(long, value_name = "KIND", help_heading = "Checks", value_delimiter = ',', value_parser = kind())]
    pub deny: Vec<Violation>,
    /// Kinds of findings that do not fail the check
    #[arg(long, value_name = "KIND", help_heading = "Checks", value_delimiter = ',', value_parser = kind())]
    pub note: Vec<Violation>,
    /// File with known findings, which are ignored
    #[arg(long, value_name = "FILE", help_heading = "Checks", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write all findings to the file of --baseline
    #[arg(long, help_heading = "Checks", requires = "baseline")]
    pub write_baseline: bool,
    /// Do not fail if the fixtures contain no records
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,

    /// Report format, optionally with a file: text, json, junit, sarif, github or markdown;
    /// repeatable
    ///
    /// Without FILE, the report is written to standard output, which takes one report. The default
    /// there is text, or workflow commands in a step of GitHub Actions.
    #[arg(long, value_name = "FORMAT[=FILE]", help_heading = "Output", value_parser = Report::from_str)]
    pub report: Vec<Report>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub store: StoreArgs,

    /// Number of threads; 0 uses one per core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Reject records larger than this size
    ///
    /// SIZE is in bytes, or has a unit: kB, KiB, MB, MiB, GB, GiB.
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}

fn kind() -> impl TypedValueParser<Value = Violation> {
    PossibleValuesParser::new(Violation::ALL.map(Violation::name)).try_map(|name| {
        let found = Violation::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or("no such kind")
    })
}
