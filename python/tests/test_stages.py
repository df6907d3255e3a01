"""The stages, moved between by pyarrow alone, give what ``run`` gives."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import backtrail

BUCKETS = 5


def of_bucket(table: pa.Table, bucket: int, column: str = "bucket") -> pa.Table:
    return table.filter(pc.field(column) == bucket)


def by_bucket(table: pa.Table, stage: Any, column: str = "bucket") -> pa.Table:
    parts = [stage(of_bucket(table, bucket, column)) for bucket in range(BUCKETS)]
    return pa.concat_tables([pa.table(part) for part in parts])


def ordered(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return sorted(rows, key=lambda row: (row["signal_id"], row["message_id"]))


def stages(job: backtrail.Job, events: Path) -> tuple[pa.Table, pa.Table, dict[str, Any]]:
    """The signals, the leads and the report."""
    files = [(number, str(path)) for number, path in enumerate(sorted(events.iterdir()))]
    mapping = backtrail.map(job, files)
    rows = pa.concat_tables([pa.table(part) for part in mapping])
    sums = mapping.sums()
    assert sums is not None
    rows = by_bucket(rows, lambda some: backtrail.dedup(job, some), "copies_bucket")
    deletions = sums["deletions"]

    def links_of(rows: pa.Table) -> pa.Table:
        loose = pa.table(backtrail.links(job, rows, deletions))
        return by_bucket(loose, lambda some: backtrail.settle_links(job, some))

    links = links_of(rows)
    if len(deletions):
        rows = pa.concat_tables(
            pa.table(
                backtrail.forget(job, of_bucket(rows, at), of_bucket(links, at), deletions)
            )
            for at in range(BUCKETS)
        )
        links = links_of(rows)
    names = backtrail.lead_names(job, backtrail.email_ties(job, rows))
    of_users = links.filter(pc.field("source_kind") == "user_id")
    parts = [
        backtrail.resolve(
            job, of_bucket(rows, at), [of_bucket(links, at), of_users], names[0], deletions
        )
        for at in range(BUCKETS)
    ]
    resolved = pa.concat_tables([pa.table(part[0]) for part in parts])
    folded = backtrail.fold(job, resolved, sums["counts"])
    decided = backtrail.decide(job, folded[2], sums["counts"])
    made = backtrail.leads(job, [folded[0], decided[0]], folded[1])
    census = backtrail.census(job, [sums["sightings"], *[part[1] for part in parts], folded[3]])
    scores = pc.min_max(pa.table(made[0]).column("score")).as_py()
    told = {
        "deleted_users": pa.table(deletions).column("user_id").to_pylist(),
        "shared": census[1],
        "merged_emails": names[1],
        "merge_refused": names[2],
        "scores": (scores["min"], scores["max"]),
        "lost_leads": made[2],
        "inputs": [],
        "faults": [],
        "skipped": sums["skipped"],
        "bytes_read": sums["bytes_read"],
        "elapsed_seconds": 0.0,
    }
    counts = [sums["counts"], folded[4], decided[1], made[1], census[0]]
    report = json.loads(backtrail.report(job, counts, told))
    return pa.table(backtrail.signals(job, resolved)), pa.table(made[0]), report


def test_they_give_what_run_gives(events: Path, rules: Path) -> None:
    job = backtrail.job(rules=rules, buckets=BUCKETS)
    signals, leads, report = stages(job, events)
    result = backtrail.run(events, rules=rules)
    assert signals.column_names == result.signals.column_names
    assert ordered(signals) == ordered(pa.table(result.signals))
    assert leads.to_pylist() == pa.table(result.leads).to_pylist()
    for member in ("rejects", "duplicates", "identity", "rules", "leads", "plan", "history"):
        assert report[member] == result.report[member], member


def test_batches_of_another_job_are_refused(events: Path, rules: Path) -> None:
    job, other = backtrail.job(rules=rules), backtrail.job()
    rows = next(backtrail.map(job, [(0, str(sorted(events.iterdir())[0]))]))
    assert len(backtrail.dedup(job, rows)) == len(rows) > 50
    with pytest.raises(backtrail.StageError, match="under other rules"):
        backtrail.dedup(other, rows)
    with pytest.raises(backtrail.StageError, match="no column `call`"):
        backtrail.dedup(job, pa.table(rows).drop_columns("call"))


def test_a_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(backtrail.InputError, match="no such file"):
        list(backtrail.map(backtrail.job(), [(0, str(tmp_path / "none"))]))
