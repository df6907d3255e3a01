//! A run can return its tables in memory, for programs that call it as a library.

use std::fs;
use std::path::Path;

use backtrail::cli::args::{Cli, Command};
use backtrail::cli::resolve::{self, Surroundings};
use backtrail::emit::Gathered;
use backtrail::engine::watch::Unwatched;
use backtrail::jobs::run::output::InMemory;
use backtrail::jobs::run::{self, Destination, Job};
use clap::Parser;
use serde_json::{Map, Value};

use crate::output_formats::{batch_rows, read_parquet};
use crate::support::{Workspace, testdata};

/// The job of `run` on the sample data, with its outputs as Parquet in `out`.
fn job(out: &Path) -> Job {
    let rules = testdata("trailco/rules.toml");
    let args = ["backtrail", "run", "--format", "parquet", "--rules"].map(Into::into);
    let rest = [rules, "-o".into(), out.to_owned(), testdata("trailco/events")];
    let args = args.into_iter().chain(rest.map(Into::into));
    let Command::Run(args) = Cli::try_parse_from::<_, std::ffi::OsString>(args).unwrap().command
    else {
        panic!("no run")
    };
    resolve::run(&args, Surroundings::read()).unwrap()
}

fn rows(table: &Gathered) -> Vec<Map<String, Value>> {
    table.batches().iter().flat_map(batch_rows).collect()
}

#[test]
fn tables_in_memory_equal_those_in_files() {
    let workspace = Workspace::new();
    let out = workspace.path("out");
    let job = Job { in_memory: InMemory::Yes, ..job(&out) };
    let tables = run::run(job, &Unwatched).unwrap().tables.unwrap();
    for (name, table) in [("signals", &tables.signals), ("leads", &tables.leads)] {
        let file = fs::read(out.join(format!("{name}.parquet"))).unwrap();
        assert_eq!(rows(table), read_parquet(&file), "{name}");
        assert_eq!(rows(table).len(), table.rows());
    }
    assert_eq!((tables.signals.rows(), tables.leads.rows()), (233, 28));
}

#[test]
fn no_file_is_written_if_only_tables_are_requested() {
    let workspace = Workspace::new();
    let out = workspace.path("out");
    let destination = Destination::Nowhere { spill_dir: workspace.path(".") };
    let job = Job { destination, in_memory: InMemory::Yes, ..job(&out) };
    let outcome = run::run(job, &Unwatched).unwrap();
    assert_eq!(outcome.report.leads.total, outcome.tables.unwrap().leads.rows() as u64);
    assert!(!out.exists());
    assert_eq!(fs::read_dir(workspace.path(".")).unwrap().count(), 0);
}

#[test]
fn there_are_no_tables_unless_requested() {
    let workspace = Workspace::new();
    let outcome = run::run(job(&workspace.path("out")), &Unwatched).unwrap();
    assert!(outcome.tables.is_none());
}
