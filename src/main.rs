//! The `backtrail` command: reads the arguments, does the job, tells the outcome.

#[cfg(unix)]
mod inherited;

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use backtrail::cli::args::audit::AuditArgs;
use backtrail::cli::args::check::CheckArgs;
use backtrail::cli::args::explain::ExplainArgs;
use backtrail::cli::args::queue::QueueArgs;
use backtrail::cli::args::{Cli, Command, RunArgs, Show};
use backtrail::cli::command_tip::with_nearest_command;
use backtrail::cli::next_steps::next_steps;
use backtrail::cli::progress::{Follower, Style};
use backtrail::cli::resolve::{self, Surroundings};
use backtrail::cli::{closing, completions, man};
use backtrail::error::Error;
use backtrail::jobs::audit;
use backtrail::jobs::check;
use backtrail::jobs::check::report;
use backtrail::jobs::explain;
use backtrail::jobs::queue;
use backtrail::jobs::run;
use clap::Parser;
use clap::error::ErrorKind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Set by the first Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    #[cfg(unix)]
    inherited::outlive_file_size_limits();
    let Cli { command, show } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&with_nearest_command(error)),
    };
    let result = match command {
        Command::Run(args) => run(args, show),
        Command::Audit(args) => audit(args, show),
        Command::Check(args) => check(args, show),
        Command::Queue(args) => queue(args, show),
        Command::Explain(args) => explain(args, show),
        Command::Completions { shell, install: false } => {
            completions::print(shell, &mut std::io::stdout())
        }
        Command::Completions { shell, install: true } => {
            completions::install(shell, Surroundings::read(), &mut std::io::stdout())
        }
        Command::Man { out: None } => man::print(&mut std::io::stdout()),
        Command::Man { out: Some(dir) } => man::write_all(&dir),
    };
    ExitCode::from(result.unwrap_or_else(|error| {
        if !matches!(error, Error::ClosedPipe) {
            tell(&closing::error(&error));
        }
        error.exit_code()
    }))
}

/// Shows the help that was asked for, or what is wrong with the arguments.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        tell(&next_steps());
        return ExitCode::from(2);
    }
    let args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    match closing::usage(error, args) {
        Some(text) => tell(&text),
        None => {
            let _ = error.print();
        }
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn run(args: RunArgs, show: Show) -> Result<u8, Error> {
    let around = Surroundings::read();
    let display = resolve::run_display(show, &args, around);
    if args.output.as_os_str() == "-" {
        needs_stdout()?;
    }
    let job = resolve::run(args, around)?;
    let outcome = watched(display.progress, |watch| run::run(job, watch))?;
    tell(&closing::text(&outcome, display));
    Ok(outcome.exit_code())
}

fn audit(args: AuditArgs, show: Show) -> Result<u8, Error> {
    if args.html.is_none() {
        needs_stdout()?;
    }
    let around = Surroundings::read();
    let display = resolve::display(show, around);
    let job = resolve::audit(args, show, around)?;
    let outcome = watched(display.progress, |watch| audit::audit(job, watch))?;
    tell(&closing::faults(&outcome.report.faults));
    Ok(outcome.exit_code())
}

fn check(args: CheckArgs, show: Show) -> Result<u8, Error> {
    let around = Surroundings::read();
    let display = resolve::display(show, around);
    let check = resolve::check::check(args, show, around)?;
    let outcome = watched(display.progress, |watch| check::check(check.job, watch))?;
    tell(&closing::of_check(&outcome, &check.warnings, show.quiet));
    let mut out = std::io::stdout().lock();
    report::deliver(&check.reports, &outcome.checked, &check.setting, &mut out)?;
    Ok(outcome.exit_code())
}

fn queue(args: QueueArgs, show: Show) -> Result<u8, Error> {
    let around = Surroundings::read();
    let display = resolve::display(show, around);
    let job = resolve::queue(args, show, around)?;
    let outcome = watched(display.progress, |watch| queue::queue(job, watch))?;
    tell(&closing::faults(&outcome.report.faults));
    Ok(outcome.exit_code())
}

fn explain(args: ExplainArgs, show: Show) -> Result<u8, Error> {
    needs_stdout()?;
    let around = Surroundings::read();
    let display = resolve::display(show, around);
    let job = resolve::explain(args, show, around)?;
    let outcome = watched(display.progress, |watch| explain::explain(job, watch))?;
    tell(&closing::faults(&outcome.report.faults));
    Ok(outcome.exit_code())
}

/// What goes nowhere is not made: that nobody could read it would pass for success.
fn needs_stdout() -> Result<(), Error> {
    #[cfg(unix)]
    if inherited::stdout_was_closed() {
        let text = "standard output is closed, and the output would go nowhere; open it, or name a \
            folder or a file";
        return Err(Error::Usage(text.into()));
    }
    Ok(())
}

/// Does `job` with its progress shown, until it is done or interrupted.
fn watched<T>(style: Style, job: impl FnOnce(&Follower) -> Result<T, Error>) -> Result<T, Error> {
    ctrlc::set_handler(interrupt).map_err(|error| Error::Setup(error.to_string()))?;
    job(&Follower::new(&STOP, style))
}

/// The first Ctrl-C ends the run in order, the second at once.
#[allow(clippy::exit)] // nothing that is still running may hold it up
fn interrupt() {
    if STOP.swap(true, Ordering::Relaxed) {
        std::process::exit(130);
    }
}

/// Says something to people; that nobody listens is no error.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
