//! `backtrail audit`: what a filter would do to past events, before it is used in production.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::emit::overlap::{self, ReadFile, Target};
use crate::emit::staging::{Readers, check_single, put};
use crate::engine::Engine;
use crate::engine::exchange::spill::Scratch;
use crate::engine::map::example::Lines;
use crate::engine::plan::Terms;
use crate::engine::watch::{Phase, Watch};
use crate::error::Error;
use crate::jobs::audit::html::page;
use crate::jobs::audit::ingest::ingest;
use crate::jobs::audit::report::{FilterInfo, Report, Severity};
use crate::jobs::audit::summary::Facts;
use crate::jobs::audit::survey::Filters;
use crate::jobs::audit::text::text;
use crate::jobs::input::{go_on, pool, reader, reads, shares};
use crate::jobs::refused::{first_places, nothing_found, nothing_in_window};
use crate::report::layout::Layout;
use crate::source::{Discovery, OnFault};

/// The format of the report on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text(Layout),
    /// For programs.
    Json,
}

/// An audit, with all settings resolved.
pub struct Job {
    /// The inputs.
    pub inputs: Discovery,
    /// The settings that map events; its only filter is that of `--where`.
    pub engine: Engine,
    /// The filter and the one that it is compared with.
    pub filters: Filters,
    /// Descriptions of the two filters, that of the side before first.
    pub infos: [Vec<FilterInfo>; 2],
    /// The limits of the plan.
    pub terms: Terms,
    /// The path of the rules file.
    pub rules_file: Option<String>,
    /// The files of the user that the job read.
    pub own_files: Vec<ReadFile>,
    /// Warnings about these files.
    pub warnings: Vec<String>,
    /// The format of what is written to `out`.
    pub format: Format,
    /// The writer of the report.
    pub out: Box<dyn Write + Send>,
    /// The path of the page.
    pub html: Option<PathBuf>,
    /// The severity from which findings make the audit fail.
    pub fail_on: Severity,
    /// How faults of inputs are handled.
    pub on_fault: OnFault,
    /// The number of threads.
    pub threads: usize,
    /// The memory for rows that wait for the second phase and for detecting duplicates, in bytes.
    pub memory_bytes: usize,
    /// A folder with room for what does not fit into memory.
    pub spill_dir: PathBuf,
    /// Whether an input without events is accepted.
    pub allow_empty: bool,
}

/// The result of an audit.
pub struct Outcome {
    /// The report.
    pub report: Report,
    fail_on: Severity,
}

impl Outcome {
    /// Returns the exit code of the program.
    pub fn exit_code(&self) -> u8 {
        if !self.report.faults.is_empty() {
            return 2;
        }
        u8::from(self.report.findings.iter().any(|finding| finding.severity <= self.fail_on))
    }
}

/// Runs `job`.
///
/// # Errors
/// Returns an error if the report cannot be produced or written.
pub fn audit(job: Job, watch: &dyn Watch) -> Result<Outcome, Error> {
    let start = Instant::now();
    check_outputs(&job)?;
    let pool = pool(job.threads)?;
    let (prefetch_bytes, memory_bytes) = shares(&job.inputs, job.memory_bytes);
    let reader = reader(job.inputs, &job.engine, job.on_fault, prefetch_bytes, watch);
    let scratch = Scratch::new(job.spill_dir, memory_bytes);
    let ingested = ingest(&job.engine, &job.filters, &reader, &pool, &scratch, watch)?;
    go_on(watch)?;
    if ingested.counters.events == 0 && !job.allow_empty {
        let segments =
            ingested.scenarios[crate::jobs::audit::Side::Before as usize].store.segments();
        let places = first_places(&ingested.counters, &Lines::new(reader.files(), segments));
        return Err(nothing_found(&ingested.counters, &reader, &places));
    }
    nothing_in_window(&ingested.counters, job.engine.window, job.allow_empty)?;
    watch.enter(Phase::Resolving);
    let facts = Facts {
        engine: &job.engine,
        filters: &job.filters,
        infos: job.infos,
        reader: &reader,
        ingested: &ingested,
        terms: &job.terms,
        rules_file: job.rules_file,
        warnings: job.warnings,
    };
    let mut report = facts.report(&pool, watch)?;
    report.elapsed_seconds = start.elapsed().as_secs_f64();
    if let Some(redaction) = &job.engine.redaction {
        report.redact(redaction);
    }
    watch.enter(Phase::Writing);
    if let Some(path) = &job.html {
        write_page(path, &report)?;
    }
    let mut out = job.out;
    match job.format {
        Format::Text(layout) => out.write_all(text(&report, layout).as_bytes()),
        Format::Json => serde_json::to_writer_pretty(&mut out, &report)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
    }
    .and_then(|()| out.flush())
    .map_err(Error::from_output)?;
    Ok(Outcome { report, fail_on: job.fail_on })
}

/// Checks that no output is an input, before anything is done.
fn check_outputs(job: &Job) -> Result<(), Error> {
    let html = job.html.iter();
    html.clone().try_for_each(|path| check_single(path))?;
    let targets: Vec<_> = html.cloned().map(Target::File).chain([Target::Stdout]).collect();
    overlap::check(&targets, reads(&job.inputs, &job.own_files))?;
    Ok(())
}

/// Writes the page, which contains addresses, and replaces an earlier one.
fn write_page(path: &Path, report: &Report) -> Result<(), Error> {
    put(path, Readers::Owner, |out| out.write_all(page(report).as_bytes()))?;
    Ok(())
}
