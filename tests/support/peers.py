"""Clients of a consumer in the test's own process: no network, and the server's side runs on the test's loop.

peer = await Peer.connect(consumer, user="ann")
await peer.subscribe("1", "subscription { onEvent(room: \"a\") { text } }")   # It can miss nothing any more.
await OnEvent.broadcast(group="a", payload="hello")
assert await peer.data("1", 1) == [{"onEvent": {"text": "hello"}}]
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context, copy_context
from typing import Any

from tests.support.notes import LIMIT, Notes
from tests.support.wire import read_server_message

Application = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

CONFIRMED = {"data": None}
"""What a consumer with ``confirm_subscriptions`` says first of a subscription."""


connected: list[Peer] = []
"""Those whom the test has not made leave."""


class Peer:
    """A client that reads all it is sent, unless it is told to hold."""

    def __init__(self, application: Application, context: Context | None = None, **scope: Any) -> None:
        self.messages: Notes[dict[str, Any]] = Notes()
        """All that the server has sent, `connection_ack` and confirmations included."""
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        """The server's close, with code and reason."""
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reads = asyncio.Event()
        self._reads.set()
        whole = {
            "type": "websocket",
            "path": "/graphql/",
            "headers": [],
            "subprotocols": ["graphql-transport-ws"],
            **scope,
        }
        self._incoming.put_nowait({"type": "websocket.connect"})
        self._serving = asyncio.get_running_loop().create_task(
            _serve(application, whole, self._incoming.get, self._send), context=context or copy_context()
        )
        connected.append(self)

    @classmethod
    async def connect(
        cls,
        application: Application,
        *,
        init: Mapping[str, Any] | None = None,
        context: Context | None = None,
        **scope: Any,
    ) -> Peer:
        """A client that the server has acknowledged; ``scope`` is what ASGI middleware would have put there."""
        peer = cls(application, context, **scope)
        peer.send(type="connection_init", payload=init or {})
        await peer.until(lambda messages: messages[-1]["type"] == "connection_ack")
        return peer

    def send(self, **message: Any) -> None:
        """Say something to the server, which reads it later."""
        self.send_text(json.dumps(message))

    def send_text(self, text: str) -> None:
        """Send a text frame as it is."""
        self._incoming.put_nowait({"type": "websocket.receive", "text": text})

    def start(
        self, id: str, query: str, variables: Mapping[str, Any] | None = None, operation: str | None = None
    ) -> None:
        """Ask for an operation."""
        self.send(
            id=id,
            type="subscribe",
            payload={
                "query": query,
                **({} if variables is None else {"variables": variables}),
                **({} if operation is None else {"operationName": operation}),
            },
        )

    async def subscribe(
        self, id: str, query: str, variables: Mapping[str, Any] | None = None, operation: str | None = None
    ) -> None:
        """Start a subscription; return when it can no longer miss anything."""
        self.start(id, query, variables, operation)
        await self.until(lambda _: len(self.payloads(id)) > 0)
        assert self.payloads(id)[0] == CONFIRMED

    def complete(self, id: str) -> None:
        """Want no more of it."""
        self.send(id=id, type="complete")

    def payloads(self, id: str) -> list[Any]:
        """The payloads of all messages with this id, the confirmation included; None for a `complete`."""
        return [message.get("payload") for message in self.messages if message.get("id") == id]

    async def results(self, id: str, count: int) -> list[Any]:
        """So many results of a subscription (or its end: errors, None), the confirmation not counted."""
        await self.until(lambda _: len(self.payloads(id)) > count)
        return self.payloads(id)[1:]

    async def data(self, id: str, count: int) -> list[Any]:
        """The data of so many results, none of which has errors."""
        results = await self.results(id, count)
        assert [result for result in results if result.keys() - {"extensions"} != {"data"}] == []
        return [result["data"] for result in results]

    async def until(self, reached: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Return as soon as the messages are what they should come to."""
        try:
            await self.messages.until(lambda messages: bool(messages) and reached(messages))
        except TimeoutError:
            raise AssertionError(f"this is all that came: {self.messages}") from None

    async def barrier(self) -> None:
        """Return when the server has read everything that was sent to it so far."""
        count = len(self.messages)
        self.send(type="ping", payload={"barrier": count})
        await self.until(lambda messages: {"type": "pong", "payload": {"barrier": count}} in messages)

    def hold(self) -> None:
        """Read nothing more."""
        self._reads.clear()

    def release(self) -> None:
        """Read on."""
        self._reads.set()

    async def leave(self) -> None:
        """Disconnect; return when the server is done with this client."""
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        self.release()
        if self in connected:
            connected.remove(self)
        async with asyncio.timeout(LIMIT):
            await self._serving

    def cut(self) -> None:
        """Disconnect, and do not wait for what the server does about it."""
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._reads.wait()
        if message["type"] == "websocket.send":
            self.messages.add(read_server_message(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed.set_result((message.get("code", 1000), message.get("reason", "")))


async def _serve(application: Application, *asgi: Any) -> None:
    await application(*asgi)
