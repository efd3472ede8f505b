"""Rounds of measurements, one server at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks import process
from benchmarks.catalogue import Workload
from benchmarks.environments import Unavailable
from benchmarks.launch import DidNotStart, running
from benchmarks.lineup import ROOT, Server
from benchmarks.meter import Figures

_GENERATOR_TIMEOUT = 600


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one server did in one round of a workload."""

    workload: str
    server: str
    round: int
    figures: Figures
    error: str = ""


def measure(
    workloads: Sequence[Workload], servers: Sequence[Server], rounds: int, seconds: float
) -> Iterator[Measurement]:
    """Every workload on every server, each in a fresh process; every other round in the opposite order."""
    for number in range(rounds):
        for workload in workloads:
            for server in servers if number % 2 == 0 else reversed(servers):
                if _applies(workload, server):
                    yield _measure(workload, server, number, seconds)


def _applies(workload: Workload, server: Server) -> bool:
    return server.name not in workload.without and (server.speaks_graphql or workload.on_empty)


def _measure(workload: Workload, server: Server, number: int, seconds: float) -> Measurement:
    first, *_, last = [*process.cores()] * 2
    try:
        with running(server, first) as target:
            command = [sys.executable, "-m", "benchmarks.generator"]
            command += ["--workload", workload.name, "--seconds", str(seconds), "--core", str(last)]
            command += ["--port", str(target.port), "--pid", str(target.pid)]
            command += [] if server.speaks_graphql else ["--only-connections"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_GENERATOR_TIMEOUT)
    except (Unavailable, DidNotStart, subprocess.TimeoutExpired) as error:
        return Measurement(workload.name, server.name, number, {}, str(error))
    if done.returncode:
        return Measurement(workload.name, server.name, number, {}, done.stderr)
    figures = json.loads(done.stdout)
    return Measurement(workload.name, server.name, number, figures, figures.pop("error", ""))
