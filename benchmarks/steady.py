"""``steady``: a load that stays the same for minutes; memory has to stay the same, too.

The rule: the first minute is left out, because pools and caches still grow. Of the others, the median of the last third
must not be above that of the first third by more than 1 % and 1 MiB.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import launch, machine, process
from benchmarks.client import LoadError, Loop
from benchmarks.deployment import Deployment
from benchmarks.lineup import OURS
from benchmarks.markdown import number, table
from benchmarks.steady_load import PER_SECOND, SteadyLoad

_SHORTEST = 4
_GROWTH_SHARE = 0.01
_GROWTH_KIB = 1024
_SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Minute:
    """What the server had and used."""

    resident_kib: float
    unique_kib: float
    """The median of a reading each second."""
    cpu_seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--minutes", type=int, default=10, help=f"at least {_SHORTEST}; default: 10")


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Print and save a line for each minute; 1 if memory grew or anything was wrong."""
    if arguments.minutes < _SHORTEST:
        raise SystemExit(f"--minutes {arguments.minutes}: the rule needs at least {_SHORTEST}")
    cores = launch.cores()
    minutes: list[Minute] = []
    with launch.running(OURS, Deployment(), cores) as target:
        process.pin(cores.generator)
        (server,) = target.processes
        load = SteadyLoad(Loop([server.port]))
        try:
            for _ in range(arguments.minutes):
                minutes.append(_minute(load, server.pid))
                print(minutes[-1], file=sys.stderr, flush=True)
        except LoadError as error:
            print(error, file=sys.stderr)
            return 1
    growth = _growth([minute.unique_kib for minute in minutes])
    report = {"machine": machine.facts(), "minutes": [asdict(minute) for minute in minutes], "growth": growth}
    (folder / "steady.json").write_text(json.dumps(report, indent=1))
    print(markdown(report))
    return int(growth["kib"] > growth["allowed_kib"])


def _minute(load: SteadyLoad, pid: int) -> Minute:
    cpu = process.cpu_seconds(pid)
    unique = []
    for _ in range(_SECONDS_PER_MINUTE):
        load.run_second()
        unique.append(process.unique_kib(pid))
    return Minute(process.resident_kib(pid), median(unique), process.cpu_seconds(pid) - cpu)


def _growth(unique: Sequence[float]) -> dict[str, float]:
    warm = unique[1:]
    third = len(warm) // 3
    first, last = median(warm[:third]), median(warm[-third:])
    return {"kib": last - first, "allowed_kib": max(_GROWTH_KIB, first * _GROWTH_SHARE)}


def markdown(report: dict[str, Any]) -> str:
    """The table of the minutes, and the verdict."""
    header = ["minute", "RSS, MiB", "unique, MiB", "CPU, s"]
    lines = [
        [
            str(index),
            number(minute["resident_kib"] / 1024, 1),
            number(minute["unique_kib"] / 1024, 2),
            number(minute["cpu_seconds"], 1),
        ]
        for index, minute in enumerate(report["minutes"], start=1)
    ]
    growth = report["growth"]
    verdict = "flat" if growth["kib"] <= growth["allowed_kib"] else "**growing**"
    load = ", ".join(f"{count:,} {what}" for what, count in PER_SECOND.items())
    words = (
        f"Each second: {load}. Memory is {verdict}: {growth['kib']:+,.0f} KiB, {growth['allowed_kib']:,.0f} allowed."
    )
    return f"{table(header, lines)}\n\n{words}\n"
