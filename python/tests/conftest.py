"""The sample data, and the command that is tested against."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from object_store import Bucket, buckets
from spark_session import sessions

TESTDATA = Path(__file__).parents[2] / "testdata"


@pytest.fixture
def events() -> Path:
    return TESTDATA / "trailco" / "events"


@pytest.fixture
def rules() -> Path:
    return TESTDATA / "trailco" / "rules.toml"


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs the command that the package installs, in an empty folder."""

    def run(*args: str | Path) -> "subprocess.CompletedProcess[str]":
        program = Path(sys.executable).with_name("backtrail")
        line = [program, *args]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """One session for all tests: the start of Spark takes longer than they do."""
    yield from sessions()


@pytest.fixture(scope="session")
def store() -> Iterator[Bucket]:
    """A bucket of a store on this machine."""
    yield from buckets()
