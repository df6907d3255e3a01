//! `backtrail run`: turns events into leads and signals.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::diagnostic::shown;
use crate::emit::overlap::{self, ReadFile};
use crate::emit::staging::{Leftovers, Overwrite, Staging};
use crate::emit::{Crm, Format, FormulaGuard};
use crate::engine::Engine;
use crate::engine::exchange::spill::Scratch;
use crate::engine::exchange::store::Store;
use crate::engine::ingest::{Ingested, ingest};
use crate::engine::map::counters::Counters;
use crate::engine::map::example::Lines;
use crate::engine::plan::{Terms, Timeframe};
use crate::engine::watch::{Phase, Watch};
use crate::error::Error;
use crate::jobs::input::{go_on, pool, reader, reads, shares};
use crate::jobs::refused::{first_places, mostly_refused, nothing_found, nothing_in_window};
use crate::jobs::run::output::{InMemory, Output, PAGE, Stream, TablesInMemory, Target};
use crate::jobs::run::page::{Emails, TopLead, page};
use crate::jobs::run::produce::{Setting, produce, write_rejects};
use crate::jobs::run::summary::{Facts, Read};
use crate::report::Report;
use crate::source::{Discovery, Files, OnFault, Reader};
use crate::store::{Stores, Url};

/// The destination of the outputs of a run.
pub enum Destination {
    /// Files in a directory.
    Directory(PathBuf, Overwrite),
    /// Objects in a folder of a bucket.
    Store {
        /// Opens the store.
        stores: Arc<Stores>,
        /// The folder.
        folder: Url,
        /// Whether objects of an earlier run may be replaced.
        overwrite: Overwrite,
        /// A directory that has room for what does not fit into memory.
        spill_dir: PathBuf,
    },
    /// One table, written to a stream.
    Stream {
        /// The table.
        stream: Stream,
        /// The stream.
        out: Box<dyn Write + Send>,
        /// A directory with room for what does not fit into memory.
        spill_dir: PathBuf,
    },
    /// Both tables, each to a place of its own, and nothing else.
    Tables {
        /// Where the signals go.
        signals: Box<dyn Write + Send>,
        /// Where the leads go.
        leads: Box<dyn Write + Send>,
        /// A directory that has room for what does not fit into memory.
        spill_dir: PathBuf,
    },
    /// Nowhere: the tables are wanted in memory alone.
    Nowhere {
        /// A directory that has room for what does not fit into memory meanwhile.
        spill_dir: PathBuf,
    },
}

/// The maximum number of rejects of a successful run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxRejects {
    /// An absolute number.
    Count(u64),
    /// A percentage of the records.
    Percent(f64),
}

/// A run, with all settings resolved.
pub struct Job {
    /// The inputs.
    pub inputs: Discovery,
    /// The settings that map events.
    pub engine: Engine,
    /// The limits of the plan.
    pub terms: Terms,
    /// The path of the rules file.
    pub rules_file: Option<String>,
    /// The path of the file of destination filters.
    pub filters_file: Option<String>,
    /// The files of the user that the job read.
    pub own_files: Vec<ReadFile>,
    /// Warnings about these files.
    pub warnings: Vec<String>,
    /// The destination of the outputs.
    pub destination: Destination,
    /// Whether the outcome holds the tables, too.
    pub in_memory: InMemory,
    /// The formats of the tables.
    pub formats: Vec<Format>,
    /// The CRMs for which additional files of leads are written.
    pub crms: Vec<Crm>,
    /// Whether a page is written, and whether it shows addresses.
    pub page: Option<Emails>,
    /// Whether CSV cells are guarded.
    pub guard: FormulaGuard,
    /// How faults of inputs are handled.
    pub on_fault: OnFault,
    /// The number of threads.
    pub threads: usize,
    /// The memory for rows that wait for the second phase and for detecting duplicates, in bytes.
    pub memory_bytes: usize,
    /// Whether an input without events is accepted.
    pub allow_empty: bool,
    /// The number of rejects above which the run fails.
    pub max_rejects: Option<MaxRejects>,
    /// Whether the run fails if a period exceeds the limit of the plan.
    pub fail_over_plan: bool,
}

/// The result of a run.
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The reasons for which the run fails although outputs were written.
    pub findings: Vec<String>,
    /// The tables, if the job asked for them.
    pub tables: Option<TablesInMemory>,
}

impl Outcome {
    /// Returns the exit code of the program.
    pub fn exit_code(&self) -> u8 {
        if self.report.faults.is_empty() { u8::from(!self.findings.is_empty()) } else { 2 }
    }
}

/// Runs `job`.
///
/// # Errors
/// Returns an error if an output cannot be written; then nothing has changed on disk. If objects are
/// written, the error says which of them exist, and which parts of others cannot be removed.
pub fn run(job: Job, watch: &dyn Watch) -> Result<Outcome, Error> {
    let mut leftovers = Leftovers::default();
    let done = run_into(job, watch, &mut leftovers);
    done.map_err(|error| match leftovers.warning() {
        Some(left) => Error::LeftOver { error: Box::new(error), left },
        None => error,
    })
}

fn run_into(job: Job, watch: &dyn Watch, leftovers: &mut Leftovers) -> Result<Outcome, Error> {
    let start = Instant::now();
    let streams = matches!(job.destination, Destination::Stream { .. });
    let names = Output::names(&job.formats, &job.crms, job.page);
    let targets = targets(&job.destination, &names);
    overlap::check(&targets, reads(&job.inputs, &job.own_files))?;
    let (target, spill_dir) = target(job.destination, &names, watch)?;
    let mut warnings = job.warnings;
    if let Target::Folder(staging) = &target {
        *leftovers = staging.leftovers();
        warnings.extend(stale_outputs(staging, (&job.formats, &job.crms), &names)?);
    }
    let output = Output::new(target, job.formats, job.crms, job.guard);
    let mut output = output.gathering(job.in_memory);
    let pool = pool(job.threads)?;
    let (prefetch_bytes, memory_bytes) = shares(&job.inputs, job.memory_bytes);
    let reader = reader(job.inputs, &job.engine, job.on_fault, prefetch_bytes, watch);
    let scratch = Scratch::new(spill_dir, memory_bytes);
    let ingested = ingest(&job.engine, &reader, &pool, scratch, watch)?;
    let Ingested { committed, counters, addresses } = ingested;
    go_on(watch)?;
    let files = shown_files(&reader, &job.engine);
    let lines = Lines::new(files.clone(), committed.store.segments());
    if counters.events == 0 && !job.allow_empty {
        let mut places = first_places(&counters, &lines);
        let is_fresh = output.present(&names)?.is_some_and(|present| present.is_empty());
        if is_fresh && keep_rejects(&counters, &committed.store, &files, output)? {
            places.push("rejects.ndjson in the output directory shows more".into());
        }
        return Err(nothing_found(&counters, &reader, &places));
    }
    nothing_in_window(&counters, job.engine.window, job.allow_empty)?;
    watch.enter(Phase::Resolving);
    let timeframe = Timeframe::new(&counters.volume, &job.terms);
    let duplicates = committed.duplicates;
    let profile = job.engine.profile_duplicates.then_some(committed.profile);
    let setting = Setting {
        engine: &job.engine,
        counters: &counters,
        files: &files,
        timeframe: &timeframe,
        pool: &pool,
        watch,
    };
    let produced =
        produce(setting, (committed, addresses), &mut output).map_err(|error| match error {
            Error::Interrupted if streams => Error::CutShort,
            error => error,
        })?;
    warnings.extend(mostly_refused(&counters, &lines));
    let mut report = Facts {
        lines: &lines,
        engine: &job.engine,
        read: Read::all(&reader, &counters.records_by_file),
        counters: &counters,
        duplicates,
        profile,
        produced: &produced,
        timeframe: &timeframe,
        terms: &job.terms,
        rules_file: job.rules_file,
        filters_file: job.filters_file,
        warnings,
        elapsed: start.elapsed(),
    }
    .report();
    debug_assert_eq!(report.check_sums(), Ok(()));
    if let Some(redaction) = &job.engine.redaction {
        report.redact(redaction);
    }
    write_report(&report, &mut output)?;
    if let Some(emails) = job.page {
        write_page(&report, &produced.top_leads, emails, &mut output)?;
    }
    if !streams {
        // A stream has received its whole table by now.
        go_on(watch)?;
    }
    let tables = output.take_gathered();
    output.commit()?;
    let findings = findings(&report, job.max_rejects, job.fail_over_plan);
    Ok(Outcome { report, findings, tables })
}

/// Returns the inputs with their names as shown in outputs.
fn shown_files(reader: &Reader, engine: &Engine) -> Files {
    match engine.redaction.clone() {
        Some(redaction) => reader.files().renamed(move |name| redaction.text(name).into_owned()),
        None => reader.files(),
    }
}

fn write_report(report: &Report, output: &mut Output) -> Result<(), Error> {
    let Some(mut file) = output.file("report.json")? else { return Ok(()) };
    serde_json::to_writer_pretty(&mut file, report)
        .map_err(|error| Error::from_output(error.into()))?;
    file.write_all(b"\n").map_err(Error::from_output)?;
    output.keep(file);
    Ok(())
}

fn write_page(
    report: &Report,
    leads: &[TopLead],
    emails: Emails,
    output: &mut Output,
) -> Result<(), Error> {
    let Some(mut file) = output.file(PAGE)? else { return Ok(()) };
    file.write_all(page(report, leads, emails).as_bytes()).map_err(Error::from_output)?;
    output.keep(file);
    Ok(())
}

/// Writes only the rejects of an input without events, if there are any.
fn keep_rejects(
    counters: &Counters,
    store: &Store,
    files: &Files,
    mut output: Output,
) -> Result<bool, Error> {
    if counters.rejects.iter().all(|&count| count == 0) {
        return Ok(false);
    }
    let Some(mut file) = output.file("rejects.ndjson")? else { return Ok(false) };
    write_rejects(store, files, &mut file)?;
    output.keep(file);
    output.commit()?;
    Ok(true)
}

/// Returns all outputs that a run may write.
fn targets(destination: &Destination, names: &[String]) -> Vec<overlap::Target> {
    match destination {
        Destination::Directory(dir, _) => {
            names.iter().map(|name| overlap::Target::File(dir.join(name))).collect()
        }
        Destination::Store { folder, .. } => {
            names.iter().map(|name| overlap::Target::Object(folder.join(name))).collect()
        }
        Destination::Stream { .. } => vec![overlap::Target::Stdout],
        Destination::Tables { .. } | Destination::Nowhere { .. } => Vec::new(),
    }
}

/// Returns warnings about outputs of an earlier run that this run neither replaces nor removes:
/// tables in formats or for CRMs that it does not write, and the page if it writes none.
fn stale_outputs(
    staging: &Staging,
    (formats, crms): (&[Format], &[Crm]),
    names: &[String],
) -> Result<Vec<String>, Error> {
    if staging.overwrite() == Overwrite::No {
        return Ok(Vec::new());
    }
    let others: Vec<_> =
        Format::ALL.into_iter().filter(|format| !formats.contains(format)).collect();
    let other_crms: Vec<_> = Crm::ALL.into_iter().filter(|crm| !crms.contains(crm)).collect();
    let tables = Output::tables(&others).into_iter().chain(Output::crm_tables(&other_crms));
    let page = (!names.iter().any(|name| name == PAGE)).then(|| PAGE.to_owned());
    let present = staging.present(&tables.chain(page).collect::<Vec<_>>())?;
    let (page, tables): (Vec<String>, Vec<String>) =
        present.into_iter().partition(|name| name == PAGE);
    let shown = |names: Vec<String>| {
        names.iter().map(|name| shown(&staging.path(name))).collect::<Vec<_>>().join(", ")
    };
    let tables = (!tables.is_empty()).then(|| {
        format!(
            "left as an earlier run wrote them, in a format or for a CRM that this run does not write \
             for: {}; remove them, or name it with --format or --leads-for",
            shown(tables)
        )
    });
    let page = (!page.is_empty()).then(|| {
        format!(
            "left as an earlier run wrote it: {}; remove it, or run without --no-html",
            shown(page)
        )
    });
    Ok(tables.into_iter().chain(page).collect())
}

fn target(
    destination: Destination,
    names: &[String],
    watch: &dyn Watch,
) -> Result<(Target, PathBuf), Error> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match destination {
        Destination::Directory(dir, overwrite) => {
            let staging = Staging::new(&dir, overwrite, &names)?;
            Ok((Target::Folder(staging), dir))
        }
        Destination::Store { stores, folder, overwrite, spill_dir } => {
            let stop = watch.stop_flag();
            let staging = Staging::in_store((&stores, &folder), overwrite, &names, stop)?;
            Ok((Target::Folder(staging), spill_dir))
        }
        Destination::Stream { stream, out, spill_dir } => {
            Ok((Target::Streams(vec![(stream, out)]), spill_dir))
        }
        Destination::Tables { signals, leads, spill_dir } => {
            let streams = vec![(Stream::Signals, signals), (Stream::Leads, leads)];
            Ok((Target::Streams(streams), spill_dir))
        }
        Destination::Nowhere { spill_dir } => Ok((Target::Nowhere, spill_dir)),
    }
}

fn findings(report: &Report, max: Option<MaxRejects>, fail_over_plan: bool) -> Vec<String> {
    let mut findings = Vec::new();
    let rejected = report.rejects.total;
    #[allow(clippy::cast_precision_loss)] // compared with a percentage that people wrote
    let too_many = max.and_then(|max| match max {
        MaxRejects::Count(most) => (rejected > most).then(|| most.to_string()),
        MaxRejects::Percent(most) => {
            let share = rejected as f64 * 100.0;
            (share > most * report.records as f64).then(|| format!("{most}%"))
        }
    });
    if let Some(most) = too_many {
        findings.push(format!(
            "{rejected} of {} records rejected, over --max-rejects {most}",
            report.records
        ));
    }
    if fail_over_plan {
        for period in report.plan.periods.iter().filter(|period| period.over > 0) {
            findings.push(format!("the plan is over in {} by {}", period.period, period.over));
        }
    }
    findings
}
