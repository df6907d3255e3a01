"""The tables and the report of a job on Spark are those of ``run``, cell for cell."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Command
from spark_session import HAS_SAIL, ordered_leads, skip_without

import backtrail

skip_without()

import pyspark  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

import backtrail.spark  # noqa: E402
import backtrail.spark.__main__ as program  # noqa: E402


def rows(table: pa.Table, key: str) -> list[dict[str, Any]]:
    """Rows in an order of their own."""
    some: list[dict[str, Any]] = table.to_pylist()
    return sorted(some, key=lambda row: (row[key], str(row.get("message_id"))))


def same(result: backtrail.RunResult, output: Path) -> None:
    signals = pq.read_table(output / "signals.parquet")
    assert signals.column_names == result.signals.column_names
    assert rows(signals, "signal_id") == rows(pa.table(result.signals), "signal_id")
    leads = pq.read_table(output / "leads.parquet").to_pylist()
    assert ordered_leads(leads) == ordered_leads(pa.table(result.leads).to_pylist())


def test_a_job_gives_what_run_gives(
    spark: SparkSession, events: Path, rules: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    done = backtrail.spark.run(
        spark, events, rules, str(output), buckets=7, task_bytes=1 << 16
    )
    result = backtrail.run(events, rules=rules)
    same(result, output)
    report = json.loads((output / "report.json").read_text())
    assert report == done.report
    for member in ("events", "rejects", "duplicates", "identity", "rules", "leads", "plan"):
        told, expected = report[member], result.report[member]
        if member == "events":
            told.pop("timestamp_examples"), expected.pop("timestamp_examples")
        assert told == expected, member
    again = backtrail.spark.run(
        spark, events, rules, str(output), buckets=7, task_bytes=1 << 16, overwrite=True
    )
    assert "resolve" in again.resumed and done.resumed == []
    same(result, output)


def cells(paths: list[Path]) -> list[dict[str, str]]:
    """The rows of CSV files, each with a header, in the order of the files."""
    found: list[dict[str, str]] = []
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            found.extend(csv.DictReader(file))
    return found


def test_csv_has_the_cells_of_the_command(
    spark: SparkSession, command: Command, events: Path, rules: Path, tmp_path: Path
) -> None:
    done = command("run", events, "--rules", rules, "-o", "single")
    assert done.returncode == 0, done.stderr
    output = tmp_path / "out"
    both = ["csv", "parquet"]
    backtrail.spark.run(spark, events, rules, str(output), buckets=3, format=both)
    for name in ("signals", "leads"):
        expected = cells([tmp_path / "single" / f"{name}.csv"])
        got = cells(sorted((output / f"{name}.csv").glob("*.csv")))
        for some in (got, expected):
            if name == "signals":
                some.sort(key=lambda row: row["signal_id"])
            elif HAS_SAIL:
                some.sort(key=lambda row: row["email"])
        assert got == expected
        assert pq.read_table(output / f"{name}.parquet").num_rows == len(expected)


@pytest.mark.skipif(HAS_SAIL, reason="Sail has no spark-submit")
def test_spark_submit_takes_the_arguments_of_run(events: Path, rules: Path, tmp_path: Path) -> None:
    submit = Path(sys.executable).with_name("spark-submit")
    output = tmp_path / "out"
    line = [str(submit), "--master", "local[1]", "--conf", "spark.sql.shuffle.partitions=2"]
    line += [program.__file__, str(events), "-o", str(output)]
    line += ["--rules", str(rules), "--since", "2025-05-01", "--until", "2025-06-01", "--buckets", "2"]
    # Otherwise, the script asks the first `python` of the path, which may have no PySpark.
    home = {"SPARK_HOME": str(Path(pyspark.__file__).parent), "PYSPARK_PYTHON": sys.executable}
    environment = {**os.environ, **home}

    def submitted() -> "subprocess.CompletedProcess[str]":
        # spark-submit prints what the program prints, errors included, to its standard output.
        return subprocess.run(line, capture_output=True, text=True, check=False, env=environment)

    done = submitted()
    assert done.returncode == 0, done.stderr
    result = backtrail.run(events, rules=rules, since="2025-05-01", until="2025-06-01")
    assert f"backtrail: {len(result.signals)} signals" in done.stdout
    assert pq.read_table(output / "leads.parquet").num_rows == len(result.leads)
    again = submitted()
    assert again.returncode == 2 and "has the outputs of a job already" in again.stdout
