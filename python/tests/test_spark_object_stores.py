"""A job on Spark reads the objects that the driver listed, with the credentials of each process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from object_store import SECRETS, Bucket, holds_a_secret
from spark_session import HAS_SAIL, ordered_leads, skip_without

import backtrail

skip_without()

from pyspark import cloudpickle  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

import backtrail.spark  # noqa: E402
from backtrail.spark import _worker  # noqa: E402


@pytest.fixture
def bucket(
    store: Bucket, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bucket]:
    """The bucket, with credentials for it in the environments of the driver and the workers."""
    for name, value in store.variables.items():
        monkeypatch.setenv(name, value)
    if HAS_SAIL:  # tasks run in this process
        yield store
        return
    environment = spark.sparkContext.environment
    environment.update(store.variables)
    yield store
    for name in store.variables:
        environment.pop(name, None)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is sent to workers, as bytes."""
    functions: list[bytes] = []
    task: Callable[..., Any] = _worker.task

    def kept(*given: Any) -> Any:
        work = task(*given)
        functions.append(cloudpickle.dumps(work))  # type: ignore[no-untyped-call]
        return work

    monkeypatch.setattr(_worker, "task", kept)
    return functions


def test_a_job_on_objects_gives_what_run_gives_on_files(
    spark: SparkSession, bucket: Bucket, events: Path, rules: Path, tmp_path: Path, sent: list[bytes]
) -> None:
    url, output = bucket.put_files(events, "spark"), tmp_path / "out"
    # What stands among objects and is no input: an output of an earlier run, and an image.
    bucket.put("spark/picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
    done = backtrail.spark.run(spark, url, rules, str(output), buckets=3, task_bytes=1 << 15)
    result = backtrail.run(url, rules=rules)
    signals = pq.read_table(output / "signals.parquet").to_pylist()
    expected = pa.table(result.signals).to_pylist()
    assert sorted(signals, key=str) == sorted(expected, key=str)
    leads = pq.read_table(output / "leads.parquet").to_pylist()
    assert ordered_leads(leads) == ordered_leads(pa.table(result.leads).to_pylist())
    assert done.report["warnings"] == result.report["warnings"]
    assert any("picture.png: skipped" in text for text in done.report["warnings"])
    places = [entry["path"] for entry in done.report["inputs"]]
    assert places == sorted(places) and all(place.startswith(url) for place in places)
    assert holds_a_secret(tmp_path) == []
    assert len(sent) > 10
    assert not any(secret.encode() in work for work in sent for secret in SECRETS.values())
    assert not any(secret in json.dumps(done.tasks) for secret in SECRETS.values())


def test_an_object_that_is_replaced_after_the_driver_listed_it_ends_the_job(
    spark: SparkSession,
    bucket: Bucket,
    events: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, output = bucket.put_files(events, "changing"), tmp_path / "out"
    from backtrail.spark import _run

    tasks = _run.tasks

    def replaced(*given: Any) -> Any:
        body = (events / "2025-04.ndjson").read_bytes()
        bucket.put("changing/2025-04.ndjson", body.replace(b"2025-04-", b"2025-05-"))
        return tasks(*given)

    with monkeypatch.context() as patched:
        patched.setattr(_run, "tasks", replaced)
        with pytest.raises(backtrail.InputError, match="2025-04.ndjson: it was replaced"):
            backtrail.spark.run(spark, url, None, str(output))
    # Nothing of it was kept: the same job can be run again.
    done = backtrail.spark.run(spark, url, None, str(output))
    assert done.resumed == [] and done.report["faults"] == []


def test_a_worker_without_credentials_ends_the_job_and_names_the_object(
    spark: SparkSession,
    bucket: Bucket,
    events: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, output = bucket.put_files(events, "refused"), tmp_path / "out"
    if HAS_SAIL:
        pytest.skip("tasks run in the process of the driver")
    for name in SECRETS:
        monkeypatch.delitem(spark.sparkContext.environment, name)
    with pytest.raises(backtrail.InputError, match="s3://exports/.*credentials") as raised:
        backtrail.spark.run(spark, url, None, str(output))
    assert not any(secret in str(raised.value) for secret in SECRETS.values())
    assert not (output / "report.json").exists() and holds_a_secret(tmp_path) == []
