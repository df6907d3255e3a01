"""What every process of a job must have in common, as plain values."""

import dataclasses
import os
import time
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from backtrail import _native
from backtrail._arguments import Path, options
from backtrail._errors import RulesError

# Options that name files; a task gets their contents.
FILES = ("rules", "allow", "filters")
# Variables of the environment that decide about events or outputs.
VARIABLES = (
    "BACKTRAIL_API_KEY",
    "BACKTRAIL_API_SECRET",
    "BACKTRAIL_REDACT_KEY",
    "BACKTRAIL_SIGNING_SECRET",
)
# A file of rules or filters is no longer than this.
MOST_FILE_BYTES = 16 << 20


@dataclasses.dataclass(frozen=True)
class Settings:
    """Rules, filters and options, with the contents of the files that they name."""

    options: dict[str, Any]
    files: dict[str, bytes]
    variables: dict[str, str]
    buckets: int

    def plain(self) -> dict[str, Any]:
        """The same as a dict, which a process without backtrail can unpickle, too."""
        return {**dataclasses.asdict(self), "version": _native.__version__}


def gather(
    named: Mapping[str, Path | None], chosen: Mapping[str, Any], buckets: int
) -> Settings:
    """The settings of these options, of which those in ``named`` name files.

    Raises RulesError for a file that cannot be read.
    """
    files: dict[str, bytes] = {}
    given = {name: value for name, value in chosen.items() if value not in (None, False)}
    for name in FILES:
        path = named.get(name)
        if path is not None:
            base = FilePath(path)
            given[name] = base.name or name
            files.update(_contents(base, f"{name}/{given[name]}"))
    variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return Settings(given, files, variables, buckets)


def _contents(path: FilePath, name: str) -> dict[str, bytes]:
    """The file at ``path``, or the files below it that are not hidden."""
    try:
        if path.is_dir():
            found: dict[str, bytes] = {}
            for entry in sorted(path.iterdir()):
                if not entry.name.startswith("."):
                    found.update(_contents(entry, f"{name}/{entry.name}"))
            return found
        if path.stat().st_size > MOST_FILE_BYTES:
            raise RulesError(f"{path}: larger than 16 MiB, which no rules or filters are", str(path))
        return {name: path.read_bytes()}
    except OSError as error:
        raise RulesError(f"{path}: cannot read: {error.strerror}", str(path)) from error


def compile_in(folder: FilePath, settings: Mapping[str, Any]) -> _native.Job:
    """The job of plain settings, whose files are put into ``folder``."""
    named = {}
    for name, contents in settings["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    for name, value in settings["options"].items():
        named[name] = folder / name / value if name in FILES else value
    os.environ.update(settings["variables"])
    args = options({"output": "-", **named})
    return _native.Job(args, settings["buckets"], _texts(settings))


def compile_named(named: Mapping[str, Path | None], settings: Settings) -> _native.Job:
    """The job of settings whose files are where ``named`` says."""
    chosen = {name: value for name, value in settings.options.items() if name not in FILES}
    args = options({"output": "-", **chosen, **named})
    return _native.Job(args, settings.buckets, _texts(settings.plain()))


def _texts(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What batches of one job have in common."""
    # Secrets decide only about what is taken, and are no part of what is kept.
    chosen = {name: value for name, value in settings["options"].items() if "secret" not in name}
    texts = [(f"option {name}", str(value)) for name, value in sorted(chosen.items())]
    files = sorted(settings["files"].items())
    return texts + [(f"file {name}", text.decode(errors="replace")) for name, text in files]


def at(moment: str | None) -> str | None:
    """A bound of a window that does not depend on when a task reads it: ages become times."""
    units = {"min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
    for unit, seconds in units.items():
        if moment and moment.endswith(unit) and moment[: -len(unit)].isdigit():
            then = time.time() - int(moment[: -len(unit)]) * seconds
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(then))
    return moment
