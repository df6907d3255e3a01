"""What tasks do. It is sent to the workers as it stands here, and finds the package there.

Nothing here may name anything of the package at the top: a worker without it, or with another version,
is to say so.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

Work = Callable[[Iterator[Any]], Iterator[Any]]


def task(
    settings: dict[str, Any], stage: str, kind: str | tuple[str, ...], given: dict[str, Any]
) -> Work:
    """A function for ``mapInArrow`` that does ``stage`` of ``backtrail.spark._stages``."""

    def work(batches: Iterator[Any]) -> Iterator[Any]:
        version = settings["version"]
        wheel = f"install the wheel of backtrail {version} on every node, or pass it with the job"
        try:
            from backtrail import __version__
        except ImportError as error:
            raise RuntimeError(f"this worker cannot import backtrail ({error}): {wheel}") from error
        if __version__ != version:
            has = f"this worker has backtrail {__version__}, and the driver {version}"
            raise RuntimeError(f"{has}: {wheel}")
        from backtrail.spark import _measure, _stages

        made = functools.partial(getattr(_stages, stage), settings, **given)
        yield from _measure.measured(made, _stages.schema_of(settings, kind), batches)

    return work
