//! The arguments of `queue` to its job.

use std::io::BufWriter;

use super::audit::width;
use super::filters::NamedFilters;
use super::{
    ALLOW_LIST, FILTERS, RULES, Surroundings, Text, Texts, auth, colour, engine_of, on_fault,
    own_file, terms, threads,
};
use crate::cli::args::Show;
use crate::cli::args::queue::{QueueArgs, QueueFormat};
use crate::emit::staging::Overwrite;
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::queue::text::Layout;
use crate::jobs::queue::{Ask, Format, Job, Place};
use crate::report::text::Colour;
use crate::source::discover;

/// The job that `args` ask for.
///
/// # Errors
/// When arguments do not go together, or a file that they name cannot be used.
pub fn queue(args: QueueArgs, show: Show, around: Surroundings) -> Result<Job, Error> {
    let format = format(&args, show, around);
    let mut texts = Texts::default();
    let rules_file = args.rules.as_deref().map(Text::read).transpose()?;
    let rules = texts.rules(rules_file.as_ref())?;
    let allow = match &args.allow {
        Some(path) => Some(texts.allow(&Text::read(path)?)?),
        None => texts.allow_of(&rules, rules_file.as_ref())?,
    };
    let filters = args.filters.as_deref();
    let filters = filters.map(|path| NamedFilters::read(path, &mut texts)).transpose()?;
    let filters = filters.map(|named| named.filters);
    let auth = auth(&args.captures, around)?;
    let filter = args.filter.map(|expr| texts.filter(expr)).transpose()?;
    let terms = terms(&rules)?;
    let inputs = discover(&args.inputs, around.terminal_in)?;
    let overwrite = if args.overwrite { Overwrite::Yes } else { Overwrite::No };
    let own_files = [
        (args.rules.as_ref(), RULES),
        (args.allow.as_ref(), ALLOW_LIST),
        (args.filters.as_ref(), FILTERS),
    ];
    let own_files = own_files.into_iter().filter_map(own_file).chain(args.captures.files());
    Ok(Job {
        inputs,
        own_files: own_files.collect(),
        engine: Engine {
            allow,
            filters,
            ..engine_of(rules, filter, args.strict_detect, auth, args.max_record_bytes)
        },
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
            // Nobody wants escapes in a file.
            let colour = match args.output {
                Some(_) => Colour::Off,
                None => colour(show.color, around.terminal_out, around),
            };
            Format::Text(Layout { width: width(around), colour })
        }
    }
}
