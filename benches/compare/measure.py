"""What a command costs, as the operating system counts it."""

import os
import subprocess
import sys
import time
from typing import NamedTuple

# What getrusage counts the peak in.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class Cost(NamedTuple):
    wall: float
    """Seconds by the clock, from before its start to after its end."""
    cpu: float
    """Seconds of all its threads, in the program and in the kernel."""
    peak: float
    """Megabytes of memory at most."""

    def __str__(self):
        return f"{self.wall:7.2f} s  {self.cpu:7.2f} s CPU  {self.peak:7.0f} MB"


def measure(command):
    """Runs `command` in a process of its own, and stops all of it if that fails."""
    start = time.perf_counter()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"compare: {command[0]} failed with {child.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * PEAK_UNIT / 1e6)
