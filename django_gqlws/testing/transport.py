"""A transport to an ASGI application in the same process: no network, no server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from typing import Any
from urllib.parse import unquote, urlsplit

from ..client.transport import GraphqlWsTransport as Interface
from ..exceptions import ConnectionClosedError, ConnectionFailedError
from ..execution.workers import runner
from ..protocol.client import TRANSPORT_WS
from ..protocol.codec import decode, encode
from .databases import Connections, close_others, lend, of_the_test, take_back
from .runner import ThreadSensitiveRunner

Event = dict[str, Any]
Application = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

MAX_UNREAD = 1024
"""Messages that the application may send before the test reads them; then it waits, as it would for a slow network."""


class GraphqlWsTransport(Interface):
    """A connection to an ASGI application (a consumer, a router, the project's own).

    ``communicator_kwds`` may have ``headers``, a list of pairs of bytes. `scope` is the connection's ASGI scope and may
    be changed until it is opened: ``transport.scope["user"] = user``.

    Sync code of the application runs where it sees the test's open transaction (`ThreadSensitiveRunner`).
    """

    TIMEOUT = 30.0

    def __init__(
        self,
        application: Any,
        path: str,
        communicator_kwds: Mapping[str, Any] | None = None,
        subprotocol: str = TRANSPORT_WS.subprotocol,
    ) -> None:
        url = urlsplit(path)
        self.subprotocol = subprotocol
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "path": unquote(url.path),
            "query_string": url.query.encode(),
            "headers": [],
            **(communicator_kwds or {}),
        }
        self._application: Application = application
        self._connection: _Connection | None = None
        self._lent: Connections = []

    async def connect(self, timeout: float | None = None) -> None:
        await self.disconnect()
        self._lent = await of_the_test()
        await asyncio.shield(asyncio.wrap_future(lend(self._lent)))
        scope = {"subprotocols": [self.subprotocol], **self.scope}
        self._connection = _Connection(self._application, scope)
        try:
            async with asyncio.timeout(timeout or self.TIMEOUT):
                await self._connection.accepted()
        except BaseException:
            await self.disconnect()
            raise

    async def send(self, message: Mapping[str, Any]) -> None:
        self._open_connection().send(encode(message))

    async def receive(self, timeout: float | None = None) -> dict[str, Any]:
        async with asyncio.timeout(timeout or self.TIMEOUT):
            text = await self._open_connection().receive()
        message: dict[str, Any] = decode(text)
        return message

    async def disconnect(self, timeout: float | None = None) -> None:
        connection, self._connection = self._connection, None
        lent, self._lent = self._lent, []
        try:
            if connection is not None:
                await connection.leave(timeout or self.TIMEOUT)
                await close_others()
        finally:
            await asyncio.shield(asyncio.wrap_future(take_back(lent)))

    def _open_connection(self) -> _Connection:
        if self._connection is None:
            raise ConnectionClosedError(None, "Not connected.")
        return self._connection


class _Connection:
    """The server's part of a connection: it runs the application."""

    def __init__(self, application: Application, scope: Mapping[str, Any]) -> None:
        self._to_application: asyncio.Queue[Event] = asyncio.Queue()
        self._from_application: asyncio.Queue[Event] = asyncio.Queue(MAX_UNREAD)
        self._end: ConnectionClosedError | None = None
        self._error: Exception | None = None
        """What the application raised and nobody was told yet."""
        self._is_left = False
        self._to_application.put_nowait({"type": "websocket.connect"})
        context = copy_context()
        context.run(runner.set, ThreadSensitiveRunner())
        self._running = asyncio.get_running_loop().create_task(self._run(application, scope), context=context)

    async def accepted(self) -> None:
        """Returns when the application has accepted the connection."""
        event = await self._next_event()
        if event["type"] != "websocket.accept":
            raise ConnectionFailedError(f"The application did not accept the connection: {event}")

    def send(self, text: str) -> None:
        """Says something to the application, which reads it later."""
        if self._end is not None:
            raise self._end.with_traceback(None)
        self._to_application.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self) -> str:
        """The next text that the application has sent."""
        event = await self._next_event()
        text: str | None = event.get("text")
        if text is None:
            raise ValueError(f"The application sent something else than text: {event}")
        return text

    async def leave(self, timeout: float) -> None:
        """Disconnects, and returns when the application is done; raises what it raised, unless `receive` did."""
        self._to_application.put_nowait({"type": "websocket.disconnect", "code": 1000})
        self._is_left = True
        while not self._from_application.empty():
            self._from_application.get_nowait()
        _, running = await asyncio.wait([self._running], timeout=timeout)
        if running:
            self._running.cancel()
            await asyncio.wait([self._running])
        elif self._error is not None:
            raise self._error

    async def _next_event(self) -> Event:
        if self._end is not None:
            raise self._end.with_traceback(None)
        event = await self._from_application.get()
        if event["type"] == "websocket.close":
            self._end = ConnectionClosedError(event.get("code", 1000), event.get("reason") or "")
        elif event["type"] == "ended":
            self._end = ConnectionClosedError(1006, "The application has ended.")
            self._end.__cause__, self._error = self._error, None
        if self._end is not None:
            raise self._end
        return event

    async def _run(self, application: Application, scope: Mapping[str, Any]) -> None:
        try:
            await application(scope, self._to_application.get, self._send)
        except Exception as error:
            self._error = error
        finally:
            await self._send({"type": "ended"})

    async def _send(self, event: Event) -> None:
        if event["type"] == "websocket.close":
            # What a server tells the application when the close is through.
            self._to_application.put_nowait({"type": "websocket.disconnect", "code": event.get("code", 1000)})
        if not self._is_left:
            await self._from_application.put(event)
