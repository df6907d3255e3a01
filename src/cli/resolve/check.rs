//! Converts the arguments of `check` to a job.

mod plan;

use std::path::PathBuf;

use super::{
    ALLOW_LIST, Output, RULES, RulesFile, Surroundings, Text, Texts, allow, layout, own_file,
    threads,
};
use crate::cli::args::Show;
use crate::cli::args::check::CheckArgs;
use crate::emit::overlap::{ReadFile, Target};
use crate::engine::compile::Options;
use crate::error::Error;
use crate::jobs::check::baseline::Baseline;
use crate::jobs::check::finding::Level;
use crate::jobs::check::planned::SourceFile;
use crate::jobs::check::report::{Actions, Destination, Report, Setting, chosen};
use crate::jobs::check::repository::Repository;
use crate::jobs::check::snapshot::TABLES;
use crate::jobs::check::verdict::Levels;
use crate::jobs::check::{Job, Known, Snapshot};
use crate::source::Discovery;

/// A check and its reports.
pub struct Check {
    /// The job.
    pub job: Job,
    /// The reports.
    pub reports: Vec<Report>,
    /// What the reports need in addition to the findings.
    pub setting: Setting,
    /// Warnings about the files of the user.
    pub warnings: Vec<String>,
}

/// Returns the check that `args` describe.
///
/// # Errors
/// Returns an error if arguments contradict each other, or if a file that they name cannot be used.
pub fn check(args: CheckArgs, show: Show, around: Surroundings) -> Result<Check, Error> {
    let actions = Actions::read(around.variable);
    let reports = chosen(args.report.clone(), &actions);
    let reports = reports.map_err(|error| Error::Usage(error.to_string()))?;
    let here = std::env::current_dir().map_err(|error| Error::Setup(error.to_string()))?;
    let repository = Repository::around(&here);
    let mut texts = Texts::default();
    let rules = RulesFile::read(args.rules.as_deref(), &mut texts)?;
    let options = Options {
        allow: allow(args.allow.as_deref(), &mut texts)?,
        max_record_bytes: args.max_record_bytes,
        ..Options::default()
    };
    let (engine, terms, rules_file) = rules.compile(options, &mut texts)?;
    let plan =
        args.tracking_plan.as_deref().map(|path| plan::read(path, &mut texts)).transpose()?;
    let inputs = inputs(&args, around)?;
    let reads_stdin =
        inputs.inputs.iter().any(|input| input.path.is_none() && input.object.is_none());
    if args.expect.is_some() && reads_stdin {
        let text = "--expect reads the fixtures twice, which standard input cannot be; name files";
        return Err(Error::Usage(text.into()));
    }
    let layout = layout(show.color, Output::Stdout, around);
    let has_own = rules_file.is_some() || plan.is_some();
    let report_targets = reports.iter().map(|report| match &report.destination {
        Destination::File(path) => Target::File(path.clone()),
        Destination::Stdout => Target::Stdout,
    });
    let job = Job {
        inputs,
        own_files: own_files(&args),
        report_targets: report_targets.collect(),
        // A plan, or a rules file with tests, can be checked without fixtures.
        allow_empty: args.allow_empty || (args.inputs.is_empty() && has_own),
        terms,
        engine,
        rules: rules_file.map(written),
        plan,
        not_allowed: if args.allow.is_some() { Level::Error } else { Level::Note },
        levels: Levels { deny: args.deny, note: args.note },
        snapshot: args.expect.map(|dir| Snapshot { dir, bless: args.bless }),
        known: args.baseline.map(|path| known(path, args.write_baseline)).transpose()?,
        repository: repository.clone(),
        threads: threads(args.threads),
    };
    let setting = Setting { repository, layout, step_summary: actions.step_summary };
    Ok(Check { job, reports, setting, warnings: texts.warnings })
}

fn written(file: Text) -> SourceFile {
    SourceFile { name: file.name.replace('\\', "/"), text: file.text }
}

/// Returns the inputs, or standard input; returns none if standard input is a terminal and there is
/// a file that can be checked without fixtures.
fn inputs(args: &CheckArgs, around: Surroundings) -> Result<Discovery, Error> {
    let has_own = args.rules.is_some() || args.tracking_plan.is_some();
    if args.inputs.is_empty() && around.terminal_in && has_own {
        return Ok(Discovery::default());
    }
    let mut found = super::inputs(&args.inputs, &around.stores(args.store), None, around)?;
    let own = checked_against(args);
    // In a folder with fixtures, the files that they are checked against are not fixtures.
    found.inputs.retain(|input| {
        let path = input.path.as_ref().and_then(|path| path.canonicalize().ok());
        path.is_none_or(|path| !own.contains(&path))
    });
    Ok(found)
}

/// Returns the files that fixtures are checked against.
fn checked_against(args: &CheckArgs) -> Vec<PathBuf> {
    let CheckArgs { tracking_plan, rules, allow, baseline, expect, .. } = args;
    let named = [rules, allow, baseline].into_iter().flatten().cloned();
    let named = named.chain(tracking_plan.iter().flat_map(|path| plan::files(path)));
    let kept = expect.iter().flat_map(|dir| TABLES.map(|name| dir.join(name)));
    named.chain(kept).filter_map(|path| path.canonicalize().ok()).collect()
}

/// Returns the files that are read in addition to fixtures found in folders: those that fixtures
/// are checked against, and each file that is named as a fixture.
fn own_files(args: &CheckArgs) -> Vec<ReadFile> {
    let CheckArgs { tracking_plan, rules, allow, baseline, expect, .. } = args;
    let baseline = baseline.as_ref().filter(|_| !args.write_baseline);
    let plan = tracking_plan.iter().flat_map(|path| plan::files(path));
    let plan = plan.map(|path| ReadFile::new(path, "the tracking plan"));
    let own = [(rules.as_ref(), RULES), (allow.as_ref(), ALLOW_LIST), (baseline, "the baseline")];
    let expected = expect.iter().filter(|_| !args.bless);
    let expected = expected
        .flat_map(|dir| TABLES.map(|name| ReadFile::new(dir.join(name), "an expected table")));
    let named = args.inputs.iter().map(PathBuf::from).filter(|path| path.is_file());
    let named = named.map(|path| ReadFile::input(Some(path)));
    plan.chain(own.into_iter().filter_map(own_file)).chain(expected).chain(named).collect()
}

fn known(path: PathBuf, write: bool) -> Result<Known, Error> {
    if write {
        return Ok(Known::Written(path));
    }
    let text = Text::read(&path)?;
    Ok(Known::Muted(Baseline::parse(&text.name, &text.text)?))
}
