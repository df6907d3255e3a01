"""The stages as functions from the batches of a task to its batches.

A stage that gives several kinds of values gives *envelopes*: a column of structs for each kind, of which
a row has one. Values of Arrow that travel with the job itself are in Arrow's IPC format.
"""

import functools
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from backtrail import _native, _settings
from backtrail.spark._groups import GROUP, groups
from backtrail.spark._inputs import unpacked as unpacked_task

Plain = dict[str, Any]
Batches = Iterator[pa.RecordBatch]
Kind = str | tuple[str, ...]

# The jobs that this process has compiled; a process has few.
_jobs: dict[str, _native.Job] = {}


def job_of(settings: Plain) -> _native.Job:
    """The compiled job, once for each process."""
    key = repr(sorted(settings.items()))
    if key not in _jobs:
        with tempfile.TemporaryDirectory() as folder:
            _jobs[key] = _settings.compile_in(Path(folder), settings)
    return _jobs[key]


@functools.lru_cache(maxsize=64)
def _schemas(fingerprint: int, settings: str) -> dict[str, pa.Schema]:
    return {name: pa.schema(table) for name, table in _native.schemas(_jobs[settings])}


def schemas(settings: Plain) -> dict[str, pa.Schema]:
    """The Arrow schema of each kind of values."""
    job = job_of(settings)
    return _schemas(job.fingerprint, repr(sorted(settings.items())))


# What maps give besides rows, and folds besides parts.
FAULT = pa.schema([("path", pa.string()), ("offset", pa.int64()), ("message", pa.string())])
READ = pa.schema([("bytes_read", pa.int64())])
# What leads and censuses give besides.
LOST = pa.schema([("email", pa.string())])
SHARED = pa.schema([("kind", pa.string()), ("id", pa.string()), ("emails", pa.int64())])
NAMED = pa.schema([("joined", pa.int64()), ("refused", pa.string())])
# A warning about a file that was skipped.
SKIPPED = pa.schema([("text", pa.string())])
# A record that was refused, as a line of ``rejects.ndjson``.
REJECT = pa.schema([("line", pa.string())])
OWN = {
    "fault": FAULT,
    "read": READ,
    "reject": REJECT,
    "skipped": SKIPPED,
    "lost": LOST,
    "shared": SHARED,
    "named": NAMED,
}


def envelope(settings: Plain, kinds: Iterable[str]) -> pa.Schema:
    """The schema of envelopes of these kinds."""
    known = {**schemas(settings), **OWN}
    return pa.schema([(kind, pa.struct(list(known[kind]))) for kind in kinds])


def schema_of(settings: Plain, kind: Kind) -> pa.Schema:
    """The schema of values of a kind, or of envelopes of several."""
    return schemas(settings)[kind] if isinstance(kind, str) else envelope(settings, kind)


def wrap(schema: pa.Schema, kind: str, table: Any) -> Batches:
    """The rows of a table as envelopes of ``kind``."""
    for batch in pa.table(table).to_batches():
        fields = list(schema.field(kind).type)
        struct = pa.StructArray.from_arrays(batch.columns, fields=fields)
        columns = [
            struct if name == kind else pa.nulls(len(struct), schema.field(name).type)
            for name in schema.names
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def out(table: Any, names: list[str] | None = None) -> Batches:
    """The batches of a table."""
    taken = pa.table(table)
    yield from (taken if names is None else taken.select(names)).to_batches()


def packed(table: Any) -> bytes:
    """A table in the IPC format."""
    taken = pa.table(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, taken.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as to:
        to.write_table(taken)
    return bytes(sink.getvalue())


def unpacked(data: bytes) -> pa.Table:
    """What ``packed`` gave."""
    return pa.ipc.open_stream(data).read_all()


MAP = ("rows", "counts", "deletions", "sightings", "fault", "read", "reject", "skipped")
RESOLVE = ("resolved", "sightings")
FOLD = ("parts", "group_names", "contenders", "sightings", "counts")
LEADS = ("leads", "counts", "lost")
CENSUS = ("counts", "shared")
NAMES = ("lead_names", "named")


def read_files(settings: Plain, batches: Batches, files: list[bytes]) -> Batches:
    """Maps the files of the tasks whose numbers are in the first column."""
    job, schema = job_of(settings), envelope(settings, MAP)
    for batch in batches:
        for number in batch.column(0).to_pylist():
            mapping = _native.map(job, unpacked_task(files[number]))
            for rows in mapping:
                yield from wrap(schema, "rows", rows)
            sums = mapping.sums()
            if sums is None:
                raise RuntimeError("the thread that maps has gone")
            yield from wrap(schema, "counts", sums["counts"])
            yield from wrap(schema, "deletions", sums["deletions"])
            yield from wrap(schema, "sightings", sums["sightings"])
            yield from wrap(schema, "fault", pa.Table.from_pylist(sums["faults"], FAULT))
            read = [{"bytes_read": sums["bytes_read"]}]
            yield from wrap(schema, "read", pa.Table.from_pylist(read, READ))
            lines = sums["rejects"].decode().split("\n")[:-1]
            yield from wrap(schema, "reject", pa.table([pa.array(lines, pa.string())], schema=REJECT))
            texts = pa.array(sums["skipped"], pa.string())
            yield from wrap(schema, "skipped", pa.table([texts], schema=SKIPPED))


def dedup(settings: Plain, batches: Batches) -> Batches:
    """Rows by group to the same rows with their fates."""
    job = job_of(settings)
    for _, rows in groups(batches, GROUP, settings):
        yield from out(_native.dedup(job, rows))


def links(settings: Plain, batches: Batches, deletions: bytes, divided: list[int]) -> Batches:
    """Rows to links."""
    job, requests = job_of(settings), unpacked(deletions)
    for batch in batches:
        yield from out(_native.links(job, batch, requests, divided))


def settle_links(settings: Plain, batches: Batches) -> Batches:
    """Links by ``bucket`` to links without redundant ones."""
    job = job_of(settings)
    for _, some in groups(batches, "bucket", settings):
        yield from out(_native.settle_links(job, some))


def wanted_by_rows(settings: Plain, batches: Batches) -> Batches:
    """Rows to the user ids that their buckets want."""
    job = job_of(settings)
    for batch in batches:
        yield from out(_native.wanted(job, batch, []))


def wanted_by_links(settings: Plain, batches: Batches) -> Batches:
    """Settled links to the user ids that their buckets want."""
    job = job_of(settings)
    for batch in batches:
        yield from out(_native.wanted(job, [], batch))


def email_ties(settings: Plain, batches: Batches) -> Batches:
    """Rows to ties of e-mails that share a user id."""
    job = job_of(settings)
    for batch in batches:
        yield from out(_native.email_ties(job, batch))


def lead_names(settings: Plain, batches: Batches) -> Batches:
    """All ties to envelopes of names of leads of several e-mails."""
    schema = envelope(settings, NAMES)
    names, joined, refused = _native.lead_names(job_of(settings), list(batches))
    yield from wrap(schema, "lead_names", names)
    told = {"joined": joined, "refused": json.dumps(refused)}
    yield from wrap(schema, "named", pa.Table.from_pylist([told], NAMED))


def _parted(
    some: list[pa.RecordBatch], first: str, second: str
) -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
    """The values of two kinds among envelopes."""
    parted: tuple[list[pa.RecordBatch], list[pa.RecordBatch]] = ([], [])
    for batch in some:
        for kind, into in zip((first, second), parted, strict=True):
            values = batch.column(batch.schema.get_field_index(kind))
            values = values.filter(values.is_valid())
            if len(values):
                into.append(pa.RecordBatch.from_struct_array(values))
    return parted


def forget(settings: Plain, batches: Batches, deletions: bytes) -> Batches:
    """Envelopes of rows and links by group to the rows with their fates."""
    job, requests = job_of(settings), unpacked(deletions)
    for _, some in groups(batches, GROUP, settings):
        rows, of_bucket = _parted(some, "rows", "links")
        if rows:
            yield from out(_native.forget(job, rows, of_bucket, requests))


def resolve(settings: Plain, batches: Batches, names: bytes, deletions: bytes) -> Batches:
    """Envelopes of rows and links by group to envelopes of resolved rows and sightings."""
    job, schema = job_of(settings), envelope(settings, RESOLVE)
    of_leads, requests = unpacked(names), unpacked(deletions)
    for _, some in groups(batches, GROUP, settings):
        rows, of_bucket = _parted(some, "rows", "links")
        resolved = _native.resolve(job, rows, of_bucket, of_leads, requests)
        for kind, table in zip(RESOLVE, resolved, strict=True):
            yield from wrap(schema, kind, table)


def census(settings: Plain, batches: Batches) -> Batches:
    """Sightings by ``bucket`` to envelopes of counts and shared ids."""
    job, schema = job_of(settings), envelope(settings, CENSUS)
    for _, some in groups(batches, "bucket", settings):
        counts, shared = _native.census(job, some)
        yield from wrap(schema, "counts", counts)
        rows = [dict(zip(SHARED.names, one, strict=True)) for one in shared]
        yield from wrap(schema, "shared", pa.Table.from_pylist(rows, SHARED))


def signals(settings: Plain, batches: Batches) -> Batches:
    """Resolved rows to signals."""
    job = job_of(settings)
    for batch in batches:
        yield from out(_native.signals(job, batch))


def fold(settings: Plain, batches: Batches, counts: bytes) -> Batches:
    """Resolved rows to envelopes of what they add up to."""
    job, schema, of_maps = job_of(settings), envelope(settings, FOLD), unpacked(counts)
    for some in gathered(batches):
        for kind, table in zip(FOLD, _native.fold(job, some, of_maps), strict=True):
            yield from wrap(schema, kind, table)


def gathered(batches: Batches, most_rows: int = 1 << 18) -> Iterator[list[pa.RecordBatch]]:
    """Batches by so many rows, so that what they add up to is written less often."""
    some: list[pa.RecordBatch] = []
    for batch in batches:
        some.append(batch)
        if sum(part.num_rows for part in some) >= most_rows:
            yield some
            some = []
    if some:
        yield some


def decide(settings: Plain, batches: Batches, counts: bytes) -> Batches:
    """All contenders to envelopes of parts and counts."""
    job, schema = job_of(settings), envelope(settings, FOLD)
    parts, decided = _native.decide(job, list(batches), unpacked(counts))
    yield from wrap(schema, "parts", parts)
    yield from wrap(schema, "counts", decided)


def leads(settings: Plain, batches: Batches) -> Batches:
    """Envelopes of parts and names of groups by ``bucket`` to envelopes of leads and counts."""
    job, schema = job_of(settings), envelope(settings, LEADS)
    for _, some in groups(batches, "bucket", settings):
        parts, names = _parted(some, "parts", "group_names")
        made, counts, lost = _native.leads(job, parts, names)
        yield from wrap(schema, "leads", made)
        yield from wrap(schema, "counts", counts)
        yield from wrap(schema, "lost", pa.Table.from_pylist([{"email": one} for one in lost], LOST))
