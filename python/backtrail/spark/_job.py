"""The dataflow of a job: stages of the engine, and shuffles of Spark between them."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from backtrail import _native
from backtrail.spark import _stages, _worker
from backtrail.spark._buckets import Buckets
from backtrail.spark._checkpoint import Checkpoint
from backtrail.spark._groups import GROUP
from backtrail.spark._inputs import Task, packed
from backtrail.spark._measure import COLUMN, with_task
from backtrail.spark._stages import Kind

# A worker without the package is to say so, and not that it cannot unpickle a function.
cloudpickle.register_pickle_by_value(_worker)  # type: ignore[no-untyped-call]

# So many joins find every user id that a bucket needs.
MOST_HOPS = 16


class Dataflow:
    """All stages of one job, each from the checkpoint of the one before."""

    def __init__(
        self,
        spark: SparkSession,
        job: _native.Job,
        settings: dict[str, Any],
        checkpoint: Checkpoint,
        partitions: int,
        task_rows: int,
    ) -> None:
        self.spark, self.settings, self.checkpoint = spark, settings, checkpoint
        self.partitions, self.task_rows = partitions, task_rows
        self.job = job
        self.kinds = _stages.schemas(settings)
        self.tasks: dict[str, DataFrame] = {}
        """The figures of the tasks of each stage."""

    def mapped(self, tasks: list[Task]) -> DataFrame:
        """Envelopes of all that the files hold."""
        def make() -> DataFrame:
            numbers = self.spark.range(0, len(tasks), 1, len(tasks))
            files = [packed(task) for task in tasks]
            return self._each(numbers, "read_files", _stages.MAP, files=files)

        return self._stage("map", make)

    def deduplicated(self, mapped: DataFrame) -> DataFrame:
        """Rows with their fates. Copies meet by their key, so that no visitor's rows do."""
        key = f.coalesce(f.col("copies_key"), f.col("signal_id"))
        group = f.pmod(f.xxhash64(key), f.lit(self.job.buckets)).alias(GROUP)
        rows = self._only(mapped, "rows").select("*", group)
        return self._stage("dedup", lambda: self._by(rows, GROUP, "dedup", "rows"))

    def buckets(self, rows: DataFrame) -> Buckets:
        """How large buckets are, and which are divided."""

        def make() -> DataFrame:
            return rows.groupBy("bucket").agg(f.count("*").alias("rows"))

        return Buckets(self.checkpoint.stage("buckets", make), self.task_rows)

    def links(
        self, rows: DataFrame, name: str, buckets: Buckets, deletions: bytes
    ) -> DataFrame:
        """Settled links of rows."""

        def make() -> DataFrame:
            given = {"deletions": deletions, "divided": list(buckets.parts)}
            loose = self._values(self._each(rows, "links", "links", **given))
            return self._by(loose, "bucket", "settle_links", "links")

        return self._stage(name, make)

    def forgotten(
        self, rows: DataFrame, links: DataFrame, buckets: Buckets, deletions: bytes
    ) -> DataFrame:
        """Rows with their fates, after deletion requests."""
        both = self._beside(buckets.rows(rows), "rows", buckets.links(links), "links", GROUP)
        return self._stage(
            "forget", lambda: self._by(both, GROUP, "forget", "rows", deletions=deletions)
        )

    def needed(self, rows: DataFrame, links: DataFrame) -> DataFrame:
        """The links that each bucket needs: ``bucket`` is the one that asks."""
        columns = self.kinds["links"].names

        def make() -> DataFrame:
            asked = self._hops(rows, links).withColumnsRenamed(
                {"bucket": "asking", "job": "asking_job"}
            )
            of_users = links.where("source_kind = 'user_id'")
            joined = of_users.join(asked, f.col("source") == f.col("user_id"))
            far = joined.withColumn("bucket", f.col("asking")).select(*columns)
            own = links.where("source_kind <> 'user_id'").select(*columns)
            return far.unionByName(own)

        return self.checkpoint.stage("needed_links", make)

    def _hops(self, rows: DataFrame, links: DataFrame) -> DataFrame:
        """Every user id that a bucket reaches."""
        by_rows = self._values(self._each(rows, "wanted_by_rows", "wanted"))
        by_links = self._values(self._each(links, "wanted_by_links", "wanted"))
        reached = self.checkpoint.stage("hop_0", lambda: by_rows.unionByName(by_links).distinct())
        onward = links.where("source_kind = 'user_id' and target_kind = 'user_id'")
        onward = onward.select(f.col("source"), f.col("target")).distinct()
        if onward.limit(1).count() == 0:
            return reached
        hop = reached
        for number in range(1, MOST_HOPS + 1):
            known, last = reached, hop

            def make(known: DataFrame = known, last: DataFrame = last) -> DataFrame:
                next_ids = last.join(onward, f.col("user_id") == f.col("source"))
                found = next_ids.select("job", "bucket", f.col("target").alias("user_id"))
                return found.distinct().join(known, ["job", "bucket", "user_id"], "left_anti")

            hop = self.checkpoint.stage(f"hop_{number}", make)
            if hop.limit(1).count() == 0:
                break
            reached = reached.unionByName(hop)
        return reached

    def lead_names(self, rows: DataFrame) -> DataFrame:
        """Envelopes of the names of leads of several e-mails."""

        def make() -> DataFrame:
            some = rows if self.job.merges_leads else rows.limit(0)
            ties = self._values(self._each(some, "email_ties", "email_ties"))
            return self._each(ties.repartition(1), "lead_names", _stages.NAMES)

        return self._stage("lead_names", make)

    def resolved(
        self, rows: DataFrame, needed: DataFrame, buckets: Buckets, **given: bytes
    ) -> DataFrame:
        """Envelopes of rows with their owners, and of sightings."""
        both = self._beside(buckets.rows(rows), "rows", buckets.links(needed), "links", GROUP)
        return self._stage(
            "resolve", lambda: self._by(both, GROUP, "resolve", _stages.RESOLVE, **given)
        )

    def signals(self, resolved: DataFrame) -> DataFrame:
        """The table of signals."""
        made = self._each(self._only(resolved, "resolved"), "signals", "signals")
        return self._values(made)

    def census(self, *parts: DataFrame) -> DataFrame:
        """Envelopes of the counts of visitors, and of shared ids, of sightings among ``parts``."""
        together = self._only(parts[0], "sightings")
        for part in parts[1:]:
            together = together.unionByName(self._only(part, "sightings"))
        return self._stage(
            "census", lambda: self._by(together, "bucket", "census", _stages.CENSUS)
        )

    def folded(self, resolved: DataFrame, counts: bytes) -> DataFrame:
        """Envelopes of what resolved rows add up to."""
        rows, kind = self._only(resolved, "resolved"), _stages.FOLD
        folded = self._stage("fold", lambda: self._each(rows, "fold", kind, counts=counts))
        contenders = self._only(folded, "contenders")
        decided = self._stage(
            "decide", lambda: self._each(contenders.repartition(1), "decide", kind, counts=counts)
        )
        return folded.unionByName(decided)

    def leads(self, folded: DataFrame) -> DataFrame:
        """Envelopes of the leads, and of what is counted about them."""
        parts, names = self._only(folded, "parts"), self._only(folded, "group_names")
        joined = parts.select("bucket", f.explode("groups.group_id").alias("group_id")).distinct()
        of_leads = joined.join(names, "group_id").select("bucket", *self.kinds["group_names"].names)

        def make() -> DataFrame:
            both = self._beside(parts, "parts", of_leads, "group_names", "bucket")
            return self._by(both, "bucket", "leads", _stages.LEADS)

        return self._stage("leads", make)

    def counts(self, name: str, *parts: DataFrame) -> DataFrame:
        """The sums of counts among envelopes."""
        all_parts = [self._only(part, "counts") for part in parts]
        together = all_parts[0]
        for part in all_parts[1:]:
            together = together.unionByName(part)
        sums = together.groupBy("job", "counter", "key").agg(f.sum("count").alias("count"))
        return self.checkpoint.stage(name, lambda: sums.coalesce(1))

    def small(self, table: DataFrame, kind: str) -> bytes:
        """A small table in one piece, for tasks: counts, requests, names; never rows."""
        rows = [row.asDict() for row in table.collect()]
        return _stages.packed(pa.Table.from_pylist(rows, self.kinds[kind]))

    def none(self, kind: str) -> bytes:
        """A small table without rows."""
        return _stages.packed(pa.Table.from_pylist([], self.kinds[kind]))

    def only(self, envelopes: DataFrame, kind: str) -> DataFrame:
        """The values of one kind."""
        return self._only(envelopes, kind)

    def _only(self, envelopes: DataFrame, kind: str) -> DataFrame:
        return envelopes.where(f.col(kind).isNotNull()).select(f"{kind}.*")

    def _stage(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """The values of a stage, whose tasks leave their figures beside them."""
        kept = self.checkpoint.stage(name, make)
        self.tasks[name] = kept.where(f.col(COLUMN).isNotNull()).select(f"{COLUMN}.*")
        return self._values(kept)

    def _values(self, kept: DataFrame) -> DataFrame:
        return kept.where(f.col(COLUMN).isNull()).drop(COLUMN)

    def _each(self, batches: DataFrame, stage: str, kind: Kind, **given: Any) -> DataFrame:
        work = _worker.task(self.settings, stage, kind, given)
        return batches.mapInArrow(work, self._spark_schema(kind))

    def _by(
        self, batches: DataFrame, column: str, stage: str, kind: Kind, **given: Any
    ) -> DataFrame:
        together = batches.repartition(self.partitions, column).sortWithinPartitions(column)
        return self._each(together, stage, kind, **given)

    def _beside(
        self,
        first: DataFrame,
        first_kind: str,
        second: DataFrame,
        second_kind: str,
        group: str,
    ) -> DataFrame:
        """Two kinds of values as envelopes with the group that they are for."""

        def envelopes(values: DataFrame, kind: str, other: DataFrame, other_kind: str) -> DataFrame:
            names, others = self.kinds[kind].names, other.schema
            none = f.lit(None).cast(StructType([others[name] for name in self.kinds[other_kind].names]))
            own = f.struct(*[f.col(f"`{name}`") for name in names])
            return values.select(group, own.alias(kind), none.alias(other_kind))

        one = envelopes(first, first_kind, second, second_kind)
        other = envelopes(second, second_kind, first, first_kind)
        return one.unionByName(other)

    def _spark_schema(self, kind: Kind) -> StructType:
        made = from_arrow_schema(with_task(_stages.schema_of(self.settings, kind)))
        if not isinstance(made, StructType):
            raise TypeError("an Arrow schema is a struct")
        return made
