"""`GraphqlWsClient`: queries, mutations and subscriptions over one WebSocket."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from ..exceptions import GraphqlWsResponseError, UnexpectedMessageError
from ..protocol.client import DIALECTS, TRANSPORT_WS, Kind
from ..protocol.close import Close
from .inbox import Inbox
from .link import Link
from .reconnect import Reconnect
from .stream import Stream
from .transport import GraphqlWsTransport

Variables = Mapping[str, Any]


class GraphqlWsClient:
    """A client of one server. Operations run side by side on its one connection::

        async with GraphqlWsClient(GraphqlWsTransportAiohttp("ws://localhost:8000/graphql/")) as client:
            result = await client.execute("{ hello }")
            async for result in client.stream("subscription { onMessage { text } }"):
                print(result["data"])

    It answers pings. What waits for a message raises ConnectionClosedError as soon as the connection is closed, and
    TimeoutError after the ``TIMEOUT`` of the transport (`stream` waits for ever). With ``reconnect`` it connects again,
    with the same payload of ``connection_init``, and subscribes the streams again; `execute` is never repeated.
    """

    AUTO: Final = object()

    def __init__(
        self,
        transport: GraphqlWsTransport,
        subprotocol: str = TRANSPORT_WS.subprotocol,
        *,
        reconnect: Reconnect | None = None,
    ) -> None:
        if subprotocol not in DIALECTS:
            raise ValueError(f"The subprotocol {subprotocol!r} is none of {', '.join(DIALECTS)}.")
        transport.subprotocol = subprotocol
        self._transport = transport
        self._dialect = DIALECTS[subprotocol]
        self._link = Link(transport, self._dialect, reconnect)

    @property
    def transport(self) -> GraphqlWsTransport:
        """What carries the messages."""
        return self._transport

    @property
    def connected(self) -> bool:
        """Whether the connection is open now."""
        return self._link.is_open

    # The connection

    async def connect_and_init(self, payload: Mapping[str, Any] | None = None) -> Mapping[str, Any] | None:
        """Connects, and sends ``connection_init`` with this payload; returns the payload of the ``connection_ack``.

        Raises ConnectionFailedError, ConnectionClosedError (4403: refused), GraphqlWsResponseError (refused by a server
        that speaks the legacy protocol), TimeoutError.
        """
        return await self._link.initialise(payload)

    async def wait_disconnect(self, timeout: float | None = None) -> Close:
        """Waits until the server has closed the connection: with what code and reason. Raises TimeoutError."""
        async with asyncio.timeout(timeout or self._transport.TIMEOUT):
            end = await self._link.ended()
        return Close(end.code or 1006, end.reason)

    async def finalize(self) -> None:
        """Disconnects, and frees all that the connection needed."""
        await self._link.close()

    async def __aenter__(self) -> Self:
        if not self.connected:
            await self.connect_and_init()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.finalize()

    # Operations

    async def execute(self, query: str, variables: Variables | None = None) -> Mapping[str, Any]:
        """The result of a query or mutation: ``{"data": ...}``.

        Raises GraphqlWsResponseError if it has errors.
        """
        id = self._link.new_id()
        inbox = await self._link.start(self._request(id, query, variables), is_repeated=False)
        try:
            return await self._result(inbox)
        finally:
            await self._link.stop(id, inbox)

    async def _result(self, inbox: Inbox) -> Mapping[str, Any]:
        response = await self._arrived(inbox)
        if self._dialect.kind(response) is not Kind.RESULT or not isinstance(response.get("payload"), Mapping):
            self._raise_errors(response)
            raise UnexpectedMessageError(f"A result was expected, and this came: {response}")
        end = await self._arrived(inbox)
        if self._dialect.kind(end) is not Kind.COMPLETE:
            raise UnexpectedMessageError(f"One result was expected, and another came (use stream()): {end}")
        self._raise_errors(response)
        return response["payload"]  # type: ignore[no-any-return]

    def stream(self, query: str, variables: Variables | None = None, operation_name: str | None = None) -> Stream:
        """The results of a subscription, as they come: ``async for result in client.stream(query)``."""
        return Stream(self._link, self._dialect, self._request(self._link.new_id(), query, variables, operation_name))

    async def start(
        self,
        query: str,
        *,
        variables: Variables | None = None,
        operation_name: str | None = None,
        msg_id: Any = AUTO,
    ) -> Any:
        """Starts an operation of any kind and returns its id; `receive` gives what comes of it."""
        id = uuid4().hex if msg_id is self.AUTO else msg_id
        await self._link.send(self._request(id, query, variables, operation_name))
        return id

    async def subscribe(self, query: str, *, variables: Variables | None = None, wait_confirmation: bool = True) -> Any:
        """Starts a subscription and returns its id; `receive` gives its notifications.

        With ``wait_confirmation`` (a server with ``confirm_subscriptions``) it can miss none from then on.
        """
        id = await self.start(query, variables=variables)
        if wait_confirmation:
            await self.receive(wait_id=id)
        return id

    async def complete(self, op_id: Any) -> None:
        """Wants nothing more of an operation that `start` or `subscribe` began."""
        await self._link.send(self._dialect.stop_message(op_id))

    # Messages of operations that were started by hand

    async def receive(
        self,
        *,
        wait_id: str | None = None,
        assert_id: str | None = None,
        assert_type: str | None = None,
        raw_response: bool = False,
    ) -> Any:
        """The payload of the next message (or with ``raw_response`` the message) of what `start` and `subscribe` began.

        With ``wait_id`` it is the next of this operation; those of others that came before are skipped. Raises
        GraphqlWsResponseError if it has errors, UnexpectedMessageError if its id or type is another one.
        """
        message = await self._arrived(self._link.inbox, wait_id)
        if assert_type is not None and message.get("type") != assert_type:
            raise UnexpectedMessageError(f"The type {assert_type!r} was expected, and this came: {message}")
        if assert_id is not None and message.get("id") != assert_id:
            raise UnexpectedMessageError(f"The id {assert_id!r} was expected, and this came: {message}")
        self._raise_errors(message)
        return message if raw_response else message.get("payload")

    async def receive_next(self, op_id: Any) -> Any:
        """The next message is a result of this operation: its payload."""
        return await self.receive(assert_id=op_id, assert_type=self._dialect.result)

    async def receive_complete(self, op_id: Any) -> Any:
        """The next message is the end of this operation."""
        return await self.receive(assert_id=op_id, assert_type="complete")

    async def wait_response(self, response_checker: Callable[[Any], bool], timeout: float | None = None) -> Any:
        """The first payload that the function accepts; those before are skipped. Raises TimeoutError."""
        async with asyncio.timeout(timeout or self._transport.TIMEOUT):
            while not response_checker(payload := await self.receive()):
                pass
        return payload

    # Parts

    def _request(
        self, id: Any, query: str, variables: Variables | None, operation_name: str | None = None
    ) -> dict[str, Any]:
        return self._dialect.start_message(id, textwrap.dedent(query), variables, operation_name)

    async def _arrived(self, inbox: Inbox, wait_id: str | None = None) -> dict[str, Any]:
        async with asyncio.timeout(self._transport.TIMEOUT):
            return await inbox.get(wait_id)

    def _raise_errors(self, message: Mapping[str, Any]) -> None:
        payload = message.get("payload")
        # Some servers say null where they have no errors.
        if self._dialect.kind(message) is Kind.ERROR or (isinstance(payload, Mapping) and payload.get("errors")):
            raise GraphqlWsResponseError(message)
