//! `backtrail check`: checks fixtures, a tracking plan and mapping rules against each other.

use std::path::PathBuf;

use crate::emit::overlap::{self, ReadFile, Target};
use crate::emit::staging::check_single;
use crate::emit::{Format, FormulaGuard};
use crate::engine::Engine;
use crate::engine::plan::Terms;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::jobs::check::baseline::Baseline;
use crate::jobs::check::coverage::uncovered_rules;
use crate::jobs::check::examine::{Criteria, Examined, examine};
use crate::jobs::check::finding::{Checked, Level, Violation};
use crate::jobs::check::flaw::Flaw;
use crate::jobs::check::place::Placer;
use crate::jobs::check::planned::{PlanFiles, SourceFile};
use crate::jobs::check::report::put;
use crate::jobs::check::repository::Repository;
use crate::jobs::check::snapshot::Given;
use crate::jobs::check::verdict::{Levels, NewCase, Verdict, must_fail};
use crate::jobs::check::{rule, snapshot};
use crate::jobs::input::{pool, reader, reads, shares};
use crate::jobs::run;
use crate::jobs::run::InMemory;
use crate::source::{Discovery, Fault, FileId, OnFault, Reader};

/// The memory for the rows of a snapshot and for reading ahead, in bytes.
const MEMORY_BYTES: usize = 1 << 30;

/// The stored output tables that a run must reproduce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The folder of the tables.
    pub dir: PathBuf,
    /// Whether to replace the tables with the new output.
    pub bless: bool,
}

/// Findings that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// The findings in this baseline are muted.
    Muted(Baseline),
    /// All findings are written to a new baseline at this path, and muted.
    Written(PathBuf),
}

/// A check, with all settings resolved.
pub struct Job {
    /// The fixtures.
    pub inputs: Discovery,
    /// Files that are named as fixtures, and other files of the user that the job read.
    pub own_files: Vec<ReadFile>,
    /// The files and streams that reports are written to.
    pub report_targets: Vec<Target>,
    /// Whether fixtures without records are accepted.
    pub allow_empty: bool,
    /// The rules, the allow list, and the settings for reading events.
    pub engine: Engine,
    /// The limits of the service's plan, for the snapshot.
    pub terms: Terms,
    /// The rules file.
    pub rules: Option<SourceFile>,
    /// The tracking plan.
    pub plan: Option<PlanFiles>,
    /// The level of findings about events that the allow list does not match.
    pub not_allowed: Level,
    /// Kinds of findings whose level differs from the default.
    pub levels: Levels,
    /// The output tables that a run must reproduce.
    pub snapshot: Option<Snapshot>,
    /// Findings that are known.
    pub known: Option<Known>,
    /// The repository, from whose root files are named.
    pub repository: Repository,
    /// The number of threads.
    pub threads: usize,
}

/// The result of a check.
pub struct Outcome {
    /// The findings and what was checked.
    pub checked: Checked,
    /// The faults of inputs.
    pub faults: Vec<Fault>,
    /// Messages about files that were skipped because they contain no data.
    pub skipped: Vec<String>,
}

impl Outcome {
    /// Returns the exit code of the program.
    pub fn exit_code(&self) -> u8 {
        let fails = self.checked.findings.iter().any(|finding| finding.level == Level::Error);
        if self.faults.is_empty() { u8::from(fails) } else { 2 }
    }
}

/// Runs `job`.
///
/// # Errors
/// Returns an error if fixtures contain no records, or if a snapshot or a baseline cannot be read
/// or written.
pub fn check(job: Job, watch: &dyn Watch) -> Result<Outcome, Error> {
    check_outputs(&job)?;
    let (prefetch_bytes, _) = shares(&job.inputs, MEMORY_BYTES);
    let reader = reader(job.inputs.clone(), &job.engine, OnFault::Continue, prefetch_bytes, watch);
    let examined = fixtures(&job, &reader, watch)?;
    let files = reader.files();
    let names: Vec<(FileId, String)> =
        files.iter().map(|(file, input)| (file, input.display.replace('\\', "/"))).collect();
    let faults = reader.faults();
    if examined.events + examined.refused == 0 && faults.is_empty() && !job.allow_empty {
        let what =
            if names.is_empty() { "there are no fixtures" } else { "the fixtures are empty" };
        return Err(Error::empty(what, &[]));
    }
    let mut verdict = Verdict::new(job.levels.clone());
    let has_events = examined.events > 0;
    let seen = &examined.seen;
    let seen_of_plan = has_events.then_some(seen);
    let plan_cases = job.plan.as_ref().map(|plan| plan.cases(seen_of_plan)).unwrap_or_default();
    let rule_cases = job
        .rules
        .as_ref()
        .map(|file| (file.name.clone(), rule_cases(&job.engine, file, seen, has_events)));
    verdict.fixtures(examined, &names);
    for (name, cases) in plan_cases.into_iter().chain(rule_cases) {
        verdict.suite(&name, cases);
    }
    let Job { snapshot, known, repository, levels, .. } = &job;
    let (known, repository, levels) = (known.clone(), repository.clone(), levels.clone());
    if let Some(snapshot) = snapshot.clone() {
        for (name, case) in snapshot_cases(job, &snapshot, watch)? {
            verdict.suite(&name, vec![case]);
        }
    }
    let mut checked = verdict.finish();
    mute(known, &mut checked, &repository)?;
    // Only the baseline creates findings about its entries.
    let stale = checked.findings.iter_mut();
    let stale = stale.filter(|finding| finding.violation == Violation::StaleBaseline);
    stale.for_each(|finding| levels.apply(finding));
    Ok(Outcome { checked, faults, skipped: reader.skipped() })
}

/// Checks that no output is an input, before anything is done.
fn check_outputs(job: &Job) -> Result<(), Error> {
    let mut targets = job.report_targets.clone();
    if let Some(Known::Written(path)) = &job.known {
        targets.push(Target::File(path.clone()));
    }
    if let Some(Snapshot { dir, bless: true }) = &job.snapshot {
        targets.extend(snapshot::TABLES.map(|table| Target::File(dir.join(table))));
    }
    let files = targets.iter().filter_map(Target::file);
    files.clone().try_for_each(check_single)?;
    overlap::check(&targets, reads(&job.inputs, &job.own_files))?;
    Ok(())
}

fn fixtures(job: &Job, reader: &Reader, watch: &dyn Watch) -> Result<Examined, Error> {
    let criteria = Criteria {
        plan: job.plan.as_ref().map(|plan| &plan.plan),
        engine: &job.engine,
        has_rules: job.rules.is_some(),
        not_allowed: job.not_allowed,
    };
    let counts = |name: &str| !must_fail(name);
    examine(&criteria, reader, &counts, &pool(job.threads)?, watch)
}

/// Returns the tests of the rules file, the unreachable rules, and the rules that no fixture
/// covers.
fn rule_cases(
    engine: &Engine,
    file: &SourceFile,
    seen: &crate::jobs::check::coverage::Seen,
    has_events: bool,
) -> Vec<NewCase> {
    let rules = &engine.rules;
    let mut placer = Placer::new(&file.name, &file.text, 1);
    let mut cases = rule::tests(engine, &mut placer);
    let unreachable = rule::unreachable(rules, seen);
    let known: Vec<usize> = unreachable.iter().map(|(place, _)| *place).collect();
    let uncovered = if has_events { uncovered_rules(rules, seen, &known) } else { Vec::new() };
    let of = |violation: Violation, name: &'static str| {
        move |(place, message)| (place, name, Flaw::new(violation, message))
    };
    let unreachable = unreachable.into_iter().map(of(Violation::RuleNeverMatches, "reachable"));
    let uncovered = uncovered.into_iter().map(of(Violation::Uncovered, "covered"));
    for (place, name, flaw) in unreachable.chain(uncovered) {
        let rule = &rules.rules[place];
        let finding = flaw.by(rule.id.as_str()).found(&mut placer, &rule.span, None);
        let case = NewCase { name: name.into(), rule: rule.id.clone(), findings: vec![finding] };
        cases.push(case);
    }
    cases
}

/// Runs the pipeline on the fixtures and compares its output with the stored tables, or replaces
/// these.
fn snapshot_cases(
    job: Job,
    snapshot: &Snapshot,
    watch: &dyn Watch,
) -> Result<Vec<(String, NewCase)>, Error> {
    if watch.stopped() {
        return Err(Error::Interrupted);
    }
    let given = Given::new().map_err(Error::Spill)?;
    let mut inputs = job.inputs;
    // Fixtures that are expected to fail do not contribute to the expected output.
    inputs.inputs.retain(|input| !must_fail(&input.display));
    let run = run::Job {
        inputs,
        engine: job.engine,
        terms: job.terms,
        rules_file: job.rules.map(|file| file.name),
        filters_file: None,
        own_files: Vec::new(),
        warnings: Vec::new(),
        destination: given.destination().map_err(Error::Spill)?,
        in_memory: InMemory::No,
        formats: vec![Format::Csv],
        crms: Vec::new(),
        page: None,
        guard: FormulaGuard::On,
        on_fault: OnFault::Continue,
        threads: job.threads,
        memory_bytes: MEMORY_BYTES,
        allow_empty: true,
        max_rejects: None,
        fail_over_plan: false,
    };
    run::run(run, watch)?;
    if snapshot.bless {
        snapshot::bless(&snapshot.dir, &given)?;
    }
    snapshot::compare(&snapshot.dir, &given)
}

fn mute(known: Option<Known>, checked: &mut Checked, repository: &Repository) -> Result<(), Error> {
    match known {
        None => {}
        Some(Known::Muted(baseline)) => baseline.mute(checked, repository),
        Some(Known::Written(path)) => {
            let mut text = Vec::new();
            Baseline::write(checked, repository, &mut text).map_err(Error::Write)?;
            put(&path, |out| out.write_all(&text))?;
            let name = path.display().to_string();
            Baseline::parse(&name, &String::from_utf8_lossy(&text))?.mute(checked, repository);
        }
    }
    Ok(())
}
