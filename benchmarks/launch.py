"""Starts and stops one server process."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import process
from benchmarks.lineup import ROOT, Server

_START_TIMEOUT = 30.0


class DidNotStart(Exception):
    """The server ended or stayed silent; the message is what it wrote."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes connections."""

    port: int
    pid: int


@contextlib.contextmanager
def running(server: Server, core: int) -> Iterator[Running]:
    """The server in a fresh process on one core; stopped at the end."""
    port = _free_port()
    command = server.command(port)
    with tempfile.TemporaryFile("w+") as log:
        with _pinned(core):
            child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            if not _listens(child, port):
                log.seek(0)
                raise DidNotStart(f"{server.title} did not start:\n{log.read()}")
            yield Running(port, child.pid)
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
