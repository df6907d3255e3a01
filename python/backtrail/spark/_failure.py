"""What ended a task, as the exception that the task raised."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from backtrail import _errors

# The last line of the traceback of a task, which is text by the time that the driver has it.
RAISED = re.compile(r"^\s*backtrail\._errors\.(\w+): (.+)$", re.MULTILINE)
REFUSED = re.compile(r"^\s*RuntimeError: (this worker .+)$", re.MULTILINE)


@contextmanager
def told() -> Iterator[None]:
    """Raises what a task raised in place of the error that the engine makes of it."""
    try:
        yield
    except Exception as error:
        text = str(error)
        if refused := REFUSED.search(text):
            raise _errors.WorkerError(refused[1]) from error
        if raised := RAISED.search(text):
            kind = getattr(_errors, raised[1], _errors.Error)
            raise kind(raised[2]) from error
        raise
