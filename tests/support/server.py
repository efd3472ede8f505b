"""Real ASGI servers in processes of their own."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.support.services import POLL_INTERVAL, START_TIMEOUT

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
STOP_TIMEOUT = 30

Kind = Literal["uvicorn", "daphne"]

# What either does of its own accord after five or ten seconds befalls whom a busy machine holds up.
PATIENCE: Mapping[Kind, Sequence[str]] = {
    "uvicorn": ["--timeout-keep-alive", "60"],
    "daphne": ["--websocket_connect_timeout", "60", "--application-close-timeout", "60"],
}

running: list[Server] = []
"""The servers alive now; a failing test shows the ends of their logs."""


def find_free_port() -> int:
    """A local port nobody listens on, and that no other test run beside this one is given.

    It lies below the range from which the system takes the ports of outgoing connections: these could
    otherwise occupy the port of a server that a test has stopped and is about to start again.
    """
    while True:
        port = random.randint(20_000, 29_999)
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # UDP's port of that number, kept until this process ends, says that it is taken.
            claim = socket.socket(type=socket.SOCK_DGRAM)
            try:
                claim.bind((HOST, port))
                candidate.bind((HOST, port))
            except OSError:
                claim.close()
                continue
            claim.detach()
            return port


def server_command(
    kind: Kind, application: str, port: int, options: Sequence[str] = (), python: str = sys.executable
) -> list[str]:
    """The command line that serves `module:attribute`."""
    if kind == "uvicorn":
        address = ["--host", HOST, "--port", str(port), "--ws", "websockets-sansio"]
    else:
        address = ["--bind", HOST, "--port", str(port)]
    return [python, "-m", kind, *address, *PATIENCE[kind], *options, application]


class Server:
    """One server process.

    with Server("tests.project.asgi:application", kind="daphne") as server:
        async with connect(server.ws_url) as client:
            ...
    """

    def __init__(
        self,
        application: str = "tests.project.asgi:application",
        *,
        kind: Kind = "uvicorn",
        env: Mapping[str, str] | None = None,
        port: int | None = None,
        options: Sequence[str] = (),
        path: str = "/graphql/",
        python: str = sys.executable,
    ) -> None:
        self.port = port or find_free_port()
        self.http_url = f"http://{HOST}:{self.port}"
        self.ws_url = f"ws://{HOST}:{self.port}{path}"
        self._command = server_command(kind, application, self.port, options, python)
        self._env = {"PYTHONUNBUFFERED": "1", **os.environ, **(env or {})}
        self._log = tempfile.NamedTemporaryFile(prefix=f"gqlws-{kind}-", suffix=".log")  # noqa: SIM115 (close() does)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, as long as it runs."""
        assert self._process is not None, "not running"
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything the process has printed so far, all its runs together."""
        return Path(self._log.name).read_text(errors="replace")

    def start(self) -> None:
        """Return when the port accepts connections."""
        assert self._process is None, "already running"
        # In a session of its own, so that the children of a reloading server end with it.
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running.append(self)
        deadline = time.monotonic() + START_TIMEOUT
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{' '.join(self._command)} does not serve:\n{self.log}")
            time.sleep(POLL_INTERVAL)

    def stop(self) -> int:
        """Ask it to shut down (SIGTERM), wait for it and return its exit code."""
        assert self._process is not None, "not running"
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        finally:
            code = self.kill()
        return code

    def terminate(self) -> None:
        """Ask it to shut down and do not wait: the test watches what its clients see, then calls `stop`."""
        assert self._process is not None, "not running"
        self._process.terminate()

    def kill(self) -> int:
        """End it and its children at once, as a crash of the machine would."""
        assert self._process is not None, "not running"
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        self._process = None
        running.remove(self)
        return code

    def restart(self) -> None:
        """Shut it down and start it again on the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it if it runs and remove its log."""
        if self._process is not None:
            self.kill()
        self._log.close()

    def _accepts(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
