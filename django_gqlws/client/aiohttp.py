"""A transport over the network: ``pip install django-gqlws[client]``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

try:
    import aiohttp
except ImportError as error:
    raise ImportError("GraphqlWsTransportAiohttp needs aiohttp: pip install django-gqlws[client]") from error

from ..exceptions import ConnectionClosedError, ConnectionFailedError
from ..protocol.codec import decode, encode
from .transport import GraphqlWsTransport

HEARTBEAT = 30.0
"""Seconds of silence after which the network is asked whether the server is still there."""

CLOSE_TIMEOUT = 5.0
"""Seconds that a server has to answer our close."""

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""What a server may send in one message."""


class GraphqlWsTransportAiohttp(GraphqlWsTransport):
    """A WebSocket over aiohttp: ``GraphqlWsTransportAiohttp("wss://example.com/graphql/")``."""

    def __init__(
        self, url: str, cookies: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self._url = url
        self._cookies = cookies
        self._headers = headers
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def connect(self, timeout: float | None = None) -> None:
        await self.disconnect()
        try:
            async with asyncio.timeout(timeout or self.TIMEOUT):
                self._session = aiohttp.ClientSession(cookies=self._cookies, headers=self._headers)
                self._socket = await self._open(self._session)
                if self._socket.protocol != self.subprotocol:
                    await self._refuse_subprotocol(self._socket)
        except BaseException:
            await self.disconnect()
            raise

    async def _open(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        try:
            return await session.ws_connect(
                self._url,
                protocols=[self.subprotocol],
                heartbeat=HEARTBEAT,
                max_msg_size=MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailedError(f"{self._url}: {_in_words(error)}") from error

    async def _refuse_subprotocol(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        if socket.protocol is None:
            # A server that has no subprotocol in common with us says so by closing.
            _read(await socket.receive(), socket)
        raise ConnectionFailedError(f"{self._url} speaks {socket.protocol!r} instead of {self.subprotocol!r}.")

    async def send(self, message: Mapping[str, Any]) -> None:
        socket = self._open_socket()
        try:
            await socket.send_str(encode(message))
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionClosedError(socket.close_code or 1006, str(error)) from error

    async def receive(self, timeout: float | None = None) -> dict[str, Any]:
        socket = self._open_socket()
        async with asyncio.timeout(timeout or self.TIMEOUT):
            frame = await socket.receive()
        return _read(frame, socket)

    async def disconnect(self, timeout: float | None = None) -> None:
        socket, self._socket = self._socket, None
        session, self._session = self._session, None
        try:
            if socket is not None:
                async with asyncio.timeout(timeout or self.TIMEOUT):
                    await socket.close()
        finally:
            if session is not None:
                await session.close()

    def _open_socket(self) -> aiohttp.ClientWebSocketResponse:
        if self._socket is None:
            raise ConnectionClosedError(None, "Not connected.")
        return self._socket


def _in_words(error: Exception) -> str:
    if isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)):
        return "This is not the URL of a WebSocket, such as ws://localhost:8000/graphql/."
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"There is no WebSocket at this path: the server answered with HTTP {error.status}."
    return str(error)


_ENDS = {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


def _read(frame: aiohttp.WSMessage, socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    if frame.type in _ENDS:
        reason = frame.extra if frame.type is aiohttp.WSMsgType.CLOSE else str(socket.exception() or "")
        raise ConnectionClosedError(socket.close_code, reason or "")
    if frame.type is not aiohttp.WSMsgType.TEXT:
        raise ValueError("The server sent a binary frame.")
    message = decode(frame.data)
    if not isinstance(message, dict):
        raise ValueError("The server sent something else than a JSON object.")
    return message
