"""One job on Spark, in a process of its own: prints its figures as a line of JSON."""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from eventlog import stages
from pyspark import SparkContext
from pyspark.sql import SparkSession

import backtrail.spark


def main() -> None:
    events, rules, output, partitions, buckets, task_bytes, task_rows, master = sys.argv[1:]
    shutil.rmtree(output, ignore_errors=True)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as log:
        builder = SparkSession.builder.master(master).appName("backtrail")
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.memory": "2g",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": f"file://{log}",
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.compress": "false",
        }
        for name, value in settings.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        begun = time.monotonic()
        done = backtrail.spark.run(
            spark, events, rules, output, partitions=int(partitions), buckets=int(buckets),
            task_bytes=int(task_bytes), task_rows=int(task_rows),
        )
        wall = time.monotonic() - begun
        jvm = SparkContext._gateway.proc
        peak = peak_bytes(jvm.pid)
        spark.stop()
        SparkContext._gateway.shutdown()
        jvm.stdin.close()
        jvm.wait()
        of_spark = stages(next(Path(log).iterdir()))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    total = done.report["events"]["total"]
    written = {path.name: bytes_below(path) for path in (Path(output) / "checkpoint").iterdir()}
    print(json.dumps({
        "partitions": int(partitions), "buckets": int(buckets), "events": total,
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(sum(one.ru_utime + one.ru_stime for one in used), 1),
        "jvm_memory_bytes": peak,
        "tasks": done.tasks, "spark": of_spark, "checkpoint_bytes": written,
    }))


def peak_bytes(process: int) -> int:
    """The most memory that a process had."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
