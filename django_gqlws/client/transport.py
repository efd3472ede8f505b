"""What carries the messages of a client."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from ..exceptions import ConnectionClosedError
from ..protocol.client import TRANSPORT_WS


class GraphqlWsTransport(ABC):
    """Carries messages, which are dicts, to a server and back. Subclass it to use another network library.

    Timeouts are in seconds; None is `TIMEOUT`.
    """

    TIMEOUT: float = 60.0
    """How long a client waits for a message."""

    subprotocol: str = TRANSPORT_WS.subprotocol
    """What to offer to the server; the client sets it."""

    @abstractmethod
    async def connect(self, timeout: float | None = None) -> None:
        """Opens a connection, also after an earlier one was closed.

        Raises ConnectionFailedError, ConnectionClosedError (the server closed it at once), TimeoutError.
        """

    @abstractmethod
    async def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message. Raises ConnectionClosedError."""

    @abstractmethod
    async def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message. Raises ConnectionClosedError with the code of the server, or TimeoutError: nothing is lost
        then, and it may be called again."""

    @abstractmethod
    async def disconnect(self, timeout: float | None = None) -> None:
        """Closes the connection, if there is one, and frees all that it needed."""

    async def wait_disconnect(self, timeout: float | None = None) -> dict[str, Any]:
        """Waits until the server closes: ``{"type": "websocket.close", "code": 1000, "reason": ""}``.

        Messages that come before are skipped. Raises TimeoutError.
        """
        timeout = timeout or self.TIMEOUT
        async with asyncio.timeout(timeout):
            while True:
                try:
                    await self.receive(timeout)
                except ConnectionClosedError as closed:
                    return {"type": "websocket.close", "code": closed.code, "reason": closed.reason}
