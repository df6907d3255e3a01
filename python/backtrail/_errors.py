"""What can go wrong, as exceptions that say where."""


class Error(Exception):
    """What ended a job. Texts hold no value of the data.

    file: the file that it is about, as it was named; None where it is about no file.
    line, column: the place in a text, both from 1, columns in characters; None where there is none.
    offset: the byte of an input as it is stored, from 0; None where there is none.
    """

    def __init__(
        self,
        message: str,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column
        self.offset = offset

    def __reduce__(self) -> tuple[object, ...]:
        # Errors of tasks come from other processes.
        place = (self.file, self.line, self.column, self.offset)
        return (type(self), (str(self), *place))


class UsageError(Error, ValueError):
    """Arguments have a wrong value, or do not go together."""


class RulesError(Error):
    """A rules file, an allow list, a filter or an expression cannot be read or has errors.

    The text has all of them; ``line`` and ``column`` are those of the first.
    """


class InputError(Error):
    """An input is missing, cannot be read to its end, or no input has an event."""


class OutputError(Error):
    """An output exists already or cannot be written. What was there before is there still."""


class StageError(Error):
    """A stage was given batches that no stage of the same job, rules and version gave."""


class WorkerError(Error):
    """A worker of a cluster has no backtrail, or another version than the driver."""


class InputWarning(UserWarning):
    """An input could not be read to its end; what was read before the fault counts."""
