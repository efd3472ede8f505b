"""What a process has used, as Linux tells."""

from __future__ import annotations

import os
import time
from pathlib import Path

_ALL_THREADS = 2
"""The clock of a process that counts what the scheduler gave to all of its threads (``CPUCLOCK_SCHED``)."""


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process so far, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | _ALL_THREADS)


def unique_kib(pid: int) -> int:
    """Memory that would be free again if the process ended (its unique set size)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def resident_kib(pid: int) -> int:
    """Memory of the process that is in RAM, shared libraries included (RSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def pin(*cores: int) -> None:
    """Keep this process, and what it starts from now on, on these cores."""
    os.sched_setaffinity(0, cores)


def cores() -> list[int]:
    """The cores this process may use, in order."""
    return sorted(os.sched_getaffinity(0))
