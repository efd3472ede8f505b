"""Other processes on the file of a SqliteChannelLayer."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.support.server import ROOT
from tests.support.services import START_TIMEOUT

COMMAND = [sys.executable, "-W", "error", "-m", "tests.integration.layers.peer"]
PATIENCE = START_TIMEOUT
"""Seconds that an answer may take: the first one as long as a program takes to start."""


class Process:
    """A process that does what it is told: `await process.ask("send", channel=..., text=...)`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: asyncio.subprocess.Process | None = None

    async def tell(self, action: str, **arguments: Any) -> None:
        """Ask without waiting for the answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": action, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()

    async def answer(self) -> Any:
        """The next answer; EOFError if the process is dead."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return json.loads(line)

    async def ask(self, action: str, **arguments: Any) -> Any:
        """Ask, and wait for the answer."""
        await self.tell(action, **arguments)
        return await self.answer()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND, str(self._path), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24
        )
        await self.answer()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()
