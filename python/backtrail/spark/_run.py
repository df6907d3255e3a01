"""A whole job: from files to signals, leads and the report."""

import dataclasses
import hashlib
import json
import tempfile
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path as FilePath
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from backtrail import _native, _settings
from backtrail._arguments import Moment, Path, moment
from backtrail._errors import InputError, InputWarning, OutputError, UsageError
from backtrail._inputs import Input
from backtrail.spark import _stages, _tables, _tasks
from backtrail.spark._buckets import Buckets
from backtrail.spark._checkpoint import Checkpoint
from backtrail.spark._inputs import listed, tasks
from backtrail.spark._job import Dataflow

FORMATS = ("parquet", "csv")
# The stages whose values were shuffled by group; ``links_left`` and ``forget`` where users are deleted.
SHUFFLED = ("dedup", "links", "forget", "links_left", "resolve", "leads", "census")
# A task reads about so many bytes as they are stored.
TASK_BYTES = 128 << 20
# A task resolves no more rows of one bucket.
TASK_ROWS = 1 << 20


@dataclasses.dataclass(frozen=True)
class SparkResult:
    """What a job came to: the tables as data frames that read the outputs, and the report."""

    signals: DataFrame
    leads: DataFrame
    report: dict[str, Any]
    tasks: dict[str, Any]
    """What the tasks of each stage were given and took: ``tasks.json``."""
    checkpoint: str
    resumed: list[str]
    """The stages that an earlier job had done."""


def run(
    spark: SparkSession,
    inputs: Path | Iterable[Path],
    rules: Path | None = None,
    output: str | None = None,
    *,
    allow: Path | None = None,
    filters: Path | None = None,
    where: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    format: str | Sequence[str] = "parquet",
    overwrite: bool = False,
    csv_raw: bool = False,
    redact: bool = False,
    strict_detect: bool = False,
    assign_ids: bool = False,
    correct_clocks: bool = False,
    strict: bool = False,
    allow_empty: bool = False,
    no_sign_request: bool = False,
    max_record_bytes: int | str | None = None,
    buckets: int = 1024,
    partitions: int | None = None,
    task_bytes: int = TASK_BYTES,
    task_rows: int = TASK_ROWS,
    checkpoint: str | None = None,
) -> SparkResult:
    """Read events on the workers, and write ``signals``, ``leads``, ``rejects.ndjson`` and ``report.json``.

    inputs: files, folders or globs that the driver and all workers see under the same paths, or URLs of
        object stores. The driver lists them, and workers read the objects that were listed: one that was
        replaced since is a damaged input. Driver and workers find credentials in their own environments,
        as the command finds them.
    rules, allow, filters: files that the driver reads; the workers get their contents.
    output: a folder on any file system that Spark writes to. It gets ``signals.parquet`` and
        ``leads.parquet``, folders of files, or the same as CSV, ``rejects.ndjson``, a folder of the
        records that were refused, ``tasks.json``, what the tasks of each stage took, and last
        ``report.json``.
    format: "parquet", "csv", or both.
    buckets: into how many groups visitors are divided. A task holds one of them in memory, about
        0.5 kB an event.
    task_rows: a bucket of more rows is divided among several tasks, so that none has all events of
        an id.
    partitions: tasks of a shuffle; by default those of the session (spark.sql.shuffle.partitions).
    task_bytes: a task reads about so many bytes of files; a file is read by one task.
    checkpoint: a folder, on the same terms as ``output``, that keeps what each stage gave; by
        default below ``output``. A job that is run again with the same one goes on where it ended.

    The other arguments are those of ``backtrail.run``. The tables are those of ``backtrail.run``, cell
    for cell; leads are in the same order, and signals in none.

    A damaged input gives an InputWarning and an entry of ``report["faults"]``; with ``strict`` it is an
    InputError, and nothing is written.

    Raises what ``backtrail.run`` does, before any task starts where rules, filters or arguments are at
    fault. ``report.json`` is written last: outputs without it are not those of a whole job.
    """
    if output is None:
        raise UsageError("no output: name a folder")
    formats = _formats(format)
    chosen = {
        "where": where,
        "since": _settings.at(moment(since)),
        "until": _settings.at(moment(until)),
        "redact": redact,
        "strict_detect": strict_detect,
        "assign_ids": assign_ids,
        "correct_clocks": correct_clocks,
        "max_record_bytes": max_record_bytes,
        "no_sign_request": no_sign_request,
    }
    named = {"rules": rules, "allow": allow, "filters": filters}
    gathered = _settings.gather(named, chosen, buckets)
    settings = {**gathered.plain(), "in_order": not _is_remote(spark)}
    job = _settings.compile_named(named, gathered)
    files, skipped = listed(job, inputs)
    output = output.rstrip("/")
    _take_output(spark, output, overwrite)
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    identity = hashlib.sha256(json.dumps([job.fingerprint, files, task_rows, task_bytes]).encode())
    kept = Checkpoint(spark, checkpoint or f"{output}/checkpoint", identity.hexdigest())
    count = partitions or int(spark.conf.get("spark.sql.shuffle.partitions") or 200)
    flow = Dataflow(spark, job, settings, kept, count, task_rows)
    outputs = _Outputs(flow, output, formats, not csv_raw, strict, allow_empty)
    return outputs.made(files, task_bytes, skipped)


def _is_remote(spark: SparkSession) -> bool:
    """Whether it is a session of Spark Connect, behind which any engine may be."""
    return type(spark).__module__.startswith("pyspark.sql.connect")


def _formats(format: str | Sequence[str]) -> list[str]:
    formats = [format] if isinstance(format, str) else list(format)
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"format: a cluster writes {' and '.join(FORMATS)}, and not {name!r}")
    return formats


def _take_output(spark: SparkSession, output: str, overwrite: bool) -> None:
    """Refuses an output that has a report; what is to be overwritten has none from now on."""
    report = f"{output}/report.json"
    try:
        if not spark.read.text(report).limit(1).collect():
            return
    except AnalysisException:
        return
    if not overwrite:
        text = f"{output}: has the outputs of a job already; name another, or pass overwrite=True"
        raise OutputError(text, output)
    if FilePath(report).is_file():
        FilePath(report).unlink()
    else:
        spark.createDataFrame([], "value string").write.mode("overwrite").text(report)


@dataclasses.dataclass
class _Outputs:
    """The end of a job: its dataflow, and where its tables go."""

    flow: Dataflow
    output: str
    formats: list[str]
    guarded: bool
    strict: bool
    allow_empty: bool
    begun: float = dataclasses.field(default_factory=time.monotonic)

    def made(self, files: list[Input], task_bytes: int, left_out: list[str]) -> SparkResult:
        flow = self.flow
        mapped = flow.mapped(tasks(files, task_bytes))
        faults = [row.asDict() for row in flow.only(mapped, "fault").collect()]
        self._judge(faults)
        counted = flow.small(flow.counts("map_counts", mapped), "counts")
        self._look_for_events(counted)
        rows, deletions = flow.deduplicated(mapped), flow.only(mapped, "deletions")
        requests, buckets = flow.small(deletions, "deletions"), flow.buckets(rows)
        none = flow.none("deletions")
        links = flow.links(rows, "links", buckets, none)
        if requests != none:
            rows = flow.forgotten(rows, links, buckets, requests)
            links = flow.links(rows, "links_left", buckets, requests)
        needed, named = flow.needed(rows, links), flow.lead_names(rows)
        names = flow.small(flow.only(named, "lead_names"), "lead_names")
        resolved = flow.resolved(rows, needed, buckets, names=names, deletions=requests)
        folded = flow.folded(resolved, counted)
        made, census = flow.leads(folded), flow.census(mapped, resolved, folded)
        rejects = flow.only(mapped, "reject").select("line")
        rejects.write.mode("overwrite").text(f"{self.output}/rejects.ndjson")
        self._write("signals", flow.signals(resolved))
        leads = flow.only(made, "leads")
        self._write("leads", leads.orderBy(f.col("score").desc(), f.col(leads.columns[0])))
        sums = flow.counts("all_counts", mapped, folded, made, census)
        told = self._told(mapped, named, made, census)
        told["skipped"] = left_out + told["skipped"]
        told["inputs"] = [(file.place, file.size, 0) for file in files]
        report = self._report(sums, {**told, "faults": faults})
        figures = self._tasks(buckets, report["events"]["total"])
        self._write_json("tasks", figures)
        self._write_json("report", report)
        kept, read_back = flow.checkpoint, [self._read(name) for name in ("signals", "leads")]
        path = kept.path("").rstrip("/")
        return SparkResult(read_back[0], read_back[1], report, figures, path, kept.resumed)

    def _tasks(self, buckets: Buckets, events: int) -> dict[str, Any]:
        """What the tasks took, of each stage in order."""
        some = _tasks.summaries(self.flow.tasks)
        moved = sum(stage["bytes"] for stage in some if stage["stage"] in SHUFFLED)
        of_buckets = {"count": self.flow.job.buckets, **buckets.summary()}
        per_event = round(moved / events, 1) if events else None
        return {"buckets": of_buckets, "shuffled_bytes_per_event": per_event, "stages": some}

    def _judge(self, faults: list[dict[str, Any]]) -> None:
        for fault in faults:
            at = "" if fault["offset"] is None else f": at byte {fault['offset']}"
            text = f"{fault['path']}{at}: {fault['message']}"
            if self.strict:
                raise InputError(text, fault["path"], offset=fault["offset"])
            warnings.warn(text, InputWarning, stacklevel=5)

    def _look_for_events(self, counted: bytes) -> None:
        events = [
            row["count"]
            for row in _stages.unpacked(counted).to_pylist()
            if row["counter"] == "events.total"
        ]
        if not self.allow_empty and not sum(events):
            raise InputError("no event in the input; pass allow_empty=True if that is expected")

    def _told(
        self, mapped: DataFrame, named: DataFrame, made: DataFrame, census: DataFrame
    ) -> dict[str, Any]:
        """What a report says that is no count."""
        only = self.flow.only
        users = only(mapped, "deletions").select("user_id").distinct().collect()
        shared = only(census, "shared").collect()
        joined = only(named, "named").collect()
        scores = only(made, "leads").selectExpr("min(score)", "max(score)").collect()[0]
        read = only(mapped, "read").selectExpr("sum(bytes_read)").collect()
        return {
            "deleted_users": [row[0] for row in users],
            "shared": [tuple(row) for row in shared],
            "merged_emails": sum(row["joined"] for row in joined),
            "merge_refused": [
                (count, ids) for row in joined for count, ids in json.loads(row["refused"])
            ],
            "scores": None if scores[0] is None else tuple(scores),
            "lost_leads": [row[0] for row in only(made, "lost").collect()],
            "skipped": sorted(row[0] for row in only(mapped, "skipped").collect()),
            "bytes_read": read[0][0] or 0,
        }

    def _report(self, sums: DataFrame, told: dict[str, Any]) -> dict[str, Any]:
        counts = _stages.unpacked(self.flow.small(sums, "counts"))
        faults = [(fault["path"], fault["offset"], fault["message"]) for fault in told["faults"]]
        told = {
            **told,
            "faults": sorted(faults, key=str),
            "elapsed_seconds": time.monotonic() - self.begun,
        }
        report: dict[str, Any] = json.loads(_native.report(self.flow.job, counts, told))
        return report

    def _write(self, name: str, table: DataFrame) -> None:
        for format in self.formats:
            _tables.write(table, f"{self.output}/{name}.{format}", format, self.guarded)

    def _read(self, name: str) -> DataFrame:
        reader = self.flow.spark.read
        if "parquet" in self.formats:
            return reader.parquet(f"{self.output}/{name}.parquet")
        return reader.options(header=True, escape='"', multiLine=True).csv(f"{self.output}/{name}.csv")

    def _write_json(self, name: str, value: dict[str, Any]) -> None:
        """As a file where the output is a folder of the driver, else as a text dataset."""
        text = json.dumps(value, indent=2)
        folder = FilePath(self.output)
        if folder.is_dir():
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
                file.write(text + "\n")
            FilePath(file.name).replace(folder / f"{name}.json")
        else:
            lines = self.flow.spark.createDataFrame([(line,) for line in text.split("\n")], "value string")
            lines.coalesce(1).write.mode("overwrite").text(f"{self.output}/{name}.json")
