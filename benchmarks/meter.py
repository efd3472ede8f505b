"""Readings of the clocks around a measurement."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks import process
from benchmarks.client import LoadError

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one moment, in seconds."""

    wall: float
    server: float
    generator: float


class Meter:
    """Reads the clocks of a server and of this process, the generator."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def read(self) -> Reading:
        """The clocks now."""
        return Reading(time.monotonic(), process.cpu_seconds(self.pid), time.process_time())

    def since(self, start: Reading, count: int) -> Figures:
        """What ``count`` units of work since then have cost."""
        if not count:
            raise LoadError("nothing was done in time")
        now = self.read()
        seconds = now.wall - start.wall
        return {
            "per_second": count / seconds,
            "cpu_us": (now.server - start.server) / count * 1e6,
            "server_core": (now.server - start.server) / seconds,
            "generator_core": (now.generator - start.generator) / seconds,
        }
