"""What belongs together, out of the batches of a task."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# The column that rows and links are put together by.
GROUP = "group_of_rows"

Group = tuple[Any, list[pa.RecordBatch]]


def groups(
    batches: Iterator[pa.RecordBatch], column: str, settings: dict[str, Any]
) -> Iterator[Group]:
    """The batches of each value of ``column``.

    Spark hands batches over in the order of the column, so that one group is in memory at a time. Behind
    Spark Connect an engine may not (Sail drops a sort that nothing behind it asks for): then all
    groups of the task are.
    """
    runs = _in_order(_runs(batches, column, sort=not settings["in_order"]))
    if settings["in_order"]:
        ended: set[Any] = set()
        for value, some in runs:
            if value in ended:
                raise RuntimeError(f"the engine gave the values of {column} out of order")
            ended.add(value)
            yield value, some
        return
    together: dict[Any, list[pa.RecordBatch]] = {}
    for value, some in runs:
        together.setdefault(value, []).extend(some)
    while together:
        value = next(iter(together))
        yield value, together.pop(value)


def _runs(
    batches: Iterator[pa.RecordBatch], column: str, sort: bool
) -> Iterator[tuple[Any, pa.RecordBatch]]:
    """Slices of batches with the same value."""
    for batch in batches:
        if batch.num_rows == 0:
            continue
        place = batch.schema.get_field_index(column)
        if sort:
            batch = batch.take(pc.sort_indices(batch.column(place)))
        runs = pc.run_end_encode(batch.column(place))
        start = 0
        for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield value, batch.slice(start, end - start)
            start = end


def _in_order(runs: Iterator[tuple[Any, pa.RecordBatch]]) -> Iterator[Group]:
    """Runs of the same value that follow one another, together."""
    current: Any = None
    gathered: list[pa.RecordBatch] = []
    for value, batch in runs:
        if gathered and value != current:
            yield current, gathered
            gathered = []
        current = value
        gathered.append(batch)
    if gathered:
        yield current, gathered
