"""Which files a job reads, and which task reads which."""

import heapq
import json
import zlib
from collections.abc import Iterable

from backtrail import _inputs, _native
from backtrail._arguments import Path, paths
from backtrail._errors import UsageError
from backtrail._inputs import Input

# Files, each with its number among all inputs.
Task = list[tuple[int, Input]]


def listed(job: _native.Job, inputs: Path | Iterable[Path]) -> tuple[list[Input], list[str]]:
    """The files and objects in the order of the input, and what is said of those that are left out.

    Raises UsageError for what only the driver can read, and InputError where nothing is there.
    """
    some_inputs = paths(inputs)
    for place in some_inputs:
        if place == "-":
            raise UsageError("-: a cluster does not read standard input; name files or folders")
        if place.lower().startswith(("http://", "https://")) and "?" in place:
            address = place.split("?")[0]
            text = f"{address}: a query may sign the address, and plans and checkpoints would hold it"
            raise UsageError(f"{text}; name the object by the URL of its store")
    return _inputs.listed(job, some_inputs)


def tasks(files: list[Input], task_bytes: int) -> list[Task]:
    """The files of each task, numbered in the order of the input, about ``task_bytes`` a task.

    Files are given to tasks whole, the largest first, each to the task that has least.
    """
    total = sum(file.size or 0 for file in files)
    count = max(1, min(len(files), -(-total // task_bytes)))
    some: list[Task] = [[] for _ in range(count)]
    loads = [(0, number) for number in range(count)]
    order = sorted(enumerate(files), key=lambda file: (-(file[1].size or 0), file[0]))
    for number, file in order:
        load, task = heapq.heappop(loads)
        some[task].append((number, file))
        heapq.heappush(loads, (load + (file.size or 0), task))
    return [sorted(task) for task in some if task]


def packed(task: Task) -> bytes:
    """A task in little memory: every worker gets those of all."""
    return zlib.compress(json.dumps(task).encode())


def unpacked(task: bytes) -> Task:
    """What ``packed`` gave."""
    return [(number, Input(*file)) for number, file in json.loads(zlib.decompress(task))]
