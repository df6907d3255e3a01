"""Buckets of visitors, and those that are too large for one task."""

import functools

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from backtrail.spark._groups import GROUP

# The column of the number of parts.
PARTS = "parts_of_bucket"
# Parts of a bucket are so far apart.
STRIDE = 1 << 32


class Buckets:
    """How many rows each bucket has.

    A bucket of more than ``task_rows`` is divided: its rows by their content hash, and each part gets
    all links of the bucket, by which its rows have the owners that they have together.
    """

    def __init__(self, sizes: DataFrame, task_rows: int) -> None:
        self._sizes = sizes
        parts = f.ceil(f.col("rows") / task_rows).cast("bigint").alias(PARTS)
        self._large = sizes.where(f.col("rows") > task_rows).select("bucket", parts)

    @functools.cached_property
    def parts(self) -> dict[int, int]:
        """The buckets that are divided, with the number of their parts."""
        return {row["bucket"]: row[PARTS] for row in self._large.collect()}

    def summary(self) -> dict[str, int]:
        """How many buckets have rows, how many of them are divided, and the rows of the largest."""
        used = self._sizes.agg(f.count("*"), f.coalesce(f.max("rows"), f.lit(0))).collect()[0]
        return {"used": used[0], "divided": len(self.parts), "largest_rows": used[1]}

    def rows(self, rows: DataFrame) -> DataFrame:
        """Rows with the group that each is of."""
        if not self.parts:
            return rows.withColumn(GROUP, _group(f.lit(0).cast("bigint")))
        part = f.pmod(f.xxhash64("signal_id"), f.col(PARTS))
        return self._counted(rows).withColumn(GROUP, _group(part)).drop(PARTS)

    def links(self, links: DataFrame) -> DataFrame:
        """Links, once for each group that needs them."""
        if not self.parts:
            return links.withColumn(GROUP, _group(f.lit(0).cast("bigint")))
        parts = f.sequence(f.lit(0).cast("bigint"), f.col(PARTS) - 1)
        each = self._counted(links).withColumn("part", f.explode(parts))
        return each.withColumn(GROUP, _group(f.col("part"))).drop("part", PARTS)

    def _counted(self, values: DataFrame) -> DataFrame:
        """The values with the number of parts of their bucket. There may be thousands of large buckets."""
        joined = values.join(f.broadcast(self._large), "bucket", "left")
        return joined.withColumn(PARTS, f.coalesce(f.col(PARTS), f.lit(1).cast("bigint")))


def _group(part: Column) -> Column:
    return part * STRIDE + f.col("bucket")
