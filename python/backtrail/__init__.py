"""Leads and signals from Segment event history.

``run`` does the whole job in this process::

    import backtrail
    import polars as pl

    result = backtrail.run("exports/", rules="rules.toml")
    leads = pl.DataFrame(result.leads)
    result.report["identity"]["signals"]

The names, the settings and the outputs are those of the command ``backtrail run``, which this package
installs too.
"""

from backtrail._errors import Error, InputError, InputWarning, OutputError, RulesError, UsageError
from backtrail._native import Table, __version__
from backtrail._run import RunResult, run

__all__ = [
    "Error",
    "InputError",
    "InputWarning",
    "OutputError",
    "RulesError",
    "RunResult",
    "Table",
    "UsageError",
    "__version__",
    "run",
]
