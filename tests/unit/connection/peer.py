"""A client of a `Connection` without a network: a socket that records, and a peer that talks through it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from django_gqlws.conf import Settings
from django_gqlws.connection import Connection
from django_gqlws.connection import Hooks as DefaultHooks
from django_gqlws.protocol.close import Close
from django_gqlws.protocol.dialect import Dialect
from django_gqlws.protocol.dialects import TRANSPORT_WS
from tests.project.schema import schema
from tests.support.notes import Notes
from tests.support.wire import MESSAGES, read_server_message


class RecordingSocket:
    """What was written to it, in order. On hold, a write waits like one to a client that does not read."""

    def __init__(self) -> None:
        self.written: Notes[str | Close] = Notes()
        self.error: Exception | None = None
        self._passage = asyncio.Event()
        self._passage.set()

    def hold(self) -> None:
        self._passage.clear()

    def release(self) -> None:
        self._passage.set()

    async def send(self, message: dict[str, Any]) -> None:
        await self._pass()
        text = message.get("text")
        self.written.add(Close(message["code"], message["reason"]) if text is None else text)

    async def _pass(self) -> None:
        if not self._passage.is_set():
            await self._passage.wait()
        if self.error is not None:
            raise self.error


class Hooks(DefaultHooks):
    """An application that admits everybody and everything."""

    def __init__(self, on_connect: Callable[..., Any] | None = None, on_operation: Callable[..., Any] | None = None):
        self._on_connect = on_connect
        self._on_operation = on_operation

    async def on_connect(self, payload: Mapping[str, Any]) -> Any:
        return self._on_connect(payload) if self._on_connect else None

    async def on_operation(self, op_id: str, payload: Mapping[str, Any]) -> Any:
        return self._on_operation(op_id, payload) if self._on_operation else None


class Peer:
    """Says what a client says, and reads what it gets."""

    def __init__(self, settings: Settings, hooks: Any, dialect: Dialect = TRANSPORT_WS) -> None:
        self.socket = RecordingSocket()
        self.connection = Connection(self.socket.send, {}, settings, hooks, dialect)
        self._messages = MESSAGES[dialect.subprotocol]
        self._read = 0
        self._numbers = itertools.count()

    def send(self, **message: Any) -> None:
        self.connection.receive_text(json.dumps(message))

    def subscribe(self, id: str, query: str, **variables: Any) -> None:
        self.send(type="subscribe", id=id, payload={"query": query, "variables": variables})

    def complete(self, id: str) -> None:
        self.send(type="complete", id=id)

    async def receive(self) -> dict[str, Any]:
        """The next message; a close has the keys code and reason."""
        await self.socket.written.reached(self._read + 1)
        item = self.socket.written[self._read]
        self._read += 1
        if isinstance(item, Close):
            return {"code": item.code, "reason": item.reason}
        return read_server_message(item, self._messages)

    async def execute(self, query: str, **variables: Any) -> dict[str, Any]:
        """The result of a query or mutation, which is the next thing that this peer gets."""
        id = f"execute {next(self._numbers)}"
        self.subscribe(id, query, **variables)
        result = await self.receive()
        assert (result["id"], result["type"]) == (id, "next"), result
        assert await self.receive() == {"id": id, "type": "complete"}
        payload: dict[str, Any] = result["payload"]
        return payload

    async def expect_next(self, id: str, **data: Any) -> None:
        """The next thing is this result without errors."""
        assert await self.receive() == {"id": id, "type": "next", "payload": {"data": data}}

    def assert_silence(self) -> None:
        """Nothing has come since."""
        assert self.socket.written[self._read :] == []


# A machine that is busy is no reason to close or to warn.
SETTINGS = {
    "schema": schema,
    "connection_init_wait_timeout": None,
    "warn_operation_timeout": None,
    "mask_errors": True,
}


@asynccontextmanager
async def connect(
    hooks: Any = None, *, init: bool = True, dialect: Dialect = TRANSPORT_WS, **settings: Any
) -> AsyncIterator[Peer]:
    """A peer, acknowledged; its socket is gone at the end of the block, and nothing of it runs any more."""
    peer = Peer(Settings(**{**SETTINGS, **settings}), hooks or Hooks(), dialect)
    try:
        if init:
            peer.send(type="connection_init")
            assert (await peer.receive())["type"] == "connection_ack"
        yield peer
    finally:
        await peer.connection.disconnected(1006)
