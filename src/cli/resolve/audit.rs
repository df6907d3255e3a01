//! The arguments of `audit` to its job.

use std::io::BufWriter;
use std::path::Path;

use super::{
    Display, Surroundings, Text, Texts, auth, bar, colour, engine_of, on_fault, terms, threads,
};
use crate::audit::judge::Filter;
use crate::audit::report::{FilterInfo, Severity};
use crate::audit::survey::Filters;
use crate::audit::text::Layout;
use crate::cli::args::Show;
use crate::cli::args::audit::{AuditArgs, AuditFormat, FailOn};
use crate::commands::audit::{Format, Job};
use crate::error::Error;
use crate::filter::allow::AllowList;
use crate::rules::Rules;
use crate::source::discover;

/// Where neither a terminal nor `COLUMNS` says how wide a page is.
const USUAL_WIDTH: usize = 80;

/// How an audit speaks: its report goes to standard output, all else to standard error.
pub fn audit_display(show: Show, around: Surroundings) -> Display {
    let on_terminal = around.terminal_err;
    Display {
        quiet: show.quiet,
        colour: colour(show.color, on_terminal, around),
        bar: bar(show, around, false),
    }
}

/// The job that `args` ask for.
///
/// # Errors
/// When arguments do not go together, or a file that they name cannot be used.
pub fn audit(args: AuditArgs, show: Show, around: Surroundings) -> Result<Job, Error> {
    let mut texts = Texts::default();
    let rules_file = args.rules.as_deref().map(Text::read).transpose()?;
    let rules = texts.rules(rules_file.as_ref())?;
    let after = after(&args, &mut texts, &rules, rules_file.as_ref())?;
    let before = args.against.as_deref().map(|path| allow_list(path, &mut texts)).transpose()?;
    let (filters, infos) = match (before, after) {
        (None, (after, info)) => (Filters { before: Filter::Open, after }, (info, None)),
        (Some((before, against)), (after, info)) => {
            (Filters { before, after }, (info, Some(against)))
        }
    };
    let auth = auth(&args.captures, around)?;
    let filter = args.filter.map(|expr| texts.filter(expr)).transpose()?;
    let terms = terms(&rules)?;
    let inputs = discover(&args.inputs, around.terminal_in)?;
    let layout = Layout {
        width: width(around),
        colour: colour(show.color, around.terminal_out, around),
    };
    Ok(Job {
        inputs,
        engine: engine_of(rules, filter, args.strict_detect, auth, args.max_record_bytes),
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

/// The filter that is judged, and what it is called.
fn after(
    args: &AuditArgs,
    texts: &mut Texts,
    rules: &Rules,
    rules_file: Option<&Text>,
) -> Result<(Filter, FilterInfo), Error> {
    if let Some(path) = &args.allow {
        return allow_list(path, texts);
    }
    let of_rules = texts.allow_of(rules, rules_file)?.zip(rules_file);
    let (list, file) = of_rules.ok_or_else(|| {
        Error::Usage(
            "nothing to judge: name an allow list with --allow, or write one under [filter] in \
             the file of --rules"
                .into(),
        )
    })?;
    Ok(of_list(list, format!("{} [filter]", file.name)))
}

fn allow_list(path: &Path, texts: &mut Texts) -> Result<(Filter, FilterInfo), Error> {
    let file = Text::read(path)?;
    let list = texts.allow(&file)?;
    Ok(of_list(list, file.name))
}

fn of_list(list: AllowList, file: String) -> (Filter, FilterInfo) {
    let info = FilterInfo { kind: "allow_list", file, entries: list.lines().len() };
    (Filter::Allow(list), info)
}

/// The columns of the page: those of the terminal, else what `COLUMNS` says.
fn width(around: Surroundings) -> usize {
    let told = (around.variable)("COLUMNS".as_ref());
    let told = told.and_then(|columns| columns.to_str()?.parse().ok());
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let terminal = terminal.filter(|_| around.terminal_out);
    terminal.map(|(width, _)| usize::from(width.0)).or(told).unwrap_or(USUAL_WIDTH)
}
