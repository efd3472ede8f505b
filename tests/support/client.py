"""A GraphQL-over-WebSocket client for tests: real sockets, strict about every frame it receives.

    async with connect(server.ws_url) as client:
        await client.init()
        await client.subscribe("1", "{ value }")
        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": {"value": "value"}}}
        assert await client.receive() == {"id": "1", "type": "complete"}

It knows the frames of `graphql-transport-ws` and of the legacy `graphql-ws`, and nothing of the package under test,
so that both cannot be wrong in the same way.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websocket_connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.support.wire import MESSAGES, TRANSPORT_WS, read_server_message

GRAPHQL_TRANSPORT_WS = "graphql-transport-ws"
GRAPHQL_WS = "graphql-ws"

RECEIVE_TIMEOUT = 30
"""Seconds: far above what a loaded machine needs, so that only a message that never comes reaches it."""


INIT_TIMEOUT = 4408


class Closed(Exception):
    """The server closed the socket where a message was expected; `code` and `reason` are its own."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"closed with {code} {reason!r}")
        self.code = code
        self.reason = reason


class Client:
    """One open socket. `websocket` is the underlying connection of the `websockets` library."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self._ping_numbers = itertools.count(1)

    @property
    def subprotocol(self) -> str | None:
        """What the server chose, or None."""
        return self.websocket.subprotocol

    async def send(self, **message: Any) -> None:
        """Send one JSON message; the keyword arguments are its keys."""
        await self.send_text(json.dumps(message))

    async def send_text(self, text: str) -> None:
        """Send a text frame as it is. Like every sending, it raises Closed if the socket is closed already."""
        with self._telling_the_close():
            await self.websocket.send(text)

    async def send_together(self, *messages: Mapping[str, Any] | str) -> None:
        """Send several messages in one write: the server has all of them before it can answer the first."""
        texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
        with self._telling_the_close():
            async with self.websocket.send_context():
                for text in texts:
                    self.websocket.protocol.send_text(text.encode())
                # In one piece: left to the library, each frame would be a write of its own.
                self.websocket.transport.write(b"".join(self.websocket.protocol.data_to_send()))

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame as it is."""
        with self._telling_the_close():
            await self.websocket.send(data)

    async def receive(self, *, timeout: float = RECEIVE_TIMEOUT) -> dict[str, Any]:
        """The next message. Raises Closed if the socket closes instead, TimeoutError if nothing comes."""
        with self._telling_the_close():
            async with asyncio.timeout(timeout):
                frame = await self.websocket.recv()
        return read_server_message(frame, MESSAGES.get(self.subprotocol or "", TRANSPORT_WS))

    async def receive_until(self, type: str, *, id: str | None = None) -> list[dict[str, Any]]:
        """All messages up to and including the first of this type (and of this id, if one is given)."""
        messages = []
        while True:
            message = await self.receive()
            messages.append(message)
            if message["type"] == type and id in (None, message.get("id")):
                return messages

    async def init(self, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send `connection_init` and return the `connection_ack`."""
        await self.send(type="connection_init", **({} if payload is None else {"payload": payload}))
        message = await self.receive()
        assert message["type"] == "connection_ack", f"expected connection_ack, got {message}"
        return message

    async def begin_init(self, payload: Mapping[str, Any]) -> None:
        """Send a `connection_init` that takes long to decide about; return when the server has read it."""
        await self.send(type="connection_init", payload=payload)
        assert await self.barrier() == []

    async def subscribe(
        self,
        id: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> None:
        """Start an operation of any kind."""
        payload: dict[str, Any] = {"query": query}
        if variables is not None:
            payload["variables"] = variables
        if operation_name is not None:
            payload["operationName"] = operation_name
        await self.send(id=id, type="subscribe", payload=payload)

    async def complete(self, id: str) -> None:
        """Tell the server that the operation's result is no longer wanted."""
        await self.send(id=id, type="complete")

    async def execute(self, id: str, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run a query or mutation alone on this socket and return its result."""
        await self.subscribe(id, query, variables)
        result = await self.receive()
        assert (result["type"], result["id"]) == ("next", id), f"expected next, got {result}"
        complete = await self.receive()
        assert complete == {"id": id, "type": "complete"}, f"expected complete, got {complete}"
        payload: dict[str, Any] = result["payload"]
        return payload

    async def start(self, id: str, query: str, variables: Mapping[str, Any] | None = None) -> None:
        """Start an operation in the legacy dialect."""
        await self.send(id=id, type="start", payload={"query": query, "variables": variables or {}})

    async def stop(self, id: str) -> None:
        """Stop an operation in the legacy dialect."""
        await self.send(id=id, type="stop")

    async def barrier(self) -> list[dict[str, Any]]:
        """Everything the server sent before the pong to a ping sent now.

        An empty list shows that what was sent earlier has been read and caused no message so far.
        """
        payload = {"barrier": next(self._ping_numbers)}
        await self.send(type="ping", payload=payload)
        messages = []
        while (message := await self.receive()) != {"type": "pong", "payload": payload}:
            messages.append(message)
        return messages

    async def closed(self, *, timeout: float = RECEIVE_TIMEOUT) -> Closed:
        """The very next thing is a close: this one."""
        try:
            message = await self.receive(timeout=timeout)
        except Closed as closed:
            return closed
        raise AssertionError(f"expected a close, got {message}")

    async def expect_close(
        self, code: int | Sequence[int], reason: str | None = None, *, timeout: float = RECEIVE_TIMEOUT
    ) -> None:
        """The very next thing is a close with this code (or one of these) and exactly this reason."""
        closed = await self.closed(timeout=timeout)
        codes = [code] if isinstance(code, int) else list(code)
        assert closed.code in codes, f"expected close {code}, got {closed.code} {closed.reason!r}"
        assert reason is None or closed.reason == reason, f"expected {reason!r}, got {closed.reason!r}"

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in the orderly way."""
        await self.websocket.close(code, reason)

    def cut(self) -> None:
        """Drop the TCP connection without a closing handshake."""
        self.websocket.transport.abort()

    @contextmanager
    def _telling_the_close(self) -> Iterator[None]:
        try:
            yield
        except ConnectionClosed:
            raise Closed(self.websocket.close_code, self.websocket.close_reason or "") from None


@asynccontextmanager
async def connect(
    url: str,
    *,
    subprotocols: Sequence[str] | None = (GRAPHQL_TRANSPORT_WS,),
    origin: str | None = None,
    headers: Mapping[str, str] | None = None,
    compression: str | None = None,
) -> AsyncIterator[Client]:
    """A connected client, closed at the end of the block. `subprotocols=None` offers none."""
    async with websocket_connect(
        url,
        subprotocols=None if subprotocols is None else [Subprotocol(name) for name in subprotocols],
        origin=None if origin is None else Origin(origin),
        additional_headers=headers,
        compression=compression,
        open_timeout=RECEIVE_TIMEOUT,
        max_size=None,
        # A test that does not read everything can still read that the server closes.
        max_queue=None,
        # The library's own keep-alive frames and the machine's proxy settings have no part in a test.
        ping_interval=None,
        proxy=None,
    ) as websocket:
        yield Client(websocket)


@asynccontextmanager
async def connect_in_time(url: str, introduce: Callable[[Client], Awaitable[object]]) -> AsyncIterator[Client]:
    """A client that has introduced itself (`Client.init`, or `begin_init`) where the server waits only a moment for it.

    If the machine has held one of them up in this moment another client comes.
    """
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(RECEIVE_TIMEOUT):
            while not await _comes_in_time(client := await stack.enter_async_context(connect(url)), introduce):
                pass
        yield client


async def _comes_in_time(client: Client, introduce: Callable[[Client], Awaitable[object]]) -> bool:
    try:
        await introduce(client)
    except Closed as closed:
        if closed.code != INIT_TIMEOUT:
            raise
        return False
    return True


async def is_let_in(url: str, headers: Mapping[str, str]) -> None:
    """Return when the server acknowledges these headers: a process is told soon, not at once, that a block is over."""
    async with asyncio.timeout(RECEIVE_TIMEOUT):
        while True:
            async with connect(url, headers=headers) as client:
                with suppress(Closed):
                    await client.init()
                    return
