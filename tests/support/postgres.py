"""A PostgreSQL of one's own, that can be stopped and started again at the same address."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

POSTGRES_HINT = "a PostgreSQL: install postgresql (Debian: apt-get install postgresql), so that pg_ctl is there"

UNPRIVILEGED = ("postgres", "nobody")
"""Users to run it as instead of root, which it refuses."""


def find_pg_ctl() -> str | None:
    """Path of the program that makes, starts and stops a server. Debian does not put it on PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return shutil.which("pg_ctl") or next(map(str, reversed(versions)), None)


def _user_of_server() -> str | None:
    """The user that it runs as, or None for our own."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


class PostgresServer:
    """An empty database on a Unix socket in a temporary folder.

    with PostgresServer(find_pg_ctl()) as server:
        connections.settings["postgres"] = server.settings
    """

    def __init__(self, program: str, is_durable: bool = False) -> None:
        """One that is durable waits for the disk with each commit, as a server does that is installed."""
        self._program = program
        self._fsync = "on" if is_durable else "off"
        self._user = _user_of_server()
        # Not pytest's folder: the path of a Unix socket is limited to about 100 bytes.
        self._folder = tempfile.TemporaryDirectory(prefix="gqlws-postgres-")
        if self._user is not None:
            shutil.chown(self._folder.name, self._user)

    @property
    def settings(self) -> dict[str, Any]:
        """The entry of DATABASES."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": self._folder.name,
            "NAME": "postgres",
            "USER": "test",
        }

    def start(self) -> None:
        """Return when it answers."""
        self._control("start", "--options", f"-c listen_addresses='' -c fsync={self._fsync} -k {self._folder.name}")

    def stop(self) -> None:
        """Return when it is gone, with all its connections."""
        self._control("stop", "--mode", "immediate")

    def restart(self) -> None:
        """Stop and start at the same address, with the same data."""
        self.stop()
        self.start()

    def _control(self, action: str, *options: str) -> None:
        # Not captured through a pipe: the server inherits it, and would keep it open.
        log = Path(self._folder.name, "log")
        with log.open("ab") as output:
            done = subprocess.run(
                [self._program, action, "--silent", "--pgdata", f"{self._folder.name}/data", *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder.name,
                user=self._user,
                check=False,
            )
        if done.returncode != 0:
            raise RuntimeError(f"pg_ctl {action} failed:\n{log.read_text()}")

    def __enter__(self) -> Self:
        self._control("init", "--options", "--auth=trust --username=test --encoding=UTF8 --no-locale --no-sync")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()
