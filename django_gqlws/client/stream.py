"""The results of one operation, as an asynchronous iterable."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

from ..exceptions import GraphqlWsResponseError
from ..protocol.client import ClientDialect, Kind
from .inbox import Message
from .link import RECONNECTED, Link


class Stream:
    """The results of a subscription (or of any other operation), as they come: ``{"data": ...}``.

    A result may have ``errors``: that is one notification that failed, and the stream goes on. It raises
    GraphqlWsResponseError when the server refuses the operation, and ConnectionClosedError when the connection is
    closed for good. It starts when it is first read. Leaving a loop ends it at the server soon, ``async with`` (or
    `aclose`) at once.
    """

    def __init__(self, link: Link, dialect: ClientDialect, request: Message) -> None:
        self.reconnects = 0
        """How often the connection was lost before the latest result: each time results may be missing."""
        self._link = link
        self._dialect = dialect
        self._request = request
        self._results = self._read()

    def __aiter__(self) -> AsyncIterator[Mapping[str, Any]]:
        return self._results

    async def aclose(self) -> None:
        """Ends it."""
        await self._results.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(self) -> AsyncGenerator[Mapping[str, Any], None]:
        inbox = await self._link.start(self._request, is_repeated=True)
        try:
            while True:
                message = await inbox.get()
                match self._dialect.kind(message):
                    case Kind.RESULT:
                        yield message["payload"]
                    case Kind.ERROR:
                        raise GraphqlWsResponseError(message)
                    case Kind.COMPLETE:
                        return
                    case _ if message is RECONNECTED:
                        self.reconnects += 1
        finally:
            await self._link.stop(self._request["id"], inbox)
