"""The tables and the report of a job on Spark are those of ``run``, cell for cell."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import backtrail

if "CI" not in os.environ:
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17", allow_module_level=True)
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

from pyspark.sql import SparkSession  # noqa: E402

import backtrail.spark  # noqa: E402

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "3",
    # Small data is not worth generated code.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    builder = SparkSession.builder.master("local[2]").appName("backtrail")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def rows(table: pa.Table, key: str) -> list[dict[str, Any]]:
    """Rows in an order of their own."""
    some: list[dict[str, Any]] = table.to_pylist()
    return sorted(some, key=lambda row: (row[key], str(row.get("message_id"))))


def same(result: backtrail.RunResult, output: Path) -> None:
    signals = pq.read_table(output / "signals.parquet")
    assert signals.column_names == result.signals.column_names
    assert rows(signals, "signal_id") == rows(pa.table(result.signals), "signal_id")
    leads = pq.read_table(output / "leads.parquet")
    assert leads.to_pylist() == pa.table(result.leads).to_pylist()


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


def test_what_is_wrong_is_told_before_a_task_starts(
    spark: SparkSession, events: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "rules.toml"
    wrong.write_text('version = 1\n[[rule]]\nid = "a"\nwhen = "event ="\n')
    with pytest.raises(backtrail.RulesError) as raised:
        backtrail.spark.run(spark, events, wrong, str(tmp_path / "out"))
    assert raised.value.line == 4
    with pytest.raises(backtrail.InputError, match="no such file"):
        backtrail.spark.run(spark, tmp_path / "none", None, str(tmp_path / "out"))
    with pytest.raises(backtrail.UsageError, match="format"):
        backtrail.spark.run(spark, events, None, str(tmp_path / "out"), format="ndjson")
    assert not (tmp_path / "out").exists()
