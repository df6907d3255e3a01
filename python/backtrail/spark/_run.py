"""A whole job: from files to signals, leads and the report."""

import dataclasses
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
from backtrail.spark import _stages, _tables
from backtrail.spark._checkpoint import Checkpoint
from backtrail.spark._inputs import Task, tasks
from backtrail.spark._job import Dataflow

FORMATS = ("parquet", "csv")
# A task reads about so many bytes as they are stored.
TASK_BYTES = 128 << 20


@dataclasses.dataclass(frozen=True)
class SparkResult:
    """What a job came to: the tables as data frames that read the outputs, and the report."""

    signals: DataFrame
    leads: DataFrame
    report: dict[str, Any]
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
    max_record_bytes: int | str | None = None,
    buckets: int = 1024,
    partitions: int | None = None,
    task_bytes: int = TASK_BYTES,
    checkpoint: str | None = None,
) -> SparkResult:
    """Read events on the workers, and write ``signals``, ``leads`` and ``report.json``.

    inputs: files, folders or globs that the driver and all workers see under the same paths.
    rules, allow, filters: files that the driver reads; the workers get their contents.
    output: a folder on any file system that Spark writes to. It gets ``signals.parquet`` and
        ``leads.parquet``, folders of files, or the same as CSV, and last ``report.json``.
    format: "parquet", "csv", or both.
    buckets: into how many groups visitors are divided. A task holds one of them in memory, about
        0.5 kB an event.
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
    }
    named = {"rules": rules, "allow": allow, "filters": filters}
    gathered = _settings.gather(named, chosen, buckets)
    settings = gathered.plain()
    job = _settings.compile_named(named, gathered)
    read = tasks(inputs, task_bytes)
    output = output.rstrip("/")
    if not overwrite:
        _refuse_existing(spark, output)
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    identity = json.dumps([job.fingerprint, read])
    kept = Checkpoint(spark, checkpoint or f"{output}/checkpoint", identity)
    count = partitions or int(spark.conf.get("spark.sql.shuffle.partitions") or 200)
    flow = Dataflow(spark, job, settings, kept, count)
    return _Outputs(flow, output, formats, not csv_raw, strict, allow_empty).made(read)


def _formats(format: str | Sequence[str]) -> list[str]:
    formats = [format] if isinstance(format, str) else list(format)
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"format: a cluster writes {' and '.join(FORMATS)}, and not {name!r}")
    return formats


def _refuse_existing(spark: SparkSession, output: str) -> None:
    try:
        spark.read.text(f"{output}/report.json").limit(1).collect()
    except AnalysisException:
        return
    text = f"{output}: has the outputs of a job already; name another, or pass overwrite=True"
    raise OutputError(text, output)


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

    def made(self, read: list[Task]) -> SparkResult:
        flow = self.flow
        mapped = flow.mapped(read)
        faults = [row.asDict() for row in flow.only(mapped, "fault").collect()]
        self._judge(faults)
        counted = flow.small(flow.counts("map_counts", mapped), "counts")
        self._look_for_events(counted)
        rows, deletions = flow.deduplicated(mapped), flow.only(mapped, "deletions")
        requests = flow.small(deletions, "deletions")
        links = flow.links(rows, "links")
        if deletions.limit(1).count() > 0:
            rows = flow.forgotten(rows, links, requests)
            links = flow.links(rows, "links_left", requests)
        needed, named = flow.needed(rows, links), flow.lead_names(rows)
        names = flow.small(flow.only(named, "lead_names"), "lead_names")
        resolved = flow.resolved(rows, needed, names)
        folded = flow.folded(resolved, counted)
        made, census = flow.leads(folded), flow.census(mapped, resolved, folded)
        self._write("signals", flow.signals(resolved))
        leads = flow.only(made, "leads")
        self._write("leads", leads.orderBy(f.col("score").desc(), f.col(leads.columns[0])))
        sums = flow.counts("all_counts", mapped, folded, made, census)
        told = self._told(mapped, named, made, census)
        report = self._report(sums, {**told, "faults": faults, "inputs": read})
        self._write_report(report)
        kept = flow.checkpoint
        signals, leads = self._read("signals"), self._read("leads")
        return SparkResult(signals, leads, report, kept.path("").rstrip("/"), kept.resumed)

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
            "bytes_read": read[0][0] or 0,
        }

    def _report(self, sums: DataFrame, told: dict[str, Any]) -> dict[str, Any]:
        counts = _stages.unpacked(self.flow.small(sums, "counts"))
        files = sorted(file for task in told["inputs"] for file in task)
        faults = [(fault["path"], fault["offset"], fault["message"]) for fault in told["faults"]]
        told = {
            **told,
            "inputs": [(path, None, 0) for _, path in files],
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

    def _write_report(self, report: dict[str, Any]) -> None:
        """As a file where the output is a folder of the driver, else as a text dataset."""
        text = json.dumps(report, indent=2, sort_keys=True)
        folder = FilePath(self.output)
        if folder.is_dir():
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
                file.write(text + "\n")
            FilePath(file.name).replace(folder / "report.json")
        else:
            lines = self.flow.spark.createDataFrame([(line,) for line in text.split("\n")], "value string")
            lines.coalesce(1).write.mode("overwrite").text(f"{self.output}/report.json")
