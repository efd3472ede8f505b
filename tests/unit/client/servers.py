"""A server that says what the test says: a transport whose other end the test holds.

server = Server()
client = GraphqlWsClient(server)
server.say(type="connection_ack")       # It is read when the client reads.
await client.connect_and_init()
assert await server.heard() == {"type": "connection_init"}
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from django_gqlws.client.client import GraphqlWsClient
from django_gqlws.client.transport import GraphqlWsTransport
from django_gqlws.exceptions import ConnectionClosedError, ConnectionFailedError

LIMIT = 30
"""Seconds: only what never comes reaches it."""


class Server(GraphqlWsTransport):
    """Both ends of a connection."""

    TIMEOUT = LIMIT

    def __init__(self) -> None:
        self.connections = 0
        self.refusals: list[Exception] = []
        """What the next attempts to connect fail with."""
        self.is_connected = False
        self.acknowledges = True
        """Whether it answers a connection_init by itself."""
        self._to_client: asyncio.Queue[dict[str, Any] | Exception] = asyncio.Queue()
        self._from_client: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()

    # The test's end

    def say(self, **message: Any) -> None:
        """Send a message to the client."""
        self._to_client.put_nowait(message)

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection."""
        self.fail(ConnectionClosedError(code, reason))

    def fail(self, error: Exception) -> None:
        """Have the client's reading fail."""
        self._to_client.put_nowait(error)

    async def heard(self) -> dict[str, Any]:
        """The next message of the client."""
        async with asyncio.timeout(LIMIT):
            return await self._from_client.get()

    @property
    def has_heard_all(self) -> bool:
        """Whether the client has said nothing more."""
        return self._from_client.empty()

    @property
    def unread(self) -> int:
        """Messages that the client has not read."""
        return self._to_client.qsize()

    # The client's end

    async def connect(self, timeout: float | None = None) -> None:
        self.connections += 1
        if self.refusals:
            raise self.refusals.pop(0)
        self.is_connected = True

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.reads.wait()
        if not self.is_connected:
            raise ConnectionClosedError(1006)
        self._from_client.put_nowait(dict(message))
        if self.acknowledges and message.get("type") == "connection_init":
            self.say(type="connection_ack")

    async def receive(self, timeout: float | None = None) -> dict[str, Any]:
        said = await self._to_client.get()
        if isinstance(said, Exception):
            raise said
        return said

    async def disconnect(self, timeout: float | None = None) -> None:
        self.is_connected = False


def refused() -> ConnectionFailedError:
    """Nobody listens."""
    return ConnectionFailedError("nobody listens")


async def connected(**options: Any) -> tuple[GraphqlWsClient, Server]:
    """A client that the server has acknowledged."""
    server = Server()
    client = GraphqlWsClient(server, **options)
    await client.connect_and_init()
    assert await server.heard() == {"type": "connection_init"}
    return client, server
