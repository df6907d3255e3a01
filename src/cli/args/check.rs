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
  0  fine
  1  findings, but for notes
  2  error: usage, no fixture, a fixture that cannot be read to its end, a bad rules file, no plan";

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
    /// Events in every shape that `run` reads. A fixture whose name has `.invalid.` in it, as
    /// form.invalid.json, must fail: that nothing is wrong with it is the finding then. Without a
    /// FIXTURE standard input is read, unless it is a terminal.
    #[arg(value_name = "FIXTURE", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<OsString>,

    /// Tracking plan that events must fit: a file, or a folder with one schema an event
    ///
    /// As Segment's Public API gives it (one page or several, one behind the other or in a list),
    /// as the older Config API does, the plan.json of typewriter or of `RudderTyper` (also in YAML),
    /// the CSV file that Segment's app downloads, or Terraform's `segment_tracking_plan`: its files
    /// (.tf) or what `terraform show -json` gives. In a folder every file is a plan, a rule or a JSON
    /// schema; a schema is for the event that it demands (`"event": {"const": "Signed Up"}`), else for
    /// the one that its file is called by, as `signed_up.v1.json`.
    #[arg(long, value_name = "PLAN", help_heading = "Checks", value_hint = ValueHint::AnyPath)]
    pub tracking_plan: Option<PathBuf>,
    /// Mapping rules that must take the signals, with their own tests (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Checks", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Allow list that must take every event
    ///
    /// What it does not take is an error; of the rules file's own list, which it replaces, a note.
    #[arg(long, value_name = "FILE", help_heading = "Checks", value_hint = ValueHint::FilePath)]
    pub allow: Option<PathBuf>,
    /// Folder with the leads.csv and signals.csv that the fixtures must give
    #[arg(long, value_name = "DIR", help_heading = "Checks", value_hint = ValueHint::DirPath)]
    pub expect: Option<PathBuf>,
    /// Write what the fixtures give to the folder of --expect
    #[arg(long, help_heading = "Checks", requires = "expect")]
    pub bless: bool,
    /// Kinds of findings that fail the check, though they are notes, as `uncovered`
    #[arg(long, value_name = "KIND", help_heading = "Checks", value_delimiter = ',', value_parser = kind())]
    pub deny: Vec<Violation>,
    /// Kinds of findings that do not fail the check
    #[arg(long, value_name = "KIND", help_heading = "Checks", value_delimiter = ',', value_parser = kind())]
    pub note: Vec<Violation>,
    /// Findings that are known, and do not count
    #[arg(long, value_name = "FILE", help_heading = "Checks", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write all that is found to the file of --baseline
    #[arg(long, help_heading = "Checks", requires = "baseline")]
    pub write_baseline: bool,
    /// Do not fail when the fixtures hold nothing
    #[arg(long, help_heading = "Checks")]
    pub allow_empty: bool,

    /// Reports: text, json, junit, sarif, github or markdown, perhaps =FILE; several times
    ///
    /// Without =FILE to standard output, of which there is one. What nobody asks for there is text,
    /// or in a step of GitHub Actions its workflow commands.
    #[arg(long, value_name = "FORMAT[=FILE]", help_heading = "Output", value_parser = Report::from_str)]
    pub report: Vec<Report>,

    #[allow(missing_docs)] // clap would print it
    #[command(flatten)]
    pub store: StoreArgs,

    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", help_heading = "Resources", default_value_t = 0)]
    pub threads: usize,
    /// Reject longer records: bytes, or with kB, KiB, MB, MiB …
    #[arg(long, value_name = "SIZE", help_heading = "Resources", default_value = "8MiB", value_parser = value::record_size)]
    pub max_record_bytes: u64,
}

fn kind() -> impl TypedValueParser<Value = Violation> {
    PossibleValuesParser::new(Violation::ALL.map(Violation::name)).try_map(|name| {
        let found = Violation::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or("no such kind")
    })
}
