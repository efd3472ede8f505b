"""The results of one operation, as an asynchronous iterator."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from ..exceptions import ClientError, GraphqlWsResponseError
from ..protocol.client import ClientDialect, Kind
from .inbox import Inbox, Message
from .link import RECONNECTED, Link


class Stream:
    """The results of a subscription (or of any other operation), as they come: ``{"data": ...}``.

    A result may have ``errors``: that is one notification that failed, and the stream goes on. It raises
    GraphqlWsResponseError when the server refuses the operation, and ConnectionClosedError when the connection is
    closed for good. It starts when it is first read, and ends with `aclose`, with an ``async with`` block, or when
    nobody has a reference to it any more: ``async for result in client.stream(...)`` may be left at any time.
    """

    def __init__(self, link: Link, dialect: ClientDialect, request: Message) -> None:
        self.reconnects = 0
        """How often the connection was lost before the latest result: each time results may be missing."""
        self._link = link
        self._dialect = dialect
        self._request = request
        self._inbox: Inbox | None = None
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Mapping[str, Any]:
        if self._is_over:
            raise StopAsyncIteration
        if self._inbox is None:
            self._inbox = await self._link.start(self._request, is_repeated=True)
        try:
            return await self._result(self._inbox)
        except (ClientError, StopAsyncIteration):
            self._is_over = True
            raise

    async def _result(self, inbox: Inbox) -> Mapping[str, Any]:
        while True:
            message = await inbox.get()
            match self._dialect.kind(message):
                case Kind.RESULT:
                    return message["payload"]  # type: ignore[no-any-return]
                case Kind.ERROR:
                    raise GraphqlWsResponseError(message)
                case Kind.COMPLETE:
                    raise StopAsyncIteration
                case _ if message is RECONNECTED:
                    self.reconnects += 1

    async def aclose(self) -> None:
        """Ends it: the server has been told when this returns."""
        self._is_over = True
        if self._inbox is not None:
            await self._link.stop(self._request["id"], self._inbox)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._inbox is not None and not self._is_over:
            self._link.abandon(self._request["id"], self._inbox)
