"""What ``run`` gives equals what the command writes, cell for cell, in every library."""

import datetime
import json
import threading
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Command

import backtrail

TABLES = ["signals", "leads"]


@pytest.fixture
def files(command: Command, events: Path, rules: Path, tmp_path: Path) -> dict[str, pa.Table]:
    """The tables that the command writes."""
    done = command("run", events, "--rules", rules, "-o", "out", "--format", "parquet")
    assert done.returncode == 0, done.stderr
    return {name: pq.read_table(tmp_path / "out" / f"{name}.parquet") for name in TABLES}


@pytest.fixture
def result(events: Path, rules: Path) -> backtrail.RunResult:
    return backtrail.run(events, rules=rules)


def table(result: backtrail.RunResult, name: str) -> backtrail.Table:
    return result.signals if name == "signals" else result.leads


def plain(table: pa.Table) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


@pytest.mark.parametrize("name", TABLES)
def test_pyarrow_has_the_rows_and_types_of_the_files(
    result: backtrail.RunResult, files: dict[str, pa.Table], name: str
) -> None:
    taken = pa.table(table(result, name))
    assert taken.schema.remove_metadata() == files[name].schema.remove_metadata()
    assert plain(taken) == plain(files[name])
    assert len(table(result, name)) == table(result, name).num_rows == files[name].num_rows > 20
    assert table(result, name).column_names == files[name].column_names
    assert table(result, name).num_columns == files[name].num_columns
    assert 0 < table(result, name).nbytes < 1 << 20


@pytest.mark.parametrize("name", TABLES)
def test_polars_pandas_and_duckdb_have_the_rows_of_the_files(
    result: backtrail.RunResult, files: dict[str, pa.Table], name: str
) -> None:
    expected = plain(files[name])
    source = table(result, name)
    assert pl.DataFrame(source).to_dicts() == expected
    assert plain(pa.Table.from_pandas(pd.DataFrame.from_arrow(source)))[0].keys() == expected[0].keys()
    assert len(pd.DataFrame.from_arrow(source)) == len(expected)
    by_duckdb = duckdb.sql("from source").to_arrow_table()
    columns = [column for column in source.column_names if "_seen" not in column]
    for column in columns:
        assert by_duckdb.column(column).to_pylist() == files[name].column(column).to_pylist()


def test_a_table_can_be_taken_again(result: backtrail.RunResult) -> None:
    assert pa.table(result.leads) == pa.table(result.leads)
    schema = pa.schema(result.leads)
    assert schema.field("score").type == pa.int64()
    assert pa.table(result.leads, schema=schema).num_rows == len(result.leads)


def test_the_report_is_that_of_the_command(
    result: backtrail.RunResult, command: Command, events: Path, rules: Path, tmp_path: Path
) -> None:
    assert command("run", events, "--rules", rules, "-o", "out").returncode == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    for timed in (report, result.report):
        timed.pop("elapsed_seconds")
    assert report["guarded_cells"] > 0
    report["guarded_cells"] = 0  # of CSV cells, and no CSV is written here
    assert result.report == report
    assert (result.exit_code, result.findings) == (0, [])
    assert repr(result) == "<backtrail.RunResult: 233 signals, 28 leads>"


def test_files_are_written_and_tables_kept_where_asked(
    result: backtrail.RunResult, events: Path, rules: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    formats = ["csv", "parquet"]
    both = backtrail.run(events, rules=rules, output=out, format=formats, tables=True)
    assert pq.read_table(out / "leads.parquet").num_rows == 28
    assert (out / "leads.csv").exists() and (out / "report.html").exists()
    assert plain(pa.table(both.signals)) == plain(pa.table(result.signals))

    files_alone = backtrail.run(events, rules=rules, output=out, overwrite=True, html=False)
    with pytest.raises(backtrail.UsageError, match="tables=True"):
        _ = files_alone.leads
    with pytest.raises(backtrail.OutputError, match="exists already") as raised:
        backtrail.run(events, output=out)
    assert raised.value.line is None


def test_several_inputs_options_and_threads_are_passed_on(events: Path, rules: Path) -> None:
    one_by_one = sorted(events.iterdir())
    all_of_it = backtrail.run(one_by_one, rules=str(rules), threads=1, memory="64MiB")
    assert len(all_of_it.leads) == 28
    window = backtrail.run(
        events,
        rules=rules,
        since=datetime.date(2025, 5, 1),
        until=datetime.datetime(2025, 6, 1, tzinfo=datetime.timezone.utc),
    )
    assert 0 < len(window.signals) < 233
    times = pa.table(window.signals).column("timestamp").to_pylist()
    assert {time.month for time in times} == {5}
    demos = backtrail.run(events, where='event = "Demo Requested"')
    assert set(pa.table(demos.signals).column("event").to_pylist()) == {"Demo Requested"}
    over = backtrail.run(events, rules=rules, max_rejects=1, fail_over_plan=True)
    assert over.exit_code == 1 and len(over.findings) == 2


def test_redacted_tables_name_nobody(events: Path, rules: Path) -> None:
    leads = backtrail.run(events, rules=rules, redact=True).leads
    assert leads.column_names[:2] == ["lead_id", "company"]
    assert "@" not in "".join(pa.table(leads).column("lead_id").to_pylist())


def test_runs_side_by_side_do_not_stop_one_another(events: Path, rules: Path) -> None:
    leads: list[int] = []

    def work() -> None:
        leads.append(len(backtrail.run(events, rules=rules).leads))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert leads == [28] * 4
