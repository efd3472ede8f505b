"""Starts and stops the processes of one measurement."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks import process, redis_server
from benchmarks.deployment import Deployment
from benchmarks.lineup import ROOT, Server

_START_TIMEOUT = 30.0


class DidNotStart(Exception):
    """A program ended or stayed silent; the message is what it wrote."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where."""

    server: int
    """All processes of the server."""
    generator: int
    """The load generator, and Redis."""


@dataclass(frozen=True, slots=True)
class Process:
    """A program that takes connections."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Running:
    """A server, of one process or several, and the Redis between them if there is one."""

    processes: tuple[Process, ...]
    redis: Process | None


def cores() -> Cores:
    """The first core this process may use for the server, the last one for everything else."""
    first, *_, last = process.cores() * 2
    return Cores(first, last)


@contextlib.contextmanager
def running(server: Server, deployment: Deployment, cores: Cores, runner: Sequence[str] = ()) -> Iterator[Running]:
    """The server in fresh processes, stopped at the end; ``runner`` is a Python module with arguments around it."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = {"BENCH_LAYER": deployment.layer, "BENCH_FOLDER": folder}
        redis = None
        if deployment.needs_redis:
            port = _free_port()
            redis = stack.enter_context(_process("Redis", redis_server.command(port), port, cores.generator, {}))
            environment["BENCH_REDIS"] = f"redis://127.0.0.1:{redis.port}"
        processes = []
        for _ in range(deployment.processes):
            port = _free_port()
            command = server.command(port, deployment, runner)
            processes.append(
                stack.enter_context(_process(server.title, command, port, cores.server, environment | server.variables))
            )
        yield Running(tuple(processes), redis)


@contextlib.contextmanager
def _process(
    title: str, command: Sequence[str], port: int, core: int, environment: dict[str, str]
) -> Iterator[Process]:
    with tempfile.TemporaryFile("w+") as log:
        with _pinned(core):
            child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | environment)
        try:
            if not _listens(child, port):
                log.seek(0)
                raise DidNotStart(f"{title} did not start:\n{log.read()}")
            yield Process(port, child.pid)
        finally:
            child.kill()
            child.wait()


@contextlib.contextmanager
def _pinned(core: int) -> Iterator[None]:
    """Children started inside inherit the core, and so do all their threads."""
    cores = process.cores()
    process.pin(core)
    try:
        yield
    finally:
        process.pin(*cores)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(child: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return True
        time.sleep(0.05)
    return False
