#!/usr/bin/env python3
"""Measures the job on Spark, in this machine's memory and on its cores, and compares its outputs with
those of ``backtrail run``, cell for cell.

    python benches/spark/measure.py --dir /tmp/spark --events 1000000 --partitions 8,32

It needs the wheel of backtrail, PySpark 4, pyarrow and Java 17, and the example ``generate``
(``cargo build --example generate``). It ends with an error where outputs differ.
"""

import argparse
import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ANONYMOUS_ID = re.compile(rb'"anonymousId":"[^"]*"')
MESSAGE_ID = re.compile(rb'"messageId":"([^"]*)"')
# Members of the report that are no counts, or are those of one process.
OTHERS = {"inputs", "elapsed_seconds", "bytes_read"}


def main() -> None:
    args = parser().parse_args()
    events = args.dir / f"events-{args.events}{'-skewed' if args.skewed else ''}"
    if not events.exists():
        generate(args.generate, args.events, args.skewed, args.files, events)
    expected = args.dir / f"{events.name}-run"
    single = run(events, args.rules, expected)
    print(json.dumps({"command": single}), flush=True)
    for partitions in args.partitions.split(","):
        output = args.dir / f"{events.name}-{partitions}"
        line = [sys.executable, HERE / "job.py", events, args.rules, output]
        line += [partitions, str(args.buckets), str(args.task_bytes), str(args.task_rows), args.master]
        done = subprocess.run(line, check=True, stdout=subprocess.PIPE)
        print(done.stdout.decode(), end="", flush=True)
        compare(expected, output)
        print(f"the outputs with {partitions} partitions equal those of the command", flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("--dir", type=Path, required=True, help="where data and outputs go")
    made.add_argument("--events", type=int, default=1_000_000)
    made.add_argument("--files", type=int, default=8, help="half of them gzip")
    made.add_argument("--skewed", action="store_true", help="half of the events have one anonymous id")
    made.add_argument("--partitions", default="8", help="tasks of a shuffle, several with commas")
    made.add_argument("--buckets", type=int, default=1024)
    made.add_argument("--task-bytes", type=int, default=128 << 20)
    made.add_argument("--task-rows", type=int, default=1 << 20)
    made.add_argument("--master", default="local[2]")
    made.add_argument("--rules", type=Path, default=ROOT / "benches" / "rules-10.toml")
    made.add_argument("--generate", type=Path, default=ROOT / "target" / "debug" / "examples" / "generate")
    return made


def generate(program: Path, events: int, skewed: bool, files: int, folder: Path) -> None:
    """Writes the events to files of equal shares of the time, the first half of them gzip."""
    part = folder.with_suffix(".part")
    part.mkdir(parents=True, exist_ok=True)
    made = subprocess.Popen([program, "--events", str(events)], stdout=subprocess.PIPE)
    assert made.stdout is not None
    lines = map(skew, made.stdout) if skewed else iter(made.stdout)
    for number in range(files):
        share = events * (number + 1) // files - events * number // files
        if number < files // 2:
            with gzip.open(part / f"{number:02}.ndjson.gz", "wb", compresslevel=1) as packed:
                packed.writelines(take(lines, share))
        else:
            with (part / f"{number:02}.ndjson").open("wb") as plain:
                plain.writelines(take(lines, share))
    if made.wait() != 0:
        raise SystemExit(f"{program} failed")
    part.rename(folder)


def take(lines: Iterator[bytes], count: int) -> Iterator[bytes]:
    for _, line in zip(range(count), lines):
        yield line


def skew(line: bytes) -> bytes:
    """Gives half of the events one anonymous id; copies of an event have the same."""
    found = MESSAGE_ID.search(line)
    if found and hashlib.md5(found[1]).digest()[0] % 2:
        return ANONYMOUS_ID.sub(b'"anonymousId":"shared-by-half-of-all-events"', line)
    return line


def run(events: Path, rules: Path, output: Path) -> dict[str, Any]:
    """The outputs of the command, with its wall and CPU time in seconds, and peak memory in bytes."""
    measured = "import resource, subprocess, sys, time; begun = time.monotonic(); " \
        "subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL); " \
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); " \
        "print(time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss)"
    program = Path(sys.executable).with_name("backtrail")
    line = [program, "run", events, "--rules", rules, "-o", output, "--format", "parquet", "--overwrite"]
    done = subprocess.run([sys.executable, "-c", measured, *line], check=True, stdout=subprocess.PIPE)
    wall, cpu, memory = done.stdout.split()
    return {"wall_seconds": round(float(wall), 2), "cpu_seconds": round(float(cpu), 2),
            "memory_bytes": int(memory) << 10}


def compare(expected: Path, output: Path) -> None:
    """Ends the program where a cell or a counter differs."""
    for name, order in (("signals", [("signal_id", "ascending")]), ("leads", None)):
        tables = [pq.read_table(folder / f"{name}.parquet") for folder in (expected, output)]
        # Texts of few values are dictionaries in the files of the command alone.
        one, other = (table.cast(tables[1].schema) for table in tables)
        if order:
            one, other = one.sort_by(order), other.sort_by(order)
        if one.num_rows == 0 or one.num_rows != other.num_rows:
            raise SystemExit(f"{name}: {one.num_rows} rows, and {other.num_rows} on Spark")
        for column in one.column_names:
            if not one[column].combine_chunks().equals(other[column].combine_chunks()):
                raise SystemExit(f"{name}: the cells of {column} differ")
    one, other = (counters(folder / "report.json") for folder in (expected, output))
    for member in one.keys() | other.keys():
        if one.get(member) != other.get(member):
            raise SystemExit(f"report.json: {member} differs")


def counters(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_text())
    kept = {name: value for name, value in report.items() if name not in OTHERS}
    kept["events"] = {**kept["events"], "timestamp_examples": None}
    return kept


if __name__ == "__main__":
    main()
