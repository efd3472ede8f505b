"""Readings of the clocks around a measurement."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from benchmarks import process
from benchmarks.client import LoadError

Figures = dict[str, float]

START_PROFILE = signal.SIGUSR1
STOP_PROFILE = signal.SIGUSR2


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one moment, in seconds."""

    wall: float
    server: float
    generator: float
    redis: float


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads the clocks of a server, of Redis, and of this process, the generator."""

    pids: list[int]
    redis: int | None = None
    profiles: bool = False
    """Whether the server has a profiler, which is to run from the first reading to the second."""

    def read(self) -> Reading:
        """The clocks now."""
        self._signal(START_PROFILE)
        return self._clocks()

    def since(self, start: Reading, count: int) -> Figures:
        """What ``count`` units of work since then have cost."""
        if not count:
            raise LoadError("nothing was done in time")
        now = self._clocks()
        self._signal(STOP_PROFILE)
        seconds = now.wall - start.wall
        figures = {
            "count": count,
            "per_second": count / seconds,
            "cpu_us": (now.server - start.server) / count * 1e6,
            "server_core": (now.server - start.server) / seconds,
            "generator_core": (now.generator - start.generator) / seconds,
        }
        if self.redis is not None:
            figures["redis_us"] = (now.redis - start.redis) / count * 1e6
            figures["redis_core"] = (now.redis - start.redis) / seconds
        return figures

    def _clocks(self) -> Reading:
        server = sum(map(process.cpu_seconds, self.pids))
        redis = 0.0 if self.redis is None else process.cpu_seconds(self.redis)
        return Reading(time.monotonic(), server, time.process_time(), redis)

    def _signal(self, number: signal.Signals) -> None:
        if self.profiles:
            for pid in self.pids:
                os.kill(pid, number)
