"""What tasks take: a row of figures that each leaves behind its values, in the column ``task``."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

TASK = pa.schema([
    ("rows", pa.int64()),
    ("bytes", pa.int64()),
    ("cpu_seconds", pa.float64()),
    ("memory_bytes", pa.int64()),
])
COLUMN = "task"


def with_task(kind: pa.Schema) -> pa.Schema:
    """The schema of the values of a stage, each row of which is a value or the figures of a task."""
    fields = [field.with_nullable(True) for field in kind]
    return pa.schema([*fields, pa.field(COLUMN, pa.struct(list(TASK)))])


def measured(
    work: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    kind: pa.Schema,
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """What ``work`` gives, and behind it the figures of this task."""
    rows = taken = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows, taken
        for batch in batches:
            rows, taken = rows + batch.num_rows, taken + batch.nbytes
            yield batch

    _reset_peak()
    begun, schema = time.process_time(), with_task(kind)
    column = schema.field(COLUMN).type
    for batch in work(counted()):
        columns = [*batch.select(kind.names).columns, pa.nulls(batch.num_rows, column)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
    figures = (rows, taken, time.process_time() - begun, _peak())
    fields = [pa.array([value], field.type) for value, field in zip(figures, TASK, strict=True)]
    none = [pa.nulls(1, field.type) for field in kind]
    task = pa.StructArray.from_arrays(fields, fields=list(TASK))
    yield pa.RecordBatch.from_arrays([*none, task], schema=schema)


def _reset_peak() -> None:
    """Lets the peak of this process begin anew, where Linux can: tasks share processes."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def _peak() -> int:
    """The most bytes of memory that this process had."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10
