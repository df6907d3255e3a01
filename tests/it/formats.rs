//! The tables of a run are equal in every format, as read by Python and `DuckDB`.

use std::path::Path;

use crate::support::{Workspace, assert_ledger_holds, python, testdata};

/// Runs the Trailco history into `out` with every format.
fn trailco() -> Workspace {
    let workspace = Workspace::new();
    let (events, rules) = (testdata("trailco/events"), testdata("trailco/rules.toml"));
    let formats = "csv,ndjson,json,parquet";
    let flags = ["-o", "out", "--format", formats, "--rules"].map(Path::new);
    let arguments = [events.as_path()].into_iter().chain(flags).chain([rules.as_path()]);
    workspace.run(arguments).exits(0);
    workspace
}

#[test]
fn the_trailco_history_has_the_documented_results() {
    let workspace = trailco();
    assert_ledger_holds(&workspace, "out");
    let report = workspace.report("out");
    let count = |pointer: &str| report.pointer(pointer).unwrap().as_u64().unwrap();
    for (pointer, expected) in [
        ("/records", 293),
        ("/events/total", 287),
        ("/events/filtered", 11),
        ("/events/duplicates", 7),
        ("/rejects/total", 6),
        ("/identity/signals/direct", 5),
        ("/identity/signals/known", 158),
        ("/identity/signals/rehydrated", 41),
        ("/identity/signals/cold", 29),
        ("/rules/mapped", 129),
        ("/guarded_cells", 4),
        ("/plan/lost", 8),
    ] {
        assert_eq!(count(pointer), expected, "{pointer}");
    }
    let leads = workspace.rows("out/leads.csv");
    let ana = &leads[0];
    assert_eq!((ana["email"].as_str(), ana["score"].as_str()), ("ana.ruiz@acme.example", "187"));
    assert_eq!(ana["company"], "Acme Tours");
}

#[test]
fn python_reads_the_same_rows_from_every_format() {
    let Some(mut python) = python::with(&["pyarrow.parquet"]) else { return };
    let workspace = trailco();
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read_outputs.py"));
    python.arg(workspace.path("out"));
    let said = python::output(python);
    let formats =
        |table: &str| format!("{table}.csv, {table}.ndjson, {table}.json, {table}.parquet");
    assert!(said.contains(&format!("signals: 233 rows in {}", formats("signals"))), "{said}");
    assert!(said.contains(&format!("rows in {}", formats("leads"))), "{said}");
}

#[test]
fn duckdb_counts_and_sums_the_same_in_every_format() {
    let Some(mut python) = python::with(&["duckdb"]) else { return };
    let workspace = trailco();
    let script = "
import duckdb
for table in ('signals', 'leads'):
    for suffix in ('csv', 'parquet', 'ndjson', 'json'):
        count, score = duckdb.sql(f\"SELECT count(*), sum(score) FROM 'out/{table}.{suffix}'\").fetchall()[0]
        print(table, suffix, count, score)
";
    python.args(["-c", script]).current_dir(workspace.path("."));
    let printed = python::output(python);
    let mut lines = printed.lines();
    for table in ["signals", "leads"] {
        let rows = workspace.rows(&format!("out/{table}.csv"));
        let score: i64 = rows.iter().map(|row| row["score"].parse::<i64>().unwrap()).sum();
        for suffix in ["csv", "parquet", "ndjson", "json"] {
            let expected = format!("{table} {suffix} {} {score}", rows.len());
            assert_eq!(lines.next(), Some(expected.as_str()), "{printed}");
        }
    }
}
