"""The connection of a client: the first one, and those that replace it."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ..exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectionFailedError,
    GraphqlWsResponseError,
    SlowReaderError,
    UnexpectedMessageError,
)
from ..protocol.client import LAST, ClientDialect, Kind, init_message, is_final, pong_message
from ..tasks import Tasks
from .inbox import Demand, Inbox, Message
from .reconnect import Reconnect
from .transport import GraphqlWsTransport

logger = logging.getLogger(__name__)

RECONNECTED: Message = {"type": "reconnected"}
"""Put between two messages of a stream where the connection was lost; no server can send it as such."""

LOST = (ConnectionClosedError, ConnectionFailedError, TimeoutError, GraphqlWsResponseError, UnexpectedMessageError)
"""How an attempt to connect may fail."""


MAX_UNSENT = 100
"""Messages that may wait for a server that does not read: beyond, its pings are not answered."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation whose messages have an inbox of their own."""

    inbox: Inbox
    request: Message | None
    """What to send after a reconnect; None: it is not repeated."""


class Link:
    """Reads all that comes, in a task of its own, and gives each message to whom it belongs.

    Messages of no operation that is registered here are for `inbox`.
    """

    def __init__(self, transport: GraphqlWsTransport, dialect: ClientDialect, reconnect: Reconnect | None) -> None:
        self.is_open = False
        self.end = ConnectionClosedError(None, "It was not opened yet: await connect_and_init().")
        """Why it is closed, when it is."""
        self.dropped = 0
        """Messages that nobody received."""
        self._transport = transport
        self._dialect = dialect
        self._reconnect = reconnect
        self._init_payload: Mapping[str, Any] | None = None
        self._demand = Demand()
        self.inbox = Inbox(self._demand)
        self._operations: dict[str, Operation] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reading: asyncio.Task[None] | None = None
        self._speaking = Tasks(_report)
        self._name = uuid4().hex
        self._numbers = itertools.count(1)

    # Opening and closing

    async def open(self) -> None:
        """Connects, and reads from now on."""
        self._refuse_twice()
        await self._transport.connect()
        self._begin()

    async def initialise(self, payload: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Connects and introduces the client; returns the payload of the ``connection_ack``."""
        self._refuse_twice()
        self._init_payload = payload
        answer = await self._shake_hands()
        self._begin()
        return answer

    async def ended(self) -> ConnectionClosedError:
        """Returns, when the connection is closed for good, how it ended."""
        if self._reading is not None:
            self._demand.rose()  # The end may be behind what nobody reads.
            try:
                await asyncio.wait([self._reading])
            finally:
                self._demand.fell()
        return self.end

    async def close(self) -> None:
        """Disconnects; everybody who waits for a message gets a ConnectionClosedError."""
        reading, self._reading = self._reading, None
        if reading is not None and not reading.done():
            self.end = ConnectionClosedError(1000, "By this client.")
            reading.cancel()
            await asyncio.wait([reading])
        await self._transport.disconnect()
        await self._speaking.wait()

    def _refuse_twice(self) -> None:
        if self._reading is not None and not self._reading.done():
            raise ClientError("This client is connected already.")

    def _begin(self) -> None:
        self.is_open = True
        self.inbox.begin()
        if self._reading is None or self._reading.done():
            self._loop = asyncio.get_running_loop()
            self._reading = self._loop.create_task(self._serve())
            # Not `finally`: a task that is cancelled before it has begun runs none of it.
            self._reading.add_done_callback(self._finish)

    async def _shake_hands(self) -> Mapping[str, Any] | None:
        await self._transport.connect()
        try:
            async with asyncio.timeout(self._transport.TIMEOUT):
                await self._transport.send(init_message(self._init_payload))
                return await self._acknowledged()
        except BaseException:
            await self._hang_up()
            raise

    async def _acknowledged(self) -> Mapping[str, Any] | None:
        while True:
            message = await self._transport.receive()
            match self._dialect.kind(message):
                case Kind.ACK:
                    return message.get("payload")
                case Kind.PING:
                    await self._transport.send(pong_message(message))
                case Kind.REFUSED:
                    raise GraphqlWsResponseError(message, "The server refused the connection")
                case Kind.ALIVE:
                    pass
                case _:
                    raise UnexpectedMessageError(f"A connection_ack was expected, and this came: {message}")

    # Operations

    async def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message. Raises ConnectionClosedError."""
        if not self.is_open:
            raise self.end.with_traceback(None)
        await self._transport.send(message)

    def new_id(self) -> str:
        """The id of an operation with an inbox of its own."""
        return f"{self._name}-{next(self._numbers)}"

    async def start(self, request: Message, *, is_repeated: bool) -> Inbox:
        """Starts an operation, whose id is of `new_id`; its messages come into the returned inbox."""
        inbox = Inbox(self._demand)
        self._operations[request["id"]] = Operation(inbox, request if is_repeated else None)
        try:
            await self.send(request)
        except BaseException:
            self._operations.pop(request["id"], None)
            raise
        return inbox

    async def stop(self, id: str, inbox: Inbox) -> None:
        """Wants nothing more of an operation, whether it is over or not."""
        inbox.discard()
        if self._operations.pop(id, None) is not None and self.is_open:
            await self._send_quietly(self._dialect.stop_message(id))

    def abandon(self, id: str, inbox: Inbox) -> None:
        """The same for an operation that nobody knows any more, from wherever the garbage collector runs."""
        if self._loop is not None:
            with suppress(RuntimeError):  # The loop is closed.
                self._loop.call_soon_threadsafe(self._forget, id, inbox)

    def _forget(self, id: str, inbox: Inbox) -> None:
        inbox.discard()
        if self._operations.pop(id, None) is not None and self.is_open:
            self._speak(self._dialect.stop_message(id))

    # Reading

    async def _serve(self) -> None:
        while True:
            self.end = await self._read()
            self.is_open = False
            await self._hang_up()
            is_lost = self._reconnect is None or is_final(self.end.code)
            self._end_operations(but_repeated=not is_lost)
            if is_lost or not await self._connect_again():
                return

    def _finish(self, _: object) -> None:
        self.is_open = False
        self._end_operations(but_repeated=False)

    async def _read(self) -> ConnectionClosedError:
        """Reads until the connection is closed; returns how it ended."""
        while True:
            await self._demand.wait()
            try:
                self._take(await self._transport.receive())
            except TimeoutError:
                continue  # Nothing was said for a while; that is no fault.
            except Exception as error:
                return _closed_by(error)

    def _take(self, message: Message) -> None:
        kind = self._dialect.kind(message)
        if kind is Kind.PING:
            if len(self._speaking) < MAX_UNSENT:
                self._speak(pong_message(message))
        elif kind is not Kind.ALIVE:
            self._deliver(message, kind)

    def _deliver(self, message: Message, kind: Kind) -> None:
        id = str(message.get("id"))
        operation = self._operations.get(id)
        if operation is not None:
            self._hand_over(id, operation.inbox, message, kind)
        elif not id.startswith(self._name):  # Otherwise it crossed our wish to have no more of it.
            self._keep(message)

    def _hand_over(self, id: str, inbox: Inbox, message: Message, kind: Kind) -> None:
        if kind in LAST:
            del self._operations[id]
        elif inbox.is_full:
            del self._operations[id]
            inbox.end(SlowReaderError("Read the stream faster, or give it a client of its own."))
            self._speak(self._dialect.stop_message(id))
            return
        inbox.put(message)

    def _keep(self, message: Message) -> None:
        if self.inbox.is_full:
            if not self.dropped:
                logger.warning("Nobody receives the messages of operations started by hand: the oldest are dropped.")
            self.dropped += 1
            self.inbox.drop_oldest()
        self.inbox.put(message)

    def _speak(self, message: Message) -> None:
        """Sends a message by and by: a server that does not read must not keep us from reading."""
        self._speaking.start(self._send_quietly(message))

    async def _send_quietly(self, message: Message) -> None:
        with suppress(ConnectionClosedError):
            await self._transport.send(message)

    # After a loss

    async def _connect_again(self) -> bool:
        assert self._reconnect is not None
        for delay in self._reconnect.delays():
            await asyncio.sleep(delay)
            try:
                await self._shake_hands()
            except LOST as error:
                logger.info("Connecting again failed: %s", error)
                if isinstance(error, ConnectionClosedError):
                    self.end = error
                    if is_final(error.code):
                        return False
            else:
                self._begin()
                # Those of now: what begins from here on is sent by who begins it.
                self._speaking.start(self._repeat(list(self._operations.items())))
                return True
        return False

    async def _repeat(self, operations: Sequence[tuple[str, Operation]]) -> None:
        for id, operation in operations:
            if operation.request is not None and id in self._operations:
                operation.inbox.put(RECONNECTED)
                await self._send_quietly(operation.request)

    def _end_operations(self, *, but_repeated: bool) -> None:
        self.inbox.end(self.end)
        for id, operation in list(self._operations.items()):
            if operation.request is None or not but_repeated:
                del self._operations[id]
                operation.inbox.end(self.end)

    async def _hang_up(self) -> None:
        try:
            await self._transport.disconnect()
        except Exception as error:
            logger.debug("Disconnecting failed: %r", error, exc_info=error)


def _closed_by(error: Exception) -> ConnectionClosedError:
    if isinstance(error, ConnectionClosedError):
        return error
    logger.debug("The connection is given up: %r", error, exc_info=error)
    closed = ConnectionClosedError(None, f"{type(error).__name__}: {error}")
    closed.__cause__ = error
    return closed


def _report(error: BaseException) -> None:
    logger.error("A message was not sent: %r", error, exc_info=error)
