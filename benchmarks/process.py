"""What a process has used, read from Linux's ``/proc``."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = after_name[11:13]
    return (int(user) + int(system)) / _TICKS_PER_SECOND


def unique_kib(pid: int) -> int:
    """Memory that would be free again if the process ended (its unique set size)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def pin(*cores: int) -> None:
    """Keep this process, and what it starts from now on, on these cores."""
    os.sched_setaffinity(0, cores)


def cores() -> list[int]:
    """The cores this process may use, in order."""
    return sorted(os.sched_getaffinity(0))
