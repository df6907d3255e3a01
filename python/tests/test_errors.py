"""Every error is an exception that says where."""

import gzip
import os
import pickle
import signal
import threading
from pathlib import Path

import pytest

import backtrail


def test_errors_of_a_rules_file_have_its_place(events: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('version = 1\n\n[[rule]]\nid = "a"\nwhen = "event ="\n')
    with pytest.raises(backtrail.RulesError, match="1 error in ") as raised:
        backtrail.run(events, rules=rules)
    error = raised.value
    assert (error.file, error.line) == (str(rules), 5)
    assert error.column is not None and error.column > 8
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, type(again)) == (str(error), 5, backtrail.RulesError)


def test_errors_of_an_expression_have_its_column(events: Path) -> None:
    with pytest.raises(backtrail.RulesError) as raised:
        backtrail.run(events, where="type = ")
    assert (raised.value.file, raised.value.line, raised.value.column) == ("--where", 1, 8)


def test_a_rules_file_that_is_missing_is_named(events: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(backtrail.RulesError, match="cannot read") as raised:
        backtrail.run(events, rules=missing)
    assert raised.value.file == str(missing)


def test_inputs_that_are_missing_or_empty_are_errors(tmp_path: Path) -> None:
    with pytest.raises(backtrail.InputError, match="no such file"):
        backtrail.run(tmp_path / "none")
    with pytest.raises(backtrail.UsageError, match="no input"):
        backtrail.run([])
    nothing = tmp_path / "nothing.ndjson"
    nothing.write_text('{"a": 1}\n')
    with pytest.raises(backtrail.InputError, match="no event in the input"):
        backtrail.run(nothing)
    assert len(backtrail.run(nothing, allow_empty=True).leads) == 0


def test_a_truncated_input_warns_and_a_strict_run_fails(events: Path, tmp_path: Path) -> None:
    whole = gzip.compress((events / "2025-04.ndjson").read_bytes())
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(backtrail.InputWarning, match="cut.gz: at byte"):
        result = backtrail.run([cut, events])
    assert result.exit_code == 2
    assert result.report["faults"][0]["path"] == str(cut)
    with pytest.raises(backtrail.InputError) as raised:
        backtrail.run(cut, strict=True)
    assert raised.value.file == str(cut)
    assert raised.value.offset is not None and raised.value.offset > 0


def test_arguments_are_checked(events: Path) -> None:
    with pytest.raises(backtrail.UsageError, match="invalid value 'much' for '--memory"):
        backtrail.run(events, memory="much")
    with pytest.raises(backtrail.UsageError, match="name a folder with output"):
        backtrail.run(events, format="csv")
    with pytest.raises(backtrail.UsageError, match="parquet"):
        backtrail.run(events, output="out", format="parqet")
    with pytest.raises(ValueError, match="html is about files"):
        backtrail.run(events, html=False)


def test_an_input_that_looks_like_an_option_is_an_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("--allow-empty").write_text('{"type": "track"}\n')
    with pytest.raises(backtrail.InputError, match="no event"):
        backtrail.run("--allow-empty")


def test_ctrl_c_ends_a_run_that_waits_for_input(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    out = tmp_path / "out"

    def interrupt_once_it_reads() -> None:
        with open(pipe, "wb"):  # waits for a reader
            os.kill(os.getpid(), signal.SIGINT)
            ended.wait(60)

    ended = threading.Event()
    other = threading.Thread(target=interrupt_once_it_reads)
    # What a shell runs in the background begins with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            backtrail.run(pipe, output=out)
    finally:
        signal.signal(signal.SIGINT, before)
        ended.set()
    other.join()
    assert not out.exists()
