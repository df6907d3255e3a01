//! Converts the arguments of `queue` to a job.

use std::io::BufWriter;

use super::filters::NamedFilters;
use super::redact::digest;
use super::window::window;
use super::{
    Output, RulesFile, Surroundings, Texts, allow, auth, event_options, inputs, layout, on_fault,
    own_files, threads,
};
use crate::cli::args::Show;
use crate::cli::args::queue::{QueueArgs, QueueFormat};
use crate::emit::staging::Overwrite;
use crate::engine::compile::Options;
use crate::error::Error;
use crate::jobs::queue::{Ask, Format, Job, Place};
use crate::report::layout::Layout;

/// Returns the job that `args` describe.
///
/// # Errors
/// Returns an error if arguments contradict each other, or if a file that they name cannot be used.
pub fn queue(args: QueueArgs, show: Show, around: Surroundings) -> Result<Job, Error> {
    let format = format(&args, show, around);
    let mut texts = Texts::default();
    let rules = RulesFile::read(args.rules.as_deref(), &mut texts)?;
    let allow = allow(args.allow.as_deref(), &mut texts)?;
    let filters = args.filters.as_deref();
    let filters = filters.map(|path| NamedFilters::read(path, &mut texts)).transpose()?;
    let filters = filters.map(|named| named.filters);
    let options = Options {
        allow,
        filters,
        auth: auth(&args.captures, around)?,
        max_record_bytes: args.max_record_bytes,
        window: window(args.window, &rules.rules.plan, around)?,
        redact: digest(args.redact, around)?,
        ..event_options(args.events, &mut texts)?
    };
    let (engine, terms, rules_file) = rules.compile(options, &mut texts)?;
    let inputs = inputs(&args.inputs, &around.stores(args.store), engine.window, around)?;
    let overwrite = if args.overwrite { Overwrite::Yes } else { Overwrite::No };
    let own_files =
        own_files(args.rules.as_ref(), args.allow.as_ref(), args.filters.as_ref(), &args.captures);
    Ok(Job {
        inputs,
        own_files,
        engine,
        terms,
        rules_file: rules_file.map(|file| file.name),
        warnings: texts.warnings,
        ask: match args.event {
            Some(name) => Ask::Event(name, format),
            None if args.suggest => Ask::Suggestion,
            None => Ask::Names(format),
        },
        place: match args.output {
            Some(path) if path.as_os_str() != "-" => Place::File(path, overwrite),
            _ => Place::Stream(Box::new(BufWriter::new(std::io::stdout()))),
        },
        on_fault: on_fault(args.strict),
        threads: threads(args.threads),
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        spill_dir: std::env::temp_dir(),
        allow_empty: args.allow_empty,
    })
}

fn format(args: &QueueArgs, show: Show, around: Surroundings) -> Format {
    match args.format {
        QueueFormat::Json => Format::Json,
        QueueFormat::Csv => Format::Csv,
        QueueFormat::Text => {
            // A file contains no colour escapes.
            Format::Text(match args.output {
                Some(_) => Layout::plain(),
                None => layout(show.color, Output::Stdout, around),
            })
        }
    }
}
