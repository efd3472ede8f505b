"""Clients written in JavaScript, as processes.

async def test_x(javascript): ...     client = await javascript(url); await client.begin("key", "{ rooms { slug } }")
"""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hatch_build import load_build
from tests.acceptance.demo.conftest import demo_data, prepared_data  # noqa: F401 - fixtures
from tests.support.server import ROOT
from tests.support.services import give_up

LIBRARY = ROOT / "frontend" / "node_modules" / "graphql-ws" / "dist" / "index.js"
SCRIPT = Path(__file__).with_name("graphql_ws.mjs")
HINT = "npm's graphql-ws: install Node.js, remove django_gqlws/static/, run python frontend/build.py"

PATIENCE = 20
"""Seconds; far above what a loaded machine needs."""


class JavaScriptClient:
    """A client in a process of its own."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def begin(self, key: str, query: str, **variables: Any) -> None:
        """Begin an operation; `key` names it in what comes back."""
        assert self._process.stdin is not None
        line = json.dumps({"key": key, "query": query, "variables": variables})
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def receive(self) -> dict[str, Any]:
        """What comes next."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        received: dict[str, Any] = json.loads(line)
        return received

    async def execute(self, key: str, query: str, **variables: Any) -> Any:
        """The result of a query or mutation, while nothing else runs."""
        await self.begin(key, query, **variables)
        result = await self.receive()
        assert await self.receive() == {"key": key, "complete": True}
        return result["next"]

    async def sees_state(self, state: str) -> None:
        """Wait until the connection is said to be so."""
        while await self.receive() != {"state": state}:
            pass


@pytest.fixture(scope="session")
def node() -> str:
    """Path of the Node.js that has built the frontend, whose packages are still there."""
    frontend = load_build(ROOT)
    if not LIBRARY.exists():
        give_up(HINT)
    try:
        return str(shutil.which("node", path=frontend.find_node(install=False)))
    except frontend.BuildError:
        give_up(HINT)


@pytest.fixture
async def javascript(node: str) -> AsyncIterator[Callable[[str], Awaitable[JavaScriptClient]]]:
    """A function that starts a client and returns when it is connected."""
    processes: list[Process] = []

    async def start(url: str) -> JavaScriptClient:
        # Node.js 20 has a WebSocket when it is asked for one.
        command = [node, "--no-warnings", "--experimental-websocket", str(SCRIPT), LIBRARY.as_uri(), url]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        processes.append(process)
        client = JavaScriptClient(process)
        await client.sees_state("connected")
        return client

    yield start
    for process in processes:
        process.kill()
        await process.communicate()
