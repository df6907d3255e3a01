"""Leads and signals from Segment event history.

``run`` does the whole job in this process::

    import backtrail
    import polars as pl

    result = backtrail.run("exports/", rules="rules.toml")
    leads = pl.DataFrame(result.leads)
    result.report["identity"]["signals"]

``job`` and the stages, from ``map`` to ``report``, do it in parts, on Arrow batches that a host moves
between them.

The names, the settings and the outputs are those of the command ``backtrail run``, which this package
installs too.
"""

from backtrail._errors import (
    Error,
    InputError,
    InputWarning,
    OutputError,
    RulesError,
    StageError,
    UsageError,
    WorkerError,
)
from backtrail._inputs import Input, inputs
from backtrail._native import (
    Job,
    Mapping,
    Table,
    __version__,
    census,
    decide,
    dedup,
    email_ties,
    fold,
    forget,
    lead_names,
    leads,
    links,
    map,
    report,
    resolve,
    settle_links,
    signals,
    wanted,
)
from backtrail._run import RunResult, run
from backtrail._stages import job

__all__ = [
    "Error",
    "Input",
    "InputError",
    "InputWarning",
    "Job",
    "Mapping",
    "OutputError",
    "RulesError",
    "RunResult",
    "StageError",
    "Table",
    "UsageError",
    "WorkerError",
    "__version__",
    "census",
    "decide",
    "dedup",
    "email_ties",
    "fold",
    "forget",
    "inputs",
    "job",
    "lead_names",
    "leads",
    "links",
    "map",
    "report",
    "resolve",
    "run",
    "settle_links",
    "signals",
    "wanted",
]
