"""What is wrong is told where it is seen, and nothing is half written."""

import gzip
import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from spark_session import HAS_SAIL, skip_without

import backtrail

skip_without()

from pyspark.sql import SparkSession  # noqa: E402

import backtrail.spark  # noqa: E402

TABLES = ("signals.parquet", "leads.parquet", "report.json", "tasks.json", "rejects.ndjson")


def written(output: Path) -> list[str]:
    return [name for name in TABLES if (output / name).exists()]


@pytest.fixture
def damaged(events: Path, tmp_path: Path) -> Path:
    """The sample data, and a file of gzip that ends too early."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    for path in events.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    whole = gzip.compress((events / "2025-04.ndjson").read_bytes())
    (folder / "cut.gz").write_bytes(whole[: len(whole) // 2])
    return folder


def test_a_damaged_file_on_one_worker_is_named_and_the_rest_counts(
    spark: SparkSession, damaged: Path, rules: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    with pytest.warns(backtrail.InputWarning, match="cut.gz: at byte"):
        done = backtrail.spark.run(
            spark, damaged, rules, str(output), buckets=3, task_bytes=1 << 15
        )
    with pytest.warns(backtrail.InputWarning):
        result = backtrail.run(damaged, rules=rules)
    assert [fault["offset"] for fault in done.report["faults"]] == [
        fault["offset"] for fault in result.report["faults"]
    ]
    assert done.report["leads"] == result.report["leads"]


def test_a_strict_job_ends_at_a_damaged_file_and_writes_no_table(
    spark: SparkSession, damaged: Path, rules: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    with pytest.raises(backtrail.InputError, match="cut.gz") as raised:
        backtrail.spark.run(spark, damaged, rules, str(output), strict=True)
    assert raised.value.file == str(damaged / "cut.gz")
    assert raised.value.offset is not None and raised.value.offset > 0
    assert written(output) == []


def test_rules_that_are_wrong_are_told_before_anything_starts(
    spark: SparkSession, events: Path, tmp_path: Path
) -> None:
    wrong, output = tmp_path / "rules.toml", tmp_path / "out"
    wrong.write_text('version = 1\n[[rule]]\nid = "a"\nwhen = "event ="\n')
    with pytest.raises(backtrail.RulesError) as raised:
        backtrail.spark.run(spark, events, wrong, str(output))
    error = raised.value
    assert (error.file, error.line) == (str(wrong), 4)
    assert error.column is not None and error.column > 8
    with pytest.raises(backtrail.InputError, match="no such file"):
        backtrail.spark.run(spark, tmp_path / "none", None, str(output))
    with pytest.raises(backtrail.UsageError, match="does not read standard input"):
        backtrail.spark.run(spark, "-", None, str(output))
    with pytest.raises(backtrail.UsageError, match="may sign the address") as refused:
        backtrail.spark.run(spark, "https://host/a.gz?sig=canary", None, str(output))
    assert "canary" not in str(refused.value)
    with pytest.raises(backtrail.UsageError, match="format"):
        backtrail.spark.run(spark, events, None, str(output), format="ndjson")
    assert not output.exists()


def test_an_output_that_exists_is_kept(spark: SparkSession, events: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "report.json").write_text("{}\n")
    with pytest.raises(backtrail.OutputError, match="exists|has the outputs") as raised:
        backtrail.spark.run(spark, events, None, str(output))
    assert raised.value.file == str(output)
    assert written(output) == ["report.json"]


def test_a_checkpoint_of_another_job_is_refused(
    spark: SparkSession, events: Path, rules: Path, tmp_path: Path
) -> None:
    kept = str(tmp_path / "kept")
    backtrail.spark.run(spark, events, rules, str(tmp_path / "one"), checkpoint=kept, buckets=2)
    with pytest.raises(backtrail.OutputError, match="other inputs, rules or settings"):
        backtrail.spark.run(spark, events, None, str(tmp_path / "two"), checkpoint=kept, buckets=2)
    assert not (tmp_path / "two").exists()


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    """A Python environment that has all packages of this one but backtrail."""
    environment = tmp_path / "worker"
    line = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(line, check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = environment / "lib" / version / "site-packages"
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith("backtrail"):
            (packages / path.name).symlink_to(path)
    return environment / "bin" / "python"


@pytest.fixture
def on_worker(spark: SparkSession, worker: Path) -> Iterator[SparkSession]:
    """A session whose tasks run in the environment of ``worker``."""
    context = spark.sparkContext
    before, context.pythonExec = context.pythonExec, str(worker)
    yield spark
    context.pythonExec = before


@pytest.mark.skipif(HAS_SAIL, reason="tasks run in the process of the server")
def test_a_worker_without_the_package_says_so(
    on_worker: SparkSession, events: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    with pytest.raises(backtrail.WorkerError, match="cannot import backtrail") as raised:
        backtrail.spark.run(on_worker, events, None, str(output))
    assert "install the wheel of backtrail" in str(raised.value)
    assert written(output) == []


@pytest.mark.skipif(HAS_SAIL, reason="tasks run in the process of the server")
def test_a_worker_with_another_version_says_so(
    on_worker: SparkSession, worker: Path, events: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    packages = next(worker.parents[1].glob("lib/*/site-packages"))
    (packages / "backtrail").mkdir()
    (packages / "backtrail" / "__init__.py").write_text('__version__ = "0.0.1"\n')
    with pytest.raises(backtrail.WorkerError, match="has backtrail 0.0.1, and the driver"):
        backtrail.spark.run(on_worker, events, None, str(output))
    assert written(output) == []


def test_what_a_task_raises_is_raised_as_it_is(
    spark: SparkSession, events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.ndjson"
    monkeypatch.setattr(
        "backtrail.spark._inputs._native.inputs",
        lambda job, some: ([(str(gone), 10, None, True)], []),
    )
    with pytest.raises(backtrail.InputError, match="no such file"):
        backtrail.spark.run(spark, events, None, str(tmp_path / "out"))


def test_a_job_whose_output_is_replaced_has_no_report_until_it_is_done(
    spark: SparkSession, events: Path, rules: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    backtrail.spark.run(spark, events, rules, str(output), buckets=2)
    wrong = tmp_path / "none.ndjson"
    wrong.write_text('{"a": 1}\n')
    other = str(tmp_path / "kept")
    with pytest.raises(backtrail.InputError, match="no event"):
        backtrail.spark.run(spark, wrong, rules, str(output), checkpoint=other, overwrite=True)
    assert "report.json" not in written(output)


def test_tasks_tell_what_they_took(
    spark: SparkSession, events: Path, rules: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    done = backtrail.spark.run(spark, events, rules, str(output), buckets=3, task_rows=20)
    told = json.loads((output / "tasks.json").read_text())
    assert told == done.tasks
    stages = {stage["stage"]: stage for stage in told["stages"]}
    rows = done.report["events"]["total"] - done.report["events"]["filtered"]
    assert stages["dedup"]["rows"] == rows
    assert all(stage["largest_memory_bytes"] > 1 << 20 for stage in told["stages"])
    assert told["buckets"]["count"] == 3 and told["buckets"]["divided"] == 3
    assert told["shuffled_bytes_per_event"] > 100
