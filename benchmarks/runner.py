"""Rounds of measurements, one server at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

from benchmarks import launch
from benchmarks.environments import Unavailable
from benchmarks.launch import DidNotStart
from benchmarks.lineup import ROOT, Server
from benchmarks.results import Measurement
from benchmarks.workload import Workload

_GENERATOR_TIMEOUT = 600


def measure_all(
    workloads: Sequence[Workload],
    servers: Sequence[Server],
    rounds: int,
    seconds: float,
    is_wanted: Callable[[Workload, Server], bool],
) -> Iterator[Measurement]:
    """The workloads on their servers, each in fresh processes; every other round in the opposite order."""
    for number in range(rounds):
        for workload in workloads:
            for server in servers if number % 2 == 0 else reversed(servers):
                if server.name in workload.servers and is_wanted(workload, server):
                    yield measure(workload, server, number, seconds)


def measure(
    workload: Workload, server: Server, number: int, seconds: float, profiler: Sequence[str] = ()
) -> Measurement:
    """One workload on one server; ``profiler`` is the module that runs the server, and its arguments."""
    cores = launch.cores()
    try:
        with launch.running(server, workload.deployment, cores, profiler) as target:
            command = [sys.executable, "-m", "benchmarks.generator"]
            command += ["--workload", workload.name, "--seconds", str(seconds), "--core", str(cores.generator)]
            command += ["--ports", *(str(process.port) for process in target.processes)]
            command += ["--pids", *(str(process.pid) for process in target.processes)]
            command += ["--redis", str(target.redis.pid)] if target.redis else []
            command += ["--profiles"] if profiler else []
            command += [] if server.speaks_graphql else ["--only-connections"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_GENERATOR_TIMEOUT)
    except (Unavailable, DidNotStart, subprocess.TimeoutExpired) as error:
        return Measurement(workload.name, server.name, number, {}, str(error))
    if done.returncode:
        return Measurement(workload.name, server.name, number, {}, done.stderr)
    figures = json.loads(done.stdout)
    return Measurement(workload.name, server.name, number, figures, figures.pop("error", ""))
