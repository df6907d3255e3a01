"""The job of ``backtrail run`` on Spark 3.5 or 4, or on Sail::

    import backtrail.spark

    backtrail.spark.run(spark, "/mnt/exports", "rules.toml", "s3a://bucket/leads")

or ``spark-submit`` with ``python -m backtrail.spark``'s arguments. The driver and all workers need this
package in the same version.
"""

from backtrail.spark._run import SparkResult, run

__all__ = ["SparkResult", "run"]
