"""What the tasks of a job took, stage by stage."""

import functools
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as f


def summaries(figures: dict[str, DataFrame]) -> list[dict[str, Any]]:
    """Of each stage, in order: its tasks, what they were given and took, and the most of one task.

    ``bytes`` are those of Arrow batches in memory that tasks were given. A stage without input may have
    had no task, and is left out.
    """
    named = [tasks.withColumn("stage", f.lit(stage)) for stage, tasks in figures.items()]
    together = functools.reduce(DataFrame.unionByName, named)
    sums = together.groupBy("stage").agg(
        f.count("*").alias("tasks"),
        *[f.sum(name).alias(name) for name in ("rows", "bytes", "cpu_seconds")],
        *[
            f.max(name).alias(f"largest_{name}")
            for name in ("rows", "bytes", "cpu_seconds", "memory_bytes")
        ],
    )
    found = {row["stage"]: row.asDict() for row in sums.collect()}
    return [_rounded(found[stage]) for stage in figures if stage in found]


def _rounded(stage: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in stage.items()
    }
