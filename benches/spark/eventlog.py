"""What Spark's event log says of the stages of a job."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

# The folder of the checkpoint, or the output, that an execution writes to.
WRITES = re.compile(r"InsertIntoHadoopFsRelationCommand\n(?:Input.*\n)?Arguments: \S*?/([\w.]+),")


def stages(log: Path) -> dict[str, dict[str, float]]:
    """By the name of what was written: seconds of the JVM's CPU time, bytes shuffled as they were
    written, and spilled."""
    names: dict[int, str] = {}
    of_stage: dict[int, str] = {}
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in log.open():
        event: dict[str, Any] = json.loads(line)
        kind = event["Event"].rsplit(".", 1)[-1]
        if kind in ("SparkListenerSQLExecutionStart", "SparkListenerSQLAdaptiveExecutionUpdate"):
            found = WRITES.search(event["physicalPlanDescription"])
            if found:
                names[event["executionId"]] = found[1]
        elif kind == "SparkListenerJobStart":
            execution = int(event["Properties"].get("spark.sql.execution.id") or -1)
            for number in event["Stage IDs"]:
                of_stage[number] = names.get(execution, "other")
        elif kind == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            add(sums[of_stage.get(event["Stage ID"], "other")], event["Task Metrics"])
    return {name: {key: round(value, 2) for key, value in one.items()} for name, one in sums.items()}


def add(sums: dict[str, float], task: dict[str, Any]) -> None:
    sums["tasks"] += 1
    sums["jvm_cpu_seconds"] += task["Executor CPU Time"] / 1e9
    sums["run_seconds"] += task["Executor Run Time"] / 1e3
    sums["shuffled_bytes"] += task["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    sums["spilled_bytes"] += task["Disk Bytes Spilled"]
    sums["written_bytes"] += task["Output Metrics"]["Bytes Written"]
