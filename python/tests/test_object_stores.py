"""Objects of stores are inputs as files are, with the credentials of the environment."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from object_store import SECRETS, Bucket

import backtrail


@pytest.fixture
def bucket(store: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The bucket, with credentials for it in the environment of this process."""
    for name, value in store.variables.items():
        monkeypatch.setenv(name, value)
    return store


def plain(table: backtrail.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.table(table).to_pylist()
    return rows


def mapped(job: backtrail.Job, files: list[Any]) -> tuple[int, Any]:
    """The number of rows, and the sums."""
    mapping = backtrail.map(job, files)
    rows = sum(len(part) for part in mapping)
    return rows, mapping.sums()


def test_a_run_on_objects_gives_what_it_gives_on_files(
    bucket: Bucket, events: Path, rules: Path
) -> None:
    url = bucket.put_files(events, "run")
    of_objects, of_files = backtrail.run(url, rules=rules), backtrail.run(events, rules=rules)
    assert plain(of_objects.signals) == plain(of_files.signals)
    assert plain(of_objects.leads) == plain(of_files.leads)
    assert of_objects.report["inputs"][0]["path"].startswith(url)


def test_listed_objects_are_mapped_to_the_rows_of_the_files(
    bucket: Bucket, events: Path, rules: Path
) -> None:
    url, job = bucket.put_files(events, "map"), backtrail.job(rules=rules)
    listed = backtrail.inputs(job, url)
    names = [f"{url}{path.name}" for path in sorted(events.iterdir())]
    assert [file.place for file in listed] == names
    assert all(file.size and file.tag and not file.named for file in listed)
    assert not any(secret in repr(listed) for secret in SECRETS.values())
    rows, sums = mapped(job, list(enumerate(listed)))
    assert (rows, sums["faults"]) == (mapped(job, list(enumerate(sorted(events.iterdir()))))[0], [])
    assert rows == mapped(job, list(enumerate(names)))[0] > 200


def test_an_object_that_was_replaced_after_it_was_listed_is_an_error(
    bucket: Bucket, events: Path
) -> None:
    body = (events / "2025-04.ndjson").read_bytes()
    bucket.put("replaced/a.ndjson", body)
    job = backtrail.job()
    listed = backtrail.inputs(job, bucket.url("replaced/"))
    # As many bytes, so that the tag alone differs.
    bucket.put("replaced/a.ndjson", body.replace(b"2025-04-", b"2025-05-"))
    with pytest.raises(backtrail.InputError, match="it was replaced") as raised:
        mapped(job, list(enumerate(listed)))
    assert raised.value.file == bucket.url("replaced/a.ndjson")
    assert mapped(job, [(0, bucket.url("replaced/a.ndjson"))])[0] > 0


def test_only_the_days_of_the_window_are_listed_of_an_archive(bucket: Bucket) -> None:
    for day in (0, 20_000, 20_001, 30_000):
        bucket.put(f"segment-logs/source/{day * 86_400_000}/a.json", b"{}\n")
    job = backtrail.job(since="2024-10-04", until="2024-10-05")
    listed = backtrail.inputs(job, bucket.url("segment-logs/"))
    assert [int(file.place.split("/")[-2]) // 86_400_000 for file in listed] == [20_000, 20_001]


def test_errors_of_stores_say_what_to_do_and_hold_no_secret(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = backtrail.job()
    with pytest.raises(backtrail.InputError, match="no such object") as raised:
        backtrail.inputs(job, bucket.url("nothing/here"))
    with pytest.raises(backtrail.InputError, match="nobody/: ") as missing:
        backtrail.run("s3://nobody/")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(backtrail.InputError, match="AWS_SECRET_ACCESS_KEY|credentials") as without:
        backtrail.run(bucket.url())
    told = [str(error.value) for error in (raised, missing, without)]
    assert not any(secret in text for text in told for secret in SECRETS.values())


def test_requests_without_a_signature_read_what_anybody_may_read(
    bucket: Bucket, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (events / "2025-04.ndjson").read_bytes()
    bucket.put("public.ndjson", body, ACL="public-read")
    for name in SECRETS:
        monkeypatch.delenv(name)
    assert not any(name in os.environ for name in SECRETS)
    url = bucket.url("public.ndjson")
    assert len(backtrail.run(url, no_sign_request=True).signals) > 0
    job = backtrail.job(no_sign_request=True)
    assert mapped(job, list(enumerate(backtrail.inputs(job, url))))[0] > 0
