"""Which files a job reads, and which task reads which."""

import heapq
from collections.abc import Iterable

from backtrail import _native
from backtrail._arguments import Path, paths
from backtrail._errors import UsageError

Task = list[tuple[int, str]]


def tasks(inputs: Path | Iterable[Path], task_bytes: int) -> list[Task]:
    """The files of each task, numbered in the order of the input, about ``task_bytes`` a task.

    Files are given to tasks whole, the largest first, each to the task that has least.

    Raises UsageError for the URL of a store.
    """
    some_inputs = paths(inputs)
    for place in some_inputs:
        if "://" in place:
            text = f"{place.split('://')[0]}://: a cluster reads files and folders alone"
            raise UsageError(f"{text}; mount the store, and name the path that all workers see")
    files = list(enumerate(_native.inputs(some_inputs)))
    total = sum(size or 0 for _, (_, size) in files)
    count = max(1, min(len(files), -(-total // task_bytes)))
    some: list[Task] = [[] for _ in range(count)]
    loads = [(0, number) for number in range(count)]
    for number, (path, size) in sorted(files, key=lambda file: (-(file[1][1] or 0), file[0])):
        load, task = heapq.heappop(loads)
        some[task].append((number, path))
        heapq.heappush(loads, (load + (size or 0), task))
    return [sorted(task) for task in some if task]
