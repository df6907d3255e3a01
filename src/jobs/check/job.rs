//! `backtrail check`: fixtures, a tracking plan and mapping rules checked against one another.

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
use crate::jobs::check::examine::{Examined, Yardstick, examine};
use crate::jobs::check::finding::{Checked, Level, Violation};
use crate::jobs::check::flaw::Flaw;
use crate::jobs::check::place::Placer;
use crate::jobs::check::planned::{PlanFiles, Written};
use crate::jobs::check::report::put;
use crate::jobs::check::repository::Repository;
use crate::jobs::check::snapshot::Given;
use crate::jobs::check::verdict::{Levels, NewCase, Verdict, must_fail};
use crate::jobs::check::{rule, snapshot};
use crate::jobs::input::{pool, reader, reads, shares};
use crate::jobs::run;
use crate::jobs::run::output::InMemory;
use crate::source::{Discovery, Fault, FileId, OnFault, Reader};

/// What rows of a snapshot, and what is read ahead, may take, in bytes.
const MEMORY_BYTES: usize = 1 << 30;

/// The tables that a run gave once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where they are kept.
    pub dir: PathBuf,
    /// Whether what is found is kept from now on.
    pub bless: bool,
}

/// Findings that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Those of this baseline are muted.
    Muted(Baseline),
    /// All that are found are written to this file, and muted.
    Written(PathBuf),
}

/// A check, all of it decided.
pub struct Job {
    /// The fixtures.
    pub inputs: Discovery,
    /// Files that are named as fixtures, and those that the user wrote to hold fixtures against.
    pub own_files: Vec<ReadFile>,
    /// Where reports go.
    pub report_targets: Vec<Target>,
    /// Whether it is no error that they hold nothing.
    pub allow_empty: bool,
    /// The rules, the allow list, and how events are read.
    pub engine: Engine,
    /// What the plan of the service allows; for the snapshot.
    pub terms: Terms,
    /// The rules file.
    pub rules: Option<Written>,
    /// The tracking plan.
    pub plan: Option<PlanFiles>,
    /// How bad an event is that the allow list does not take.
    pub not_allowed: Level,
    /// Which kinds of findings are worse or less bad than usual.
    pub levels: Levels,
    /// What a run must give.
    pub snapshot: Option<Snapshot>,
    /// Findings that are known.
    pub known: Option<Known>,
    /// Where files have their names from.
    pub repository: Repository,
    /// How many threads work.
    pub threads: usize,
}

/// What a check came to.
pub struct Outcome {
    /// What was found.
    pub checked: Checked,
    /// What could not be read.
    pub faults: Vec<Fault>,
    /// What is said of files that hold no data and were passed over.
    pub passed_over: Vec<String>,
}

impl Outcome {
    /// The exit code of the program.
    pub fn exit_code(&self) -> u8 {
        let fails = self.checked.findings.iter().any(|finding| finding.level == Level::Error);
        if self.faults.is_empty() { u8::from(fails) } else { 2 }
    }
}

/// Does `job`.
///
/// # Errors
/// When fixtures hold nothing, or a snapshot or a baseline cannot be read or written.
pub fn check(job: Job, watch: &dyn Watch) -> Result<Outcome, Error> {
    check_outputs(&job)?;
    let (ahead_bytes, _) = shares(&job.inputs, MEMORY_BYTES);
    let reader = reader(job.inputs.clone(), &job.engine, OnFault::Continue, ahead_bytes, watch);
    let examined = fixtures(&job, &reader, watch)?;
    let files = reader.files().into_iter();
    let names: Vec<(FileId, String)> =
        files.map(|(file, input)| (file, input.display.replace('\\', "/"))).collect();
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
        for (name, case) in taken(job, &snapshot, watch)? {
            verdict.suite(&name, vec![case]);
        }
    }
    let mut checked = verdict.finish();
    mute(known, &mut checked, &repository)?;
    // Only the baseline tells of its own entries.
    let stale = checked.findings.iter_mut();
    let stale = stale.filter(|finding| finding.violation == Violation::StaleBaseline);
    stale.for_each(|finding| levels.apply(finding));
    Ok(Outcome { checked, faults, passed_over: reader.passed_over() })
}

/// Checks that no output is a file that is read, before anything is done.
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
    let yardstick = Yardstick {
        plan: job.plan.as_ref().map(|plan| &plan.plan),
        engine: &job.engine,
        has_rules: job.rules.is_some(),
        not_allowed: job.not_allowed,
    };
    let counts = |name: &str| !must_fail(name);
    examine(&yardstick, reader, &counts, &pool(job.threads)?, watch)
}

/// The tests of the rules file, the rules that nothing reaches, and those that no fixture covers.
fn rule_cases(
    engine: &Engine,
    file: &Written,
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

/// Runs the pipeline over the fixtures and compares, or keeps, what comes out.
fn taken(
    job: Job,
    snapshot: &Snapshot,
    watch: &dyn Watch,
) -> Result<Vec<(String, NewCase)>, Error> {
    if watch.stopped() {
        return Err(Error::Interrupted);
    }
    let given = Given::new().map_err(Error::Spill)?;
    let mut inputs = job.inputs;
    // What is expected to fail gives nothing that is expected.
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
