"""The sample data, and the command that is tested against."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
