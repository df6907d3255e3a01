"""What stages gave, on disk, so that a job can go on where it ended."""

import json
from collections.abc import Callable
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from backtrail._errors import OutputError


class Checkpoint:
    """A folder, on any file system that Spark writes to, with a Parquet dataset for each stage.

    A stage is done when its marker is there, which is written after it.
    """

    def __init__(self, spark: SparkSession, path: str, job: str) -> None:
        self._spark = spark
        self._path = path.rstrip("/")
        self._job = job
        self.resumed: list[str] = []

    def path(self, stage: str) -> str:
        return f"{self._path}/{stage}"

    def stage(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """What ``make`` gives, written once and read from there.

        Raises OutputError where the folder holds another job.
        """
        found = self._marker(name)
        if found is None:
            make().write.mode("overwrite").parquet(self.path(name))
            self._mark(name)
        elif found != self._job:
            text = f"{self._path}: holds what a job with other inputs, rules or settings made"
            raise OutputError(f"{text}; name another checkpoint, or remove this one", self._path)
        else:
            self.resumed.append(name)
        return self._spark.read.parquet(self.path(name))

    def value(self, name: str, make: Callable[[], Any]) -> Any:
        """A small value of JSON, made once."""
        def row() -> DataFrame:
            return self._spark.createDataFrame([(json.dumps(make()),)], "value string")

        return json.loads(self.stage(name, row).collect()[0][0])

    def _marker(self, name: str) -> str | None:
        try:
            rows = self._spark.read.parquet(self.path(f"done/{name}")).collect()
        except AnalysisException:
            return None  # there is none
        return str(rows[0][0]) if rows else None

    def _mark(self, name: str) -> None:
        marker = self._spark.createDataFrame([(self._job,)], "job string").coalesce(1)
        marker.write.mode("overwrite").parquet(self.path(f"done/{name}"))
