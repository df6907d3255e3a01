from collections.abc import Sequence
from os import PathLike
from typing import Any, TypedDict

__version__: str

class Table:
    """Record batches of one schema, which any library with the Arrow PyCapsule interface takes."""

    @property
    def num_rows(self) -> int: ...
    @property
    def num_columns(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    @property
    def nbytes(self) -> int: ...
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _Done(TypedDict):
    exit_code: int
    report: str
    findings: list[str]
    signals: Table | None
    leads: Table | None

def main(args: Sequence[str], has_stdout: bool) -> int: ...
def run(
    args: Sequence[str | PathLike[str]], writes: bool, keeps: bool, temp_dir: str | PathLike[str]
) -> _Done: ...
