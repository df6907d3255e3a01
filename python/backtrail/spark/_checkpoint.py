"""What stages gave, on disk, so that a job can go on where it ended."""

from collections.abc import Callable

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from backtrail._errors import OutputError
from backtrail.spark._failure import told


class Checkpoint:
    """A folder, on any file system that Spark writes to, with a Parquet dataset for each stage.

    A stage is done when the dataset ``done`` names it, which is written after it.

    Raises OutputError where the folder holds another job.
    """

    def __init__(self, spark: SparkSession, path: str, job: str) -> None:
        self._spark = spark
        self._path = path.rstrip("/")
        self._job = job
        self._done = self._read_done()
        self.resumed: list[str] = []

    def path(self, stage: str) -> str:
        return f"{self._path}/{stage}"

    def stage(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """What ``make`` gives, written once and read from there."""
        if name in self._done:
            self.resumed.append(name)
        else:
            with told():
                make().write.mode("overwrite").parquet(self.path(name))
            row = self._spark.createDataFrame([(name, self._job)], "stage string, job string")
            row.coalesce(1).write.mode("append").parquet(self.path("done"))
        return self._spark.read.parquet(self.path(name))

    def _read_done(self) -> set[str]:
        try:
            rows = self._spark.read.parquet(self.path("done")).collect()
        except AnalysisException:
            return set()  # there is none
        if any(row["job"] != self._job for row in rows):
            text = f"{self._path}: holds what a job with other inputs, rules or settings made"
            raise OutputError(f"{text}; name another checkpoint, or remove this one", self._path)
        return {row["stage"] for row in rows}
