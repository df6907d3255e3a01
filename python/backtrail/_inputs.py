"""Lists of inputs, which other processes read."""

from collections.abc import Iterable
from typing import NamedTuple

from backtrail import _native
from backtrail._arguments import Path, paths


class Input(NamedTuple):
    """An input as it was listed. It holds no credentials."""

    place: str
    """The absolute path of a file, or the URL of an object without its query."""
    size: int | None
    """Bytes as they are stored; None where that is not known."""
    tag: str | None
    """The tag of an object's content, which whoever reads it must find; None of files."""
    named: bool
    """Whether it was named itself, and not found in a folder or by a pattern."""


def inputs(job: _native.Job, named: Path | Iterable[Path]) -> list[Input]:
    """List files and objects for ``backtrail.map``, in the order in which ``run`` reads them.

    named: files, folders, globs and URLs, as ``run`` takes them. Credentials of stores are found in the
        environment of this process, as the command finds them.

    Outputs of earlier runs are left out; so are days outside of the window of the job in Segment's
    archives.

    Raises InputError where nothing is there, or a store does not list it.
    """
    return listed(job, paths(named))[0]


def listed(job: _native.Job, places: list[str]) -> tuple[list[Input], list[str]]:
    """The inputs that paths and URLs name, and warnings about those that are left out."""
    entries, skipped = _native.inputs(job, places)
    return [Input(*entry) for entry in entries], skipped
