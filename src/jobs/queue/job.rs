//! `backtrail queue`: lists events by name, and suggests a rules file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::emit::overlap::{self, ReadFile, Target};
use crate::emit::staging::{Overwrite, Readers, StagingError, check_single, put};
use crate::engine::Engine;
use crate::engine::exchange::spill::Scratch;
use crate::engine::identity::Identities;
use crate::engine::identity::timeline::Room;
use crate::engine::ingest::commit::Committed;
use crate::engine::plan::{Ledger, Terms};
use crate::engine::watch::{Phase, Watch};
use crate::error::Error;
use crate::jobs::input::{go_on, pool, reader, reads, shares};
use crate::jobs::queue::count::{Counter, Ranking};
use crate::jobs::queue::ingest::{Ingested, Question, Selection, ingest};
use crate::jobs::queue::report::Report;
use crate::jobs::queue::summary::Facts;
use crate::jobs::queue::text::text;
use crate::jobs::queue::{suggest, summary, table};
use crate::jobs::refused::{nothing_found, nothing_in_window};
use crate::report::layout::Layout;
use crate::source::{Discovery, OnFault};

/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text(Layout),
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// What to output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The list of event names.
    Names(Format),
    /// The paths in the events with this name or call.
    Event(String, Format),
    /// A suggested rules file.
    Suggestion,
}

/// The destination of the output.
pub enum Place {
    /// A stream.
    Stream(Box<dyn Write + Send>),
    /// A file.
    File(PathBuf, Overwrite),
}

/// A queue, with all settings resolved.
pub struct Job {
    /// The inputs.
    pub inputs: Discovery,
    /// The settings that map events.
    pub engine: Engine,
    /// The limits of the plan.
    pub terms: Terms,
    /// The path of the rules file.
    pub rules_file: Option<String>,
    /// Warnings about the files of the user.
    pub warnings: Vec<String>,
    /// What to output.
    pub ask: Ask,
    /// The destination of the output.
    pub place: Place,
    /// How faults of inputs are handled.
    pub on_fault: OnFault,
    /// The files that the job reads in addition to the inputs.
    pub own_files: Vec<ReadFile>,
    /// The number of threads.
    pub threads: usize,
    /// The memory for rows that wait for the second phase and for detecting duplicates, in bytes.
    pub memory_bytes: usize,
    /// A folder with room for what does not fit into memory.
    pub spill_dir: PathBuf,
    /// Whether an input without events is accepted.
    pub allow_empty: bool,
}

/// The result of a queue.
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
/// Returns an error if the output cannot be produced or written, or if no event has the requested
/// name.
pub fn queue(job: Job, watch: &dyn Watch) -> Result<Outcome, Error> {
    job.place.check(&job)?;
    let question = match &job.ask {
        Ask::Names(_) => Question::Names,
        Ask::Event(name, _) => Question::Profile(Selection::new(name)),
        Ask::Suggestion => Question::Fields,
    };
    let pool = pool(job.threads)?;
    let (prefetch_bytes, memory_bytes) = shares(&job.inputs, job.memory_bytes);
    let reader = reader(job.inputs, &job.engine, job.on_fault, prefetch_bytes, watch);
    let scratch = Scratch::new(job.spill_dir, memory_bytes);
    let ingested = ingest(&job.engine, &question, &reader, &pool, scratch, watch)?;
    go_on(watch)?;
    if ingested.counters.events == 0 && !job.allow_empty {
        return Err(nothing_found(&ingested.counters, &reader, &[]));
    }
    nothing_in_window(&ingested.counters, job.engine.window, job.allow_empty)?;
    if let Ask::Event(name, _) = &job.ask {
        must_occur(name, &ingested, job.allow_empty)?;
    }
    watch.enter(Phase::Resolving);
    let Ingested { committed, counters, profile, fields } = ingested;
    let Committed { ids, facts, store, duplicates, scratch, .. } = committed;
    let identity = &job.engine.rules.identity;
    let identities = pool.install(|| Identities::new(facts, &ids, identity, Room::of(&scratch)));
    let identities = identities.map_err(Error::Spill)?;
    let ranking = Ranking::new(&counters.names);
    let ledger = Ledger::new(&counters.volume, &job.terms);
    let rows = Counter {
        ids: &ids,
        store: &store,
        timelines: &identities.timelines,
        ranking: &ranking,
        ledger: &ledger,
        calendar: &job.terms.calendar,
        engine: &job.engine,
        sections: question == Question::Fields,
    };
    let counted = rows.count(&pool, watch)?;
    let facts = Facts {
        engine: &job.engine,
        reader: &reader,
        counters: &counters,
        duplicates,
        ranking: &ranking,
        counted: &counted,
        terms: &job.terms,
        ledger: &ledger,
        rules_file: job.rules_file,
        warnings: job.warnings,
    };
    let mut report = match &question {
        Question::Profile(wanted) => facts.report(Some(wanted)),
        _ => facts.report(None),
    };
    if let Ask::Event(name, _) = &job.ask {
        report.profile = Some(summary::profile(name, profile));
    }
    if let Some(redaction) = &job.engine.redaction {
        report.redact(redaction);
    }
    watch.enter(Phase::Writing);
    match job.ask {
        Ask::Names(format) | Ask::Event(_, format) => {
            job.place.write(|out| write(&report, format, out))?;
        }
        Ask::Suggestion => {
            let facts = suggest::Facts { ranking: &ranking, counted, fields };
            let text = suggest::suggest(facts);
            job.place.write(|out| out.write_all(text.as_bytes()))?;
        }
    }
    Ok(Outcome { report })
}

fn write(report: &Report, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text(layout) => out.write_all(text(report, layout).as_bytes()),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            out.write_all(b"\n")
        }
        Format::Csv => table::write(report, out),
    }
}

/// Returns an error if no event is called `name`; the error suggests the nearest name.
fn must_occur(name: &str, ingested: &Ingested, allow_empty: bool) -> Result<(), Error> {
    if ingested.profile.events > 0 || (ingested.counters.events == 0 && allow_empty) {
        return Ok(());
    }
    let shown = |name: &str| summary::quoted(name);
    let help = match summary::nearest(ingested, name) {
        Some(nearest) => format!("did you mean {}?", shown(nearest)),
        None => "`backtrail queue` without --event lists the names".into(),
    };
    Err(Error::Usage(format!("--event: no event is called {}; {help}", shown(name))))
}

impl Place {
    /// Checks that the output can be written, before anything is done.
    fn check(&self, job: &Job) -> Result<(), Error> {
        let target = match self {
            Self::Stream(_) => Target::Stdout,
            Self::File(path, overwrite) => {
                check_single(path)?;
                must_be_free(path, *overwrite)?;
                Target::File(path.clone())
            }
        };
        overlap::check(&[target], reads(&job.inputs, &job.own_files))?;
        Ok(())
    }

    fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        match self {
            Self::Stream(mut out) => {
                write(&mut out).and_then(|()| out.flush()).map_err(Error::from_output)
            }
            Self::File(path, overwrite) => {
                must_be_free(&path, overwrite)?;
                Ok(put(&path, Readers::Owner, write)?)
            }
        }
    }
}

fn must_be_free(path: &Path, overwrite: Overwrite) -> Result<(), StagingError> {
    let is_taken = overwrite == Overwrite::No && path.metadata().is_ok_and(|found| found.is_file());
    if is_taken { Err(StagingError::Exists(path.to_owned())) } else { Ok(()) }
}
