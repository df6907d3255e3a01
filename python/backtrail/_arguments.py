"""Python values to the arguments of the command."""

import datetime
import os
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from backtrail._errors import UsageError

Path: TypeAlias = str | os.PathLike[str]
Moment: TypeAlias = str | datetime.date | datetime.datetime
Value: TypeAlias = object


def paths(inputs: Path | Iterable[Path]) -> list[str]:
    """The inputs as texts.

    Raises UsageError where there is none, which for the command would mean standard input.
    """
    some = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if not some:
        raise UsageError("no input: name files or folders, or '-' for standard input")
    return [os.fspath(path) for path in some]


def moment(when: Moment | None) -> str | None:
    """A date or a time as the command reads it.

    Dates and times without an offset are in the time zone of the plan.
    """
    if when is None or isinstance(when, str):
        return when
    return when.isoformat()


def options(values: Mapping[str, Value]) -> list[str]:
    """Options in the order of ``values``: flags that are true, and what is not None.

    Lists become texts with commas.
    """
    args = []
    for name, value in values.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            args.append(flag)
        elif isinstance(value, (list, tuple)):
            args.extend([f"{flag}={','.join(map(str, value))}"] if value else [])
        elif isinstance(value, os.PathLike):
            args.append(f"{flag}={os.fspath(value)}")
        else:
            args.append(f"{flag}={value}")
    return args
