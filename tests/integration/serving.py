"""A real ASGI server on the test's own event loop: real sockets, and the test can look at both ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from tests.support.client import Client, connect
from tests.support.server import HOST

Url = Callable[[str], str]
"""Gives the address of a path."""

ON_MESSAGE = "subscription ($group: String!) { onMessage(group: $group) { text } }"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # Signals are the test run's own.


@asynccontextmanager
async def serving(application: Any) -> AsyncIterator[Url]:
    """Serves the application; gives a function from a path to its WebSocket address."""
    listening = socket.create_server((HOST, 0))
    port = listening.getsockname()[1]
    server = _Server(uvicorn.Config(application, ws="websockets-sansio", lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield lambda path: f"ws://{HOST}:{port}/{path}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def listener(url: Callable[[str], str], group: str) -> AsyncIterator[Client]:
    """A socket with one subscription, `1`, to the messages of a group: it can no longer miss any."""
    async with connect(url("confirming/")) as client:
        await client.init()
        await subscribe(client, "1", group)
        yield client


async def subscribe(client: Client, id: str, group: str) -> None:
    """Subscribe on a socket of the confirming consumer; returns when no message can be missed any more."""
    await client.subscribe(id, ON_MESSAGE, {"group": group})
    assert await client.receive() == {"id": id, "type": "next", "payload": {"data": None}}


def message(text: str, *, id: str = "1") -> dict[str, Any]:
    """What a client gets of one broadcast."""
    return {"id": id, "type": "next", "payload": {"data": {"onMessage": {"text": text}}}}


def payload(text: str) -> dict[str, Any]:
    """What is broadcast for one message."""
    return {"text": text, "error": None, "gate": None}


async def texts(client: Client, count: int) -> list[str]:
    """The texts of the next messages."""
    return [(await client.receive())["payload"]["data"]["onMessage"]["text"] for _ in range(count)]
