"""Buckets of visitors, and those that are too large for one task."""

import functools

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from backtrail.spark._groups import GROUP

# Parts of a bucket are so far apart.
STRIDE = 1 << 32


class Buckets:
    """How many rows each bucket has.

    A bucket of more than ``task_rows`` is divided: its rows by their content hash, and each part gets
    all links of the bucket, by which its rows have the owners that they have together.
    """

    def __init__(self, sizes: DataFrame, task_rows: int) -> None:
        self._sizes, self.task_rows = sizes, task_rows

    @functools.cached_property
    def parts(self) -> dict[int, int]:
        """The buckets that are divided, with the number of their parts."""
        large = self._sizes.where(f.col("rows") > self.task_rows).collect()
        return {row["bucket"]: -(-row["rows"] // self.task_rows) for row in large}

    def summary(self) -> dict[str, int]:
        """How many buckets have rows, how many of them are divided, and the rows of the largest."""
        used = self._sizes.agg(f.count("*"), f.coalesce(f.max("rows"), f.lit(0))).collect()[0]
        return {"used": used[0], "divided": len(self.parts), "largest_rows": used[1]}

    def rows(self, rows: DataFrame) -> DataFrame:
        """Rows with the group that each is of."""
        part = f.lit(0).cast("bigint")
        if self.parts:
            part = f.pmod(f.xxhash64("signal_id"), self._count())
        return rows.withColumn(GROUP, _group(part))

    def links(self, links: DataFrame) -> DataFrame:
        """Links, once for each group that needs them."""
        if not self.parts:
            return links.withColumn(GROUP, _group(f.lit(0).cast("bigint")))
        parts = f.sequence(f.lit(0).cast("bigint"), self._count() - 1)
        each = links.withColumn("part", f.explode(parts))
        return each.withColumn(GROUP, _group(f.col("part"))).drop("part")

    def _count(self) -> Column:
        """Of how many parts the bucket is."""
        count = f.lit(1).cast("bigint")
        for bucket, parts in self.parts.items():
            is_bucket = f.col("bucket") == bucket
            count = f.when(is_bucket, f.lit(parts).cast("bigint")).otherwise(count)
        return count


def _group(part: Column) -> Column:
    return part * STRIDE + f.col("bucket")
