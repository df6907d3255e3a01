"""``spark-submit`` with this file, or ``python -m backtrail.spark``: a job by its arguments."""

import argparse
import sys

from pyspark.sql import SparkSession

from backtrail._errors import Error
from backtrail.spark import run
from backtrail.spark._run import TASK_BYTES, TASK_ROWS

FLAGS = (
    "overwrite",
    "csv-raw",
    "redact",
    "strict",
    "strict-detect",
    "assign-ids",
    "correct-clocks",
    "allow-empty",
    "no-sign-request",
)
DESCRIPTION = "Turn Segment event exports into leads and signals on a Spark cluster."


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m backtrail.spark", description=DESCRIPTION)
    made.add_argument("inputs", nargs="+", help="files, folders or globs that all workers see, or URLs of stores")
    made.add_argument("-o", "--output", required=True, help="folder of the outputs")
    made.add_argument("--rules", help="rules file, which the driver reads")
    made.add_argument("--allow", help="allow list")
    made.add_argument("--filters", help="destination filters")
    made.add_argument("--where", help="only events of which this FQL expression is true")
    made.add_argument("--since", help="count only what happened then or later")
    made.add_argument("--until", help="count only what happened before")
    made.add_argument("--format", default="parquet", help="parquet, csv, or both with a comma")
    made.add_argument("--checkpoint", help="folder of what stages gave, to go on from")
    made.add_argument("--max-record-bytes", help="longer records are rejected")
    made.add_argument("--buckets", type=int, default=1024, help="groups of visitors")
    made.add_argument("--partitions", type=int, help="tasks of a shuffle")
    made.add_argument("--task-bytes", type=int, default=TASK_BYTES, help="bytes of files a task reads")
    made.add_argument("--task-rows", type=int, default=TASK_ROWS, help="rows a task resolves together")
    for flag in FLAGS:
        made.add_argument(f"--{flag}", action="store_true", help=f"as of `backtrail run --{flag}`")
    made.add_argument("--remote", help="a Spark Connect server, such as sc://host:15002")
    return made


def main(arguments: list[str] | None = None) -> int:
    args = vars(parser().parse_args(arguments))
    remote, formats = args.pop("remote"), args.pop("format").split(",")
    builder = SparkSession.builder.appName("backtrail")
    is_ours = SparkSession.getActiveSession() is None
    spark = (builder.remote(remote) if remote else builder).getOrCreate()
    try:
        result = run(spark, format=formats, **args)
    except Error as error:
        print(f"backtrail: error: {error}", file=sys.stderr)
        return 2
    finally:
        if is_ours:  # the session of a platform is for the platform to end
            spark.stop()
    leads = result.report["leads"]["total"]
    signals = result.report["identity"]["signals"]["total"]
    print(f"backtrail: {signals} signals, {leads} leads: {args['output']}", file=sys.stderr)
    return 0 if not result.report["faults"] else 2


if __name__ == "__main__":
    sys.exit(main())
