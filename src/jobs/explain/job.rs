//! `backtrail explain`: explains the results for one lead, visitor or signal.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::ThreadPool;

use super::closure::Closure;
use super::compose::{Explained, Setting, explained};
use super::gather::{Gathered, Search};
use super::learn::{Learned, learn};
use super::limit::Limit;
use super::report::{self, Report, VERSION};
use super::rule::Conditions;
use super::subject::Subject;
use super::text::text;
use crate::emit::overlap::{self, ReadFile, Target};
use crate::engine::Engine;
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::map::counters::Counters;
use crate::engine::map::example::Lines;
use crate::engine::plan::Terms;
use crate::engine::redact::Redaction;
use crate::engine::watch::{Phase, Watch};
use crate::error::Error;
use crate::fql::Parts;
use crate::jobs::input::{go_on, pool, reader, reads, shares};
use crate::jobs::refused::nothing_found;
use crate::report::figure::counted;
use crate::report::layout::Layout;
use crate::report::{Fault, Input, Window};
use crate::source::{Discovery, OnFault, Reader, spool};

/// The format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text(Layout),
    /// For programs.
    Json,
}

/// An explanation, with all settings resolved.
pub struct Job {
    /// The inputs.
    pub inputs: Discovery,
    /// The settings that map events.
    pub engine: Engine,
    /// The limits of the plan.
    pub terms: Terms,
    /// The expression of `--where`.
    pub filter_text: Option<String>,
    /// The path of the rules file.
    pub rules_file: Option<String>,
    /// Warnings about the files of the user.
    pub warnings: Vec<String>,
    /// The subject.
    pub subject: Subject,
    /// The format of the report.
    pub format: Format,
    /// The writer of the report.
    pub out: Box<dyn Write + Send>,
    /// How faults of inputs are handled.
    pub on_fault: OnFault,
    /// The files that the job reads in addition to the inputs.
    pub own_files: Vec<ReadFile>,
    /// The number of threads.
    pub threads: usize,
    /// The memory for links and rows, in bytes.
    pub memory_bytes: usize,
    /// The maximum size of the copies on disk of inputs that can be read only once, in bytes.
    pub max_spool_bytes: u64,
    /// A folder with room for what does not fit into memory.
    pub spill_dir: PathBuf,
}

/// The result of a job.
pub struct Outcome {
    /// The report.
    pub report: Report,
}

impl Outcome {
    /// Returns the exit code of the program.
    pub fn exit_code(&self) -> u8 {
        if self.report.faults.is_empty() { 0 } else { 2 }
    }
}

/// Runs `job`.
///
/// # Errors
/// Returns an error if the report cannot be produced or written, or if no event contains the
/// subject.
pub fn explain(mut job: Job, watch: &dyn Watch) -> Result<Outcome, Error> {
    overlap::check(&[Target::Stdout], reads(&job.inputs, &job.own_files))?;
    let subject = job.subject.clone();
    let _spooled = spool(&mut job.inputs, &job.spill_dir, job.max_spool_bytes, watch.stop_flag())?;
    go_on(watch)?;
    let pool = pool(job.threads)?;
    let (prefetch_bytes, memory_bytes) = shares(&job.inputs, job.memory_bytes);
    let inputs = || job.inputs.clone();
    let first = reader(inputs(), &job.engine, job.on_fault, prefetch_bytes, watch);
    let spill = Arc::new(Spill::new(job.spill_dir.clone(), memory_bytes / 2));
    let learned = learn(&job.engine, &subject, &first, &pool, spill, watch)?;
    go_on(watch)?;
    if learned.counters.events == 0 {
        return Err(nothing_found(&learned.counters, &first, &[]));
    }
    if !learned.is_found {
        return Err(unknown(&subject, &learned, job.engine.redaction.as_ref()));
    }
    let limit = Limit::new(&learned.volume, &job.terms);
    let merge = job.engine.rules.identity.merge;
    let closure = Closure::around(&learned.seeds, &learned.links, merge).map_err(Error::Spill)?;
    let counters = learned.counters;
    drop(learned.links);
    let second = reader(inputs(), &job.engine, job.on_fault, prefetch_bytes, watch);
    let scratch = Scratch::new(job.spill_dir.clone(), memory_bytes / 2);
    let mut gathered = gather(&job, (&closure, &limit), &second, &pool, &scratch, watch)?;
    go_on(watch)?;
    if gathered.events != counters.events {
        return Err(Error::Usage(
            "the input has changed between its two readings; explain it once nobody writes to it"
                .into(),
        ));
    }
    watch.enter(Phase::Resolving);
    let blocks = std::mem::take(&mut gathered.blocks);
    let lines = Lines::of_blocks(second.files(), blocks);
    let setting = Setting {
        engine: &job.engine,
        limit: &limit,
        subject: &subject,
        scratch: &scratch,
        pool: &pool,
        watch,
    };
    let explained = explained(setting, &mut gathered, lines)?;
    let mut report = report(&job, &subject, &second, &counters, explained);
    if let Some(redaction) = &job.engine.redaction {
        report.redact(redaction);
    }
    write(&report, job.format, &mut job.out)
        .and_then(|()| job.out.flush())
        .map_err(Error::from_output)?;
    Ok(Outcome { report })
}

fn gather(
    job: &Job,
    (closure, limit): (&Closure, &Limit),
    reader: &Reader,
    pool: &ThreadPool,
    scratch: &Scratch,
    watch: &dyn Watch,
) -> Result<Gathered, Error> {
    let filter = job.filter_text.as_deref().map(Parts::new);
    let conditions = Conditions::new(&job.engine.rules);
    let search = Search {
        engine: &job.engine,
        closure,
        conditions: &conditions,
        filter: filter.as_ref(),
        limit,
    };
    search.gather(reader, pool, scratch.clone(), watch)
}

/// Returns the error that no event contains `subject`, with a suggestion. The error does not show
/// the subject, which may be an address.
fn unknown(subject: &Subject, learned: &Learned, redaction: Option<&Redaction>) -> Error {
    let help = learned.nearest.question(redaction).unwrap_or_else(|| match subject {
        Subject::MessageId(_) | Subject::SignalId(_) => {
            "the tables of `backtrail run` list them".into()
        }
        _ => "`--message-id` explains an event whoever it is of".into(),
    });
    let read = counted(learned.counters.events, "event", "events");
    Error::Usage(format!(
        "{}: no event of {read} has this {}; {help}",
        subject.flag(),
        subject.noun()
    ))
}

fn report(
    job: &Job,
    subject: &Subject,
    reader: &Reader,
    counters: &Counters,
    explained: Explained,
) -> Report {
    let Explained { leads, ids, events } = explained;
    Report {
        version: VERSION,
        subject: report::Subject { kind: subject.kind(), value: subject.text() },
        rules: job.rules_file.clone(),
        window: job.engine.window.map(Window::from),
        inputs: Input::all(reader, &counters.records_by_file),
        records: counters.events + counters.rejects.iter().sum::<u64>(),
        events_read: counters.events,
        leads,
        ids,
        events,
        warnings: job.warnings.iter().cloned().chain(reader.skipped()).collect(),
        faults: Fault::all(reader),
    }
}

fn write(report: &Report, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text(layout) => out.write_all(text(report, layout).as_bytes()),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            out.write_all(b"\n")
        }
    }
}
