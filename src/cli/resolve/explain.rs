//! Converts the arguments of `explain` to a job.

use std::io::BufWriter;

use super::display::{Output, layout};
use super::event::event_options;
use super::filters::NamedFilters;
use super::redact::digest;
use super::window::window;
use super::{RulesFile, Surroundings, Texts, allow, auth, inputs, on_fault, own_files, threads};
use crate::cli::args::Show;
use crate::cli::args::explain::{ExplainArgs, ExplainFormat, SubjectArgs};
use crate::engine::compile::Options;
use crate::engine::identity::value::Blocklist;
use crate::error::Error;
use crate::jobs::explain::subject::Subject;
use crate::jobs::explain::{Format, Job};

/// Returns the job that `args` describe.
///
/// # Errors
/// Returns an error if arguments contradict each other, or if a file that they name cannot be used.
pub fn explain(args: ExplainArgs, show: Show, around: Surroundings) -> Result<Job, Error> {
    let mut texts = Texts::default();
    let rules = RulesFile::read(args.rules.as_deref(), &mut texts)?;
    let allow = allow(args.allow.as_deref(), &mut texts)?;
    let filters = args.filters.as_deref();
    let filters = filters.map(|path| NamedFilters::read(path, &mut texts)).transpose()?;
    let filter_text = args.events.filter.clone();
    let options = Options {
        allow,
        filters: filters.map(|named| named.filters),
        auth: auth(&args.captures, around)?,
        max_record_bytes: args.max_record_bytes,
        window: window(args.window, &rules.rules.plan, around)?,
        redact: digest(args.redact, around)?,
        ..event_options(args.events, &mut texts)?
    };
    let (engine, terms, rules_file) = rules.compile(options, &mut texts)?;
    let subject = subject(args.subject, engine.blocklist())?;
    let inputs = inputs(&args.inputs, &around.stores(args.store), engine.window, around)?;
    let own_files =
        own_files(args.rules.as_ref(), args.allow.as_ref(), args.filters.as_ref(), &args.captures);
    Ok(Job {
        inputs,
        own_files,
        engine,
        terms,
        filter_text,
        rules_file: rules_file.map(|file| file.name),
        warnings: texts.warnings,
        subject,
        format: match args.format {
            ExplainFormat::Json => Format::Json,
            ExplainFormat::Text => Format::Text(layout(show.color, Output::Stdout, around)),
        },
        out: Box::new(BufWriter::new(std::io::stdout())),
        on_fault: on_fault(args.strict),
        threads: threads(args.threads),
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        max_spool_bytes: args.max_spool,
        spill_dir: std::env::temp_dir(),
    })
}

fn subject(args: SubjectArgs, blocklist: &Blocklist) -> Result<Subject, Error> {
    let SubjectArgs { email, anonymous_id, user_id, message_id, signal_id } = args;
    if let Some(text) = email {
        return Subject::email(&text, blocklist);
    }
    if let Some(text) = signal_id {
        return Subject::signal_id(&text);
    }
    let id = anonymous_id.map(Subject::AnonymousId).or(user_id.map(Subject::UserId));
    let subject = id.or(message_id.map(Subject::MessageId));
    let none = || Error::Usage("name whom or what to explain, such as with --email".into());
    subject.ok_or_else(none)?.checked(blocklist)
}
