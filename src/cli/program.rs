//! The command as a function from arguments to an exit code, independent of its process.

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;
use clap::error::ErrorKind;

use super::args::audit::AuditArgs;
use super::args::check::CheckArgs;
use super::args::explain::ExplainArgs;
use super::args::queue::QueueArgs;
use super::args::{Cli, Command, RunArgs, Show};
use super::command_tip::with_nearest_command;
use super::next_steps::next_steps;
use super::progress::{Follower, Style};
use super::resolve::{self, Surroundings};
use super::{allocator, completions, interrupt, man, messages};
use crate::error::Error;
use crate::jobs;
use crate::jobs::check::report;

/// What the command is told of its process.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Whether standard output was open when the process began.
    pub has_stdout: bool,
}

/// Runs the command that `args` describe, the first of which is the name of the program, and returns
/// the exit code. Reports go to standard output, messages to standard error.
///
/// A job takes over the handlers of SIGINT, SIGTERM and SIGHUP: the first signal ends it in order, the
/// second ends the process at once.
pub fn main(args: impl IntoIterator<Item = OsString>, process: Process) -> u8 {
    allocator::keep_freed_memory();
    let args: Vec<OsString> = args.into_iter().collect();
    let Cli { command, show } = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&with_nearest_command(error), &args),
    };
    let result = match command {
        Command::Run(args) => process.run(&args, show),
        Command::Audit(args) => process.audit(args, show),
        Command::Check(args) => check(args, show),
        Command::Queue(args) => queue(args, show),
        Command::Explain(args) => process.explain(args, show),
        Command::Completions { shell, install: false } => {
            completions::print(shell, &mut std::io::stdout())
        }
        Command::Completions { shell, install: true } => {
            completions::install(shell, Surroundings::read(), &mut std::io::stdout())
        }
        Command::Man { out: None } => man::print(&mut std::io::stdout()),
        Command::Man { out: Some(dir) } => man::write_all(&dir),
    };
    result.unwrap_or_else(|error| {
        if !matches!(error, Error::ClosedPipe) {
            tell(&messages::error(&error));
        }
        error.exit_code()
    })
}

/// Prints the requested help, or what is wrong with the arguments.
fn refuse(error: &clap::Error, args: &[OsString]) -> u8 {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        tell(&next_steps());
        return 2;
    }
    let args = args.iter().map(|arg| arg.to_string_lossy().into_owned());
    match messages::usage(error, args) {
        Some(text) => tell(&text),
        None => {
            let _ = error.print();
        }
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

impl Process {
    fn run(self, args: &RunArgs, show: Show) -> Result<u8, Error> {
        let around = Surroundings::read();
        let display = resolve::run_display(show, args, around);
        if args.output.as_os_str() == "-" {
            self.needs_stdout()?;
        }
        let job = resolve::run(args, around)?;
        let outcome = watched(display.progress, |watch| jobs::run::run(job, watch))?;
        tell(&messages::run_summary(&outcome, display));
        Ok(outcome.exit_code())
    }

    fn audit(self, args: AuditArgs, show: Show) -> Result<u8, Error> {
        if args.html.is_none() {
            self.needs_stdout()?;
        }
        let around = Surroundings::read();
        let display = resolve::display(show, around);
        let job = resolve::audit(args, show, around)?;
        let outcome = watched(display.progress, |watch| jobs::audit::audit(job, watch))?;
        tell(&messages::faults(&outcome.report.faults));
        Ok(outcome.exit_code())
    }

    fn explain(self, args: ExplainArgs, show: Show) -> Result<u8, Error> {
        self.needs_stdout()?;
        let around = Surroundings::read();
        let display = resolve::display(show, around);
        let job = resolve::explain(args, show, around)?;
        let outcome = watched(display.progress, |watch| jobs::explain::explain(job, watch))?;
        tell(&messages::faults(&outcome.report.faults));
        Ok(outcome.exit_code())
    }

    /// Returns an error if standard output is closed, because losing the output would otherwise
    /// count as success.
    fn needs_stdout(self) -> Result<(), Error> {
        if self.has_stdout {
            return Ok(());
        }
        let text = "standard output is closed, and the output would go nowhere; open it, or name a \
            folder or a file";
        Err(Error::Usage(text.into()))
    }
}

fn check(args: CheckArgs, show: Show) -> Result<u8, Error> {
    let around = Surroundings::read();
    let display = resolve::display(show, around);
    let check = resolve::check::check(args, show, around)?;
    let outcome = watched(display.progress, |watch| jobs::check::check(check.job, watch))?;
    tell(&messages::check_summary(&outcome, &check.warnings, show.quiet));
    let mut out = std::io::stdout().lock();
    report::deliver(&check.reports, &outcome.checked, &check.setting, &mut out)?;
    Ok(outcome.exit_code())
}

fn queue(args: QueueArgs, show: Show) -> Result<u8, Error> {
    let around = Surroundings::read();
    let display = resolve::display(show, around);
    let job = resolve::queue(args, show, around)?;
    let outcome = watched(display.progress, |watch| jobs::queue::queue(job, watch))?;
    tell(&messages::faults(&outcome.report.faults));
    Ok(outcome.exit_code())
}

/// Runs `job` and shows its progress, until it ends or is interrupted.
fn watched<T>(style: Style, job: impl FnOnce(&Follower) -> Result<T, Error>) -> Result<T, Error> {
    job(&Follower::new(interrupt::watch()?, style))
}

/// Writes `text` to standard error; a failure is ignored, because there is no other place to report
/// it.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
