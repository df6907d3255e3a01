//! Converts the arguments of `audit` to a job.

use std::io::BufWriter;
use std::path::Path;

use super::filters::NamedFilters;
use super::redact::digest;
use super::window::window;
use super::{
    Output, RulesFile, Surroundings, Text, Texts, auth, event_options, inputs, layout, on_fault,
    own_file, own_files, threads,
};
use crate::cli::args::Show;
use crate::cli::args::audit::{AuditArgs, AuditFormat, FailOn};
use crate::engine::compile::{Allow, Options};
use crate::error::Error;
use crate::filter::allow::AllowList;
use crate::jobs::audit::judge::Filter;
use crate::jobs::audit::report::{FilterInfo, Severity};
use crate::jobs::audit::survey::Filters;
use crate::jobs::audit::{Format, Job};

/// Returns the job that `args` describe.
///
/// # Errors
/// Returns an error if arguments contradict each other, or if a file that they name cannot be used.
pub fn audit(args: AuditArgs, show: Show, around: Surroundings) -> Result<Job, Error> {
    let mut texts = Texts::default();
    let rules = RulesFile::read(args.rules.as_deref(), &mut texts)?;
    let (after, info) = after(&args, &mut texts, &rules)?;
    let (before, against) = match &args.against {
        Some(path) => any_filter(path, &mut texts)?,
        None => Default::default(),
    };
    let (filters, infos) = (Filters { before, after }, [against, info]);
    let options = Options {
        allow: Allow::Ignored,
        auth: auth(&args.captures, around)?,
        max_record_bytes: args.max_record_bytes,
        window: window(args.window, &rules.rules.plan, around)?,
        redact: digest(args.redact, around)?,
        ..event_options(args.events, &mut texts)?
    };
    let (engine, terms, rules_file) = rules.compile(options, &mut texts)?;
    let inputs = inputs(&args.inputs, &around.stores(args.store), engine.window, around)?;
    let mut own_files =
        own_files(args.rules.as_ref(), args.allow.as_ref(), args.filters.as_ref(), &args.captures);
    own_files.extend(own_file((args.against.as_ref(), "the filter of --against")));
    let layout = layout(show.color, Output::Stdout, around);
    Ok(Job {
        inputs,
        own_files,
        engine,
        filters,
        infos,
        terms,
        rules_file: rules_file.map(|file| file.name),
        warnings: texts.warnings,
        format: match args.format {
            AuditFormat::Text => Format::Text(layout),
            AuditFormat::Json => Format::Json,
        },
        out: Box::new(BufWriter::new(std::io::stdout())),
        html: args.html,
        fail_on: match args.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
        },
        on_fault: on_fault(args.strict),
        threads: threads(args.threads),
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        spill_dir: std::env::temp_dir(),
        allow_empty: args.allow_empty,
    })
}

/// A filter with its descriptions.
type Named = (Filter, Vec<FilterInfo>);

/// Returns the filter to audit.
fn after(args: &AuditArgs, texts: &mut Texts, rules: &RulesFile) -> Result<Named, Error> {
    let (mut filter, mut infos) = match &args.allow {
        Some(path) => allow_list(&Text::read(path)?, texts)?,
        None => match rules.allow_list(texts)? {
            Some((list, file)) => of_list(list, format!("{file} [filter]")),
            None => Default::default(),
        },
    };
    if let Some(path) = &args.filters {
        let (destination, of_destination) = destination(NamedFilters::read(path, texts)?);
        filter = Filter { allow: filter.allow, ..destination };
        infos.extend(of_destination);
    }
    if infos.is_empty() {
        return Err(Error::Usage(
            "nothing to judge: name an allow list with --allow, destination filters with \
             --filters, or write a list under [filter] in the file of --rules"
                .into(),
        ));
    }
    Ok((filter, infos))
}

/// Reads an allow list or destination filters: only the latter begin like JSON, are in files of
/// Terraform or in a folder.
fn any_filter(path: &Path, texts: &mut Texts) -> Result<Named, Error> {
    let is_terraform = path.extension().is_some_and(|ending| ending == "tf" || ending == "hcl");
    if is_terraform || path.is_dir() {
        return Ok(destination(NamedFilters::read(path, texts)?));
    }
    let file = Text::read(path)?;
    if file.text.trim_start().starts_with(['{', '[']) {
        Ok(destination(NamedFilters::of_file(file, texts)?))
    } else {
        allow_list(&file, texts)
    }
}

fn allow_list(file: &Text, texts: &mut Texts) -> Result<Named, Error> {
    let list = texts.allow(file)?;
    Ok(of_list(list, file.name.clone()))
}

fn of_list(list: AllowList, file: String) -> Named {
    let entries = list.lines().len();
    let info = FilterInfo { kind: "allow_list", file, entries, estimate: false };
    (Filter { allow: Some(list), ..Filter::default() }, vec![info])
}

fn destination(named: NamedFilters) -> Named {
    let faults = named.faults();
    let NamedFilters { name, filters, .. } = named;
    let info = FilterInfo {
        kind: "destination_filters",
        file: name,
        entries: filters.filters().len(),
        estimate: filters.is_estimate(),
    };
    (Filter { allow: None, destination: Some(filters), faults }, vec![info])
}
