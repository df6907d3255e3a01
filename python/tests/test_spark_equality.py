"""Whatever the history and the settings, a job on Spark gives what ``run`` gives, cell for cell."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from histories import MERGES, POLICIES, deletions, hostile, rules, write
from spark_session import ordered_leads, skip_without

import backtrail

skip_without()

from pyspark.sql import SparkSession  # noqa: E402

import backtrail.spark  # noqa: E402

# What is no count, or is of one process alone.
OTHERS = {"inputs", "elapsed_seconds", "bytes_read"}
GENERATE = os.environ.get("BACKTRAIL_TEST_GENERATE")


def ordered(table: pa.Table) -> list[dict[str, Any]]:
    """Rows by their ``signal_id``; copies that are kept have the same."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return sorted(rows, key=lambda row: (row["signal_id"], str(sorted(row.items(), key=str))))


def told(report: dict[str, Any]) -> dict[str, Any]:
    """The counters of a report."""
    kept = {name: value for name, value in report.items() if name not in OTHERS}
    kept["events"] = {**kept["events"], "timestamp_examples": None}
    kept["rules"] = {**kept["rules"], "file": None}
    # Those of a run name the first of their kind.
    kept["warnings"] = [text.split(", the first at ")[0].split(", as in ")[0]
                        for text in kept["warnings"]]
    return kept


def compare(spark: SparkSession, events: Path, rules: Path, output: Path, **options: Any) -> None:
    done = backtrail.spark.run(spark, events, rules, str(output), buckets=7, **options)
    result = backtrail.run(events, rules=rules)
    signals = pq.read_table(output / "signals.parquet")
    assert signals.column_names == result.signals.column_names
    got, expected = ordered(signals), ordered(pa.table(result.signals))
    assert len(got) == len(expected) > 100
    for one, other in zip(got, expected, strict=True):
        assert one == other
    leads = pq.read_table(output / "leads.parquet").to_pylist()
    assert ordered_leads(leads) == ordered_leads(pa.table(result.leads).to_pylist())
    got, expected = told(done.report), told(result.report)
    for member in expected.keys() | got.keys():
        assert got.get(member) == expected.get(member), member
    read = sum(1 for path in (output / "rejects.ndjson").glob("*.txt") for _ in path.open("rb"))
    assert read == result.report["rejects"]["total"] > 0


def test_twenty_thousand_events_of_all_kinds(spark: SparkSession, tmp_path: Path) -> None:
    generated = b""
    if GENERATE or "CI" in os.environ:
        line = [str(GENERATE), "--events", "10000"]
        generated = subprocess.run(line, capture_output=True, check=True).stdout
    some = [*hostile(10_000, 1), *deletions(9, 1, 400)]
    events = write(tmp_path / "events", some, generated.splitlines(), 1, 6)
    asked = rules(tmp_path / "rules.toml", "split", "user_id")
    compare(spark, events, asked, tmp_path / "out", task_bytes=1 << 20, task_rows=1_000)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("merge", MERGES)
def test_policies_and_merges(
    spark: SparkSession, tmp_path: Path, policy: str, merge: str
) -> None:
    seed = POLICIES.index(policy) * 2 + MERGES.index(merge)
    requests = deletions(3 * (seed % 2), seed, 48)
    some = [*hostile(1_200, seed), *requests]
    events = write(tmp_path / "events", some, [], seed, 3)
    more = ["", '[dedup]\nby = "message_id"', '[dedup]\nby = "none"', '[dedup]\nignore = ["userId"]'][seed % 4]
    asked = rules(tmp_path / "rules.toml", policy, merge, more)
    compare(spark, events, asked, tmp_path / "out", task_rows=[50, 1 << 20][seed // 4])
