"""A client with what tests want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..client import client
from ..exceptions import GraphqlWsResponseError, UnexpectedMessageError
from ..protocol.close import Close


class GraphqlWsClient(client.GraphqlWsClient):
    """A client for tests: with a `GraphqlWsTransport` of this package it talks to an application without a network."""

    async def connect_and_init(
        self, payload: Mapping[str, Any] | None = None, *, connect_only: bool = False
    ) -> Mapping[str, Any] | None:
        """Connects and sends ``connection_init``; with ``connect_only`` the test sends it, and receives the answer."""
        if connect_only:
            await self._link.open()
            return None
        return await super().connect_and_init(payload)

    async def send_raw_message(self, message: Mapping[str, Any]) -> None:
        """Sends a message as it is, however wrong."""
        await self._link.send(message)

    async def receive_error(self, msg_id: Any) -> tuple[Any, Any]:
        """The next message of an operation has errors: these, and the data that came with them, or None."""
        try:
            payload = await self.receive(wait_id=msg_id)
        except GraphqlWsResponseError as error:
            answer = error.response["payload"]
            return (answer["errors"], answer.get("data")) if isinstance(answer, Mapping) else (answer, None)
        raise UnexpectedMessageError(f"Errors were expected, and this came: {payload}")

    async def assert_no_messages(
        self, error_message: str | None = None, attempts: int = 10, interval: float = 0.1
    ) -> None:
        """Nothing comes for ``attempts * interval`` seconds; pings do not count."""
        try:
            async with asyncio.timeout(attempts * interval):
                message = await self._link.inbox.get()
        except TimeoutError:
            return
        raise UnexpectedMessageError(f"{error_message or 'No message was expected, and this came'}: {message}")

    async def wait_disconnect(self, timeout: float | None = None, assert_code: int | None = None) -> Close:
        """Waits until the server has closed the connection: with what code (this one) and reason."""
        close = await super().wait_disconnect(timeout)
        if assert_code is not None and close.code != assert_code:
            raise UnexpectedMessageError(f"A close with {assert_code} was expected, and this came: {close}")
        return close
