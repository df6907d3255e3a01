"""The whole job in this process."""

import json
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from backtrail import _native
from backtrail._arguments import Moment, Path, moment, options, paths
from backtrail._errors import InputWarning, UsageError


class RunResult:
    """What a run came to."""

    def __init__(
        self,
        report: dict[str, Any],
        findings: list[str],
        exit_code: int,
        tables: tuple[_native.Table, _native.Table] | None,
    ) -> None:
        self.report = report
        """``report.json`` as a dict; docs/schemas/run.json describes it."""
        self.findings = findings
        """Why the command would have ended with 1: ``max_rejects``, ``fail_over_plan``."""
        self.exit_code = exit_code
        """That of the command: 0 fine, 1 findings, 2 an input could not be read to its end."""
        self._tables = tables

    @property
    def signals(self) -> _native.Table:
        """The signals, in the order of the input: the columns of ``signals.parquet``.

        Times are ``timestamp[ms, UTC]``, texts of few values are dictionaries, a missing text is
        null.
        """
        return self._kept()[0]

    @property
    def leads(self) -> _native.Table:
        """The leads, by score, then e-mail: the columns of ``leads.parquet``.

        ``anonymous_ids``, ``user_ids`` and ``sources`` are sorted lists of texts.
        """
        return self._kept()[1]

    def _kept(self) -> tuple[_native.Table, _native.Table]:
        if self._tables is None:
            raise UsageError("the tables were written to files alone; run with tables=True")
        return self._tables

    def __repr__(self) -> str:
        leads, identity = self.report["leads"]["total"], self.report["identity"]["signals"]
        return f"<backtrail.RunResult: {identity['total']} signals, {leads} leads>"


def run(
    inputs: Path | Iterable[Path],
    *,
    rules: Path | None = None,
    allow: Path | None = None,
    filters: Path | None = None,
    where: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    output: Path | None = None,
    format: str | Sequence[str] | None = None,
    tables: bool | None = None,
    leads_for: Sequence[str] | None = None,
    overwrite: bool = False,
    html: bool = True,
    html_emails: bool = False,
    csv_raw: bool = False,
    redact: bool = False,
    strict_detect: bool = False,
    assign_ids: bool = False,
    correct_clocks: bool = False,
    api_secret: str | None = None,
    api_key: str | None = None,
    signing_secret: str | None = None,
    strict: bool = False,
    max_rejects: int | str | None = None,
    allow_empty: bool = False,
    fail_over_plan: bool = False,
    no_sign_request: bool = False,
    profile_duplicates: bool = False,
    threads: int = 0,
    memory: int | str | None = None,
    max_record_bytes: int | str | None = None,
    progress: bool | None = None,
) -> RunResult:
    """Read events, and work out leads, signals and what the plan says.

    inputs: files, folders, globs, URLs of object stores, or ``"-"`` for standard input; one, or
        several. Credentials of stores are found in the environment, as the command finds them.
    rules, allow, filters: the rules file, the allow list, the destination filters.
    where: an FQL expression; only events of which it is true pass.
    since, until: a date, a time, or a text such as ``"30d"``; signals and sums are those between.
    no_sign_request: reads objects without credentials.
    output: the folder to write to, as the command does; None writes nothing.
    format: the formats of the tables there, of csv, ndjson, json and parquet; csv by default.
    tables: whether the result has the tables in memory, which takes some 300 bytes a signal. By
        default it has them unless they are written.
    leads_for, overwrite, html, html_emails, csv_raw: about what is written there, as the options
        of the command.
    threads: 0 is one for each core.
    memory: bytes, or a text such as ``"4GiB"``; what does not fit waits on disk.
    max_record_bytes: longer records are rejected.
    progress: whether a bar is shown on standard error; by default where that is a terminal.

    The other arguments are the options of the command of the same name: ``backtrail run --help``.

    The interpreter is free meanwhile. Ctrl-C ends the job, and nothing has been written then. An
    input that cannot be read to its end gives an InputWarning, ``exit_code`` 2 and an entry of
    ``report["faults"]``; with ``strict`` it is an InputError.

    Raises UsageError, RulesError, InputError or OutputError. In its text, an argument has the name
    that it has as an option of the command.
    """
    written = {
        "format": [format] if isinstance(format, str) else format,
        "leads_for": leads_for,
        "overwrite": overwrite,
        "no_html": not html,
        "html_emails": html_emails,
        "csv_raw": csv_raw,
    }
    if output is None:
        _only_with_output(written)
    args = options({
        "output": "-" if output is None else output,
        **written,
        "rules": rules,
        "allow": allow,
        "filters": filters,
        "where": where,
        "since": moment(since),
        "until": moment(until),
        "redact": redact,
        "strict_detect": strict_detect,
        "assign_ids": assign_ids,
        "correct_clocks": correct_clocks,
        "api_secret": api_secret,
        "api_key": api_key,
        "signing_secret": signing_secret,
        "strict": strict,
        "max_rejects": max_rejects,
        "allow_empty": allow_empty,
        "fail_over_plan": fail_over_plan,
        "no_sign_request": no_sign_request,
        "profile_duplicates": profile_duplicates,
        "threads": threads,
        "memory": memory,
        "max_record_bytes": max_record_bytes,
        "progress": None if progress is None else "auto" if progress else "off",
    })
    keeps = output is None if tables is None else tables
    done = _native.run(
        [*args, "--", *paths(inputs)], output is not None, keeps, tempfile.gettempdir()
    )
    return _result(done)


def _only_with_output(written: dict[str, Any]) -> None:
    asked = [name for name, value in written.items() if value]
    if asked:
        name = "html" if asked[0] == "no_html" else asked[0]
        raise UsageError(f"{name} is about files that are written; name a folder with output")


def _result(done: "_native._Done") -> RunResult:
    report = json.loads(done["report"])
    for fault in report["faults"]:
        at = "" if fault["offset"] is None else f": at byte {fault['offset']}"
        text = f"{fault['path']}{at}: {fault['message']}"
        warnings.warn(text, InputWarning, stacklevel=3)
    signals, leads = done["signals"], done["leads"]
    tables = None if signals is None or leads is None else (signals, leads)
    return RunResult(report, done["findings"], done["exit_code"], tables)
