//! Converts arguments, files and environment variables to jobs; each is read once.

mod audit;
pub mod check;
mod display;
mod event;
mod explain;
mod filters;
mod queue;
mod redact;
mod text;
mod window;

use std::ffi::{OsStr, OsString};
use std::io::{BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::store::StoreArgs;
use super::args::{Captures, Emit, RunArgs};
use super::secret::{self, Given};
use crate::emit::overlap::ReadFile;
use crate::emit::staging::Overwrite;
use crate::emit::{Format, FormulaGuard};
use crate::engine::Engine;
use crate::engine::compile::{Allow, Options};
use crate::engine::plan::Terms;
use crate::engine::window::Window;
use crate::error::Error;
use crate::jobs::run::output::{InMemory, Stream};
use crate::jobs::run::page::Emails;
use crate::jobs::run::{Destination, Job};
use crate::parse::auth::Auth;
use crate::source::{Discovery, OnFault, Remote, discover_with};
use crate::store::{Access, Scheme, Stores, Url, UrlError};
use crate::time::Time;
pub use audit::audit;
pub use display::{Display, display, run_display};
use display::{Output, layout};
use event::event_options;
pub use explain::explain;
use filters::NamedFilters;
pub use queue::queue;
use text::{RulesFile, Text, Texts};

/// The size of the buffer for standard output, in bytes.
const STREAM_BUFFER_BYTES: usize = 1 << 20;
/// The maximum number of threads; more would only cost memory.
const MOST_THREADS: usize = 1024;

/// The environment in which the program was started.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // plain facts, each of its own
pub struct Surroundings {
    /// Whether standard input is a terminal.
    pub terminal_in: bool,
    /// Whether standard output is a terminal.
    pub terminal_out: bool,
    /// Whether standard error is a terminal.
    pub terminal_err: bool,
    /// Whether `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    /// The current time.
    pub now: Time,
    /// Returns the value of an environment variable, which may be a secret.
    pub variable: fn(&OsStr) -> Option<OsString>,
    /// All environment variables, some of them secrets.
    pub variables: fn() -> Vec<(OsString, OsString)>,
    /// The folder of the user.
    pub home: fn() -> Option<PathBuf>,
}

impl Surroundings {
    /// Reads the environment.
    pub fn read() -> Self {
        Self {
            terminal_in: std::io::stdin().is_terminal(),
            terminal_out: std::io::stdout().is_terminal(),
            terminal_err: std::io::stderr().is_terminal(),
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            now: Time::now(),
            variable: |name| std::env::var_os(name),
            variables: || std::env::vars_os().collect(),
            home: std::env::home_dir,
        }
    }

    /// The object stores that can be reached from here.
    pub fn stores(&self, args: StoreArgs) -> Stores {
        let access = Access::new((self.variables)(), (self.home)());
        Stores::new(access.unsigned(args.no_sign_request))
    }
}

/// Returns the job that `args` describe.
///
/// # Errors
/// Returns an error if arguments contradict each other, or if a file that they name cannot be used.
pub fn run(args: &RunArgs, around: Surroundings) -> Result<Job, Error> {
    let mut formats = args.format.clone();
    formats.sort_unstable();
    formats.dedup();
    let mut crms = args.leads_for.clone();
    crms.sort_unstable();
    crms.dedup();
    let destination = destination(args, &formats, around)?;
    let Settings { engine, terms, rules_file, filters_file, warnings } = settings(args, around)?;
    let stores = around.stores(args.store);
    let inputs = inputs(&args.inputs, &stores, engine.window, around)?;
    let own_files =
        own_files(args.rules.as_ref(), args.allow.as_ref(), args.filters.as_ref(), &args.captures);
    Ok(Job {
        inputs,
        own_files,
        engine,
        terms,
        rules_file,
        filters_file,
        warnings,
        destination,
        in_memory: InMemory::No,
        formats,
        crms,
        page: match (args.no_html, args.html_emails) {
            (true, _) => None,
            (false, true) => Some(Emails::Shown),
            (false, false) => Some(Emails::Hidden),
        },
        guard: if args.csv_raw { FormulaGuard::Off } else { FormulaGuard::On },
        on_fault: on_fault(args.strict),
        threads: threads(args.threads),
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        allow_empty: args.allow_empty,
        max_rejects: args.max_rejects,
        fail_over_plan: args.fail_over_plan,
    })
}

/// What arguments, and the files that they name, say about events.
#[derive(Debug)]
pub struct Settings {
    /// What is done to each event.
    pub engine: Engine,
    /// What the plan allows.
    pub terms: Terms,
    /// The name of the rules file.
    pub rules_file: Option<String>,
    /// The name of the file of destination filters.
    pub filters_file: Option<String>,
    /// What is doubtful about the files.
    pub warnings: Vec<String>,
}

/// Returns what `args` say about events, whatever inputs and outputs they name.
///
/// # Errors
/// When arguments do not go together, or a file that they name cannot be used.
pub fn settings(args: &RunArgs, around: Surroundings) -> Result<Settings, Error> {
    let mut texts = Texts::default();
    let rules = RulesFile::read(args.rules.as_deref(), &mut texts)?;
    redact::must_be_free(args.redact, &rules.rules)?;
    let allow = allow(args.allow.as_deref(), &mut texts)?;
    let filters = args.filters.as_deref();
    let filters = filters.map(|path| NamedFilters::read(path, &mut texts)).transpose()?;
    let (filters_file, filters) = filters.map(|named| (named.name, named.filters)).unzip();
    let auth = auth(&args.captures, around)?;
    let options = Options {
        allow,
        filters,
        auth,
        max_record_bytes: args.max_record_bytes,
        profile_duplicates: args.profile_duplicates,
        window: window::window(args.window, &rules.rules.plan, around)?,
        redact: redact::digest(args.redact, around)?,
        ..event_options(args.events.clone(), &mut texts)?
    };
    let (engine, terms, rules_file) = rules.compile(options, &mut texts)?;
    Ok(Settings {
        engine,
        terms,
        rules_file: rules_file.map(|file| file.name),
        filters_file,
        warnings: texts.warnings,
    })
}

/// Returns the inputs that `args` name; of archives in stores, only the days of the window.
///
/// # Errors
/// Returns an error if an argument names nothing, or if a store does not answer.
pub fn inputs(
    args: &[OsString],
    stores: &Stores,
    window: Option<Window>,
    around: Surroundings,
) -> Result<Discovery, Error> {
    let window = window.map_or((None, None), |window| (window.since(), window.until()));
    Ok(discover_with(args, around.terminal_in, &Remote { stores, window })?)
}

/// Returns the allow list in the file at `path`, or else the one in the rules file.
fn allow(path: Option<&Path>, texts: &mut Texts) -> Result<Allow, Error> {
    path.map_or(Ok(Allow::OfRules), |path| {
        Ok(Allow::Given(Box::new(texts.allow(&Text::read(path)?)?)))
    })
}

/// The roles of files in errors.
const RULES: &str = "the rules file";
const ALLOW_LIST: &str = "the allow list";
const FILTERS: &str = "the destination filters";

/// Returns the file that an argument names, if any.
fn own_file((path, role): (Option<&PathBuf>, &'static str)) -> Option<ReadFile> {
    path.map(|path| ReadFile::new(path, role))
}

/// Returns the files that a job reads in addition to its inputs.
fn own_files(
    rules: Option<&PathBuf>,
    allow: Option<&PathBuf>,
    filters: Option<&PathBuf>,
    captures: &Captures,
) -> Vec<ReadFile> {
    let named = [(rules, RULES), (allow, ALLOW_LIST), (filters, FILTERS)];
    named.into_iter().filter_map(own_file).chain(captures.files()).collect()
}

fn on_fault(strict: bool) -> OnFault {
    if strict { OnFault::Stop } else { OnFault::Continue }
}

fn auth(args: &Captures, around: Surroundings) -> Result<Auth, Error> {
    let find = |flag, given: &Option<Given>, variable: &str| {
        secret::find(flag, given.as_ref(), (around.variable)(variable.as_ref()))
    };
    Ok(Auth {
        api_secret: find("--api-secret", &args.api_secret, "BACKTRAIL_API_SECRET")?,
        api_key: find("--api-key", &args.api_key, "BACKTRAIL_API_KEY")?,
        signing_secret: find("--signing-secret", &args.signing_secret, "BACKTRAIL_SIGNING_SECRET")?,
    })
}

fn is_stream(args: &RunArgs) -> bool {
    args.output.as_os_str() == "-"
}

fn destination(
    args: &RunArgs,
    formats: &[Format],
    around: Surroundings,
) -> Result<Destination, Error> {
    let refused = |text: &str| Err(Error::Usage(text.to_owned()));
    if !is_stream(args) {
        if args.emit.is_some() {
            return refused("--emit is for `-o -`; a folder gets both tables");
        }
        let overwrite = if args.overwrite { Overwrite::Yes } else { Overwrite::No };
        if let Some(folder) = args.output.to_str().and_then(Url::parse) {
            return bucket(folder, overwrite, around.stores(args.store));
        }
        return Ok(Destination::Directory(args.output.clone(), overwrite));
    }
    if !args.leads_for.is_empty() {
        return refused("--leads-for writes a file of its own; name a folder with -o");
    }
    if args.html_emails {
        return refused("--html-emails is for report.html, which `-o -` does not write");
    }
    if formats.len() > 1 {
        return refused("`-o -` streams one format; name one with --format, or a folder with -o");
    }
    if around.terminal_out && formats == [Format::Parquet] {
        return refused("Parquet is not for terminals; send it to a file or a pipe");
    }
    let stream = match args.emit {
        Some(Emit::Leads) => Stream::Leads,
        Some(Emit::Signals) | None => Stream::Signals,
    };
    let stdout = BufWriter::with_capacity(STREAM_BUFFER_BYTES, std::io::stdout());
    let spill_dir = std::env::temp_dir();
    Ok(Destination::Stream { stream, out: Box::new(stdout), spill_dir })
}

/// The outputs of a run go to a folder of a bucket.
fn bucket(
    folder: Result<Url, UrlError>,
    overwrite: Overwrite,
    stores: Stores,
) -> Result<Destination, Error> {
    let folder = folder.map_err(|error| Error::Usage(format!("-o: {error}")))?;
    if folder.scheme() == Scheme::Web {
        let text = "-o: outputs go to a folder, or to s3://, gs://, az:// or abfss://, and not to \
                    a web server";
        return Err(Error::Usage(text.into()));
    }
    let stores = Arc::new(stores);
    Ok(Destination::Store { stores, folder, overwrite, spill_dir: std::env::temp_dir() })
}

fn threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        asked => asked.min(MOST_THREADS),
    }
}

#[cfg(test)]
mod tests;
