"""The command that the package installs ends as the program does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import Command

import backtrail

PROGRAM = Path(sys.executable).with_name("backtrail")


def test_it_does_the_job(command: Command, events: Path, rules: Path, tmp_path: Path) -> None:
    done = command("run", events, "--rules", rules, "-o", "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "28 with signals" in done.stderr
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"signals.csv", "leads.csv", "report.json", "report.html"} <= files


def test_its_version_is_that_of_the_package(command: Command) -> None:
    assert command("--version").stdout.split()[:2] == ["backtrail", backtrail.__version__]


def test_a_table_is_streamed_to_its_end(command: Command, events: Path) -> None:
    done = command("run", events, "-o", "-", "--emit", "leads")
    assert done.returncode == 0
    assert done.stdout.startswith("email,name,") and done.stdout.endswith("\n")
    assert done.stdout.count("\n") == len(backtrail.run(events).leads) + 1


def test_errors_and_findings_have_their_exit_codes(command: Command, events: Path) -> None:
    wrong = command("run", events, "-o", "out", "--rlues", "x")
    assert wrong.returncode == 2 and "--rules" in wrong.stderr
    missing = command("run", "nowhere", "-o", "out")
    assert missing.returncode == 2 and "no such file" in missing.stderr
    assert command("run", events, "-o", "out", "--max-rejects", "0").returncode == 1


def test_a_reader_that_goes_away_is_no_error(events: Path) -> None:
    script = '"$0" run "$1" -o - | head -1; exit "${PIPESTATUS[0]}"'
    line = ["bash", "-c", script, str(PROGRAM), str(events)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "rror" not in done.stderr


def test_a_closed_standard_output_is_an_error(events: Path) -> None:
    line = ["bash", "-c", '"$0" run "$1" -o - >&-', str(PROGRAM), str(events)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "standard output is closed" in done.stderr


def test_it_ends_in_order_when_interrupted(tmp_path: Path) -> None:
    line = [str(PROGRAM), "run", "-", "-o", str(tmp_path / "out")]
    program = subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "out").exists():
        assert program.poll() is None
        time.sleep(0.01)
    os.kill(program.pid, signal.SIGINT)
    # The input stays open, as its end must not arrive before the signal, which another thread handles.
    assert program.wait(timeout=60) == 130
    _, told = program.communicate(timeout=60)
    assert "interrupted; nothing was written" in told
    assert not (tmp_path / "out").exists()
