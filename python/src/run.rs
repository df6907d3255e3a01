//! `backtrail.run`: the job of the command, with its tables in memory.

use std::ffi::OsString;
use std::path::PathBuf;

use backtrail::cli::args::{Cli, Command, RunArgs, Show};
use backtrail::cli::progress::Follower;
use backtrail::cli::resolve::{self, Surroundings};
use backtrail::emit::Gathered;
use backtrail::error::Error;
use backtrail::jobs::run::output::InMemory;
use backtrail::jobs::run::{Destination, Job, Outcome, run as run_job};
use clap::Parser;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{exception, usage};
use crate::interrupt::interruptible;
use crate::table::Table;

/// Does the job of ``backtrail run`` with these arguments, which follow the name of the command.
///
/// Without ``writes``, nothing is written but what does not fit into memory, below ``temp_dir``. With
/// ``keeps``, the tables are in the result.
#[pyfunction]
pub fn run(
    py: Python<'_>,
    args: Vec<OsString>,
    writes: bool,
    keeps: bool,
    temp_dir: PathBuf,
) -> PyResult<Bound<'_, PyDict>> {
    let (args, show) = parsed(args).map_err(|error| usage(py, &told(&error)))?;
    let done = interruptible(py, |stop| {
        let around = Surroundings::read();
        let style = resolve::display(show, around).progress;
        let mut job = resolve::run(&args, around)?;
        if !writes {
            job = nowhere(job, temp_dir);
        }
        job.in_memory = if keeps { InMemory::Yes } else { InMemory::No };
        run_job(job, &Follower::new(stop, style))
    })?;
    let outcome = done.map_err(|error| exception(py, &error))?;
    result(py, outcome)
}

/// The arguments of `run`, checked as the command checks them.
pub fn parsed(args: Vec<OsString>) -> Result<(RunArgs, Show), clap::Error> {
    let command = ["backtrail", "run"].map(OsString::from);
    let cli = Cli::try_parse_from(command.into_iter().chain(args))?;
    match cli.command {
        Command::Run(args) => Ok((args, cli.show)),
        _ => Err(clap::Error::new(clap::error::ErrorKind::InvalidSubcommand)),
    }
}

/// What clap says, without how the command is used.
pub fn told(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.split("\n\n").next().unwrap_or_default().trim().to_owned()
}

fn nowhere(job: Job, spill_dir: PathBuf) -> Job {
    Job { destination: Destination::Nowhere { spill_dir }, page: None, ..job }
}

fn result(py: Python<'_>, outcome: Outcome) -> PyResult<Bound<'_, PyDict>> {
    let report = serde_json::to_string(&outcome.report);
    let report = report.map_err(|error| exception(py, &Error::Setup(error.to_string())))?;
    let result = PyDict::new(py);
    result.set_item("exit_code", outcome.exit_code())?;
    result.set_item("report", report)?;
    result.set_item("findings", outcome.findings)?;
    let tables = outcome.tables;
    let (signals, leads) = tables.map(|tables| (tables.signals, tables.leads)).unzip();
    result.set_item("signals", signals.map(table))?;
    result.set_item("leads", leads.map(table))?;
    Ok(result)
}

fn table(gathered: Gathered) -> Table {
    Table::new(gathered.schema().clone(), gathered.batches().to_vec())
}
