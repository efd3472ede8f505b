"""The sending side: envelopes into the channel layer, in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeAlias
from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured

from ..counters import counters
from ..exceptions import BacklogError, BroadcastError
from ..tasks import Tasks, heed_cancellation
from .envelope import Envelope, Kind
from .layer import get_layer, sender_of_many

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Messages of one event loop that may wait for the channel layer; one more raises BacklogError."""

MAX_TOGETHER = 500
"""Messages that a layer gets in one call, if it takes several."""

MAX_TOGETHER_BYTES = 1024 * 1024
"""Bytes of payloads beyond which nothing more goes into the same call: Redis drops receivers that are 32 MiB behind."""

MAX_SEQUENCES = 10_000
"""Groups whose sequence a sender remembers; then it forgets all and takes a new name."""


Settle: TypeAlias = Callable[[BaseException | None], None]
"""Is called on the event loop: the channel layer has a message (None), or why not.

`asyncio.CancelledError`: the loop ends, and another one sends it.
"""


class Message(NamedTuple):
    """What is to be sent."""

    kind: Kind
    group: str
    payload: bytes


class Sender:
    """Gives each message its place among those of one sender to the same group."""

    def __init__(self) -> None:
        self._name = uuid4().hex
        self._sequences: dict[str, int] = {}

    def seal(self, message: Message) -> Envelope:
        """The message as it travels. The next one to its group must not overtake it."""
        kind, group, payload = message
        return Envelope(kind, group, self._name, self._next_sequence(group), time.time(), payload)

    def _next_sequence(self, group: str) -> int:
        if len(self._sequences) >= MAX_SEQUENCES and group not in self._sequences:
            # Forgotten numbers must not be used again under the same name.
            self._sequences.clear()
            self._name = uuid4().hex
        number = self._sequences[group] = self._sequences.get(group, 0) + 1
        return number


class Bus:
    """Sends the messages of one event loop in the order in which they were posted.

    A layer that takes several in one call (`sender_of_many`) gets all that have come while it was busy with the last
    ones; any other gets one after the other.

    ``inherit`` gets what the channel layer has not taken when the loop ends: from a view, say, that did not wait for
    its broadcast.
    """

    def __init__(self, inherit: Callable[[Sequence[Envelope]], None]) -> None:
        self._inherit = inherit
        self._sender = Sender()
        self._waiting: deque[tuple[Envelope, Settle]] = deque()
        self._is_sending = False
        self._tasks = Tasks(_report)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for the channel layer."""
        return not self._waiting

    def post(self, message: Message) -> asyncio.Future[None]:
        """Takes a message in; the future tells when the channel layer has it, or why not. It cannot be taken back.

        Its errors: BroadcastError if the layer fails, ImproperlyConfigured if there is none. Raises BacklogError.
        """
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.take(message, partial(_resolve, sent))
        return sent

    def take(self, message: Message, settle: Settle) -> None:
        """The same for somebody who waits in a way of his own. Raises BacklogError."""
        if len(self._waiting) >= MAX_WAITING:
            counters.send_failures += 1
            raise BacklogError(
                f"{MAX_WAITING} messages wait for the channel layer: await the broadcasts, or slow down."
            )
        self.forward(self._sender.seal(message), settle)

    def forward(self, envelope: Envelope, settle: Settle) -> None:
        """The same for an envelope of another bus. If the layer has it already, receivers see that it is the same."""
        self._waiting.append((envelope, settle))
        if not self._is_sending:
            self._is_sending = True
            self._tasks.start_soon(self._send_all(), Context()).add_done_callback(self._stopped)

    async def finish(self) -> None:
        """Returns when everything is sent."""
        await self._tasks.wait()

    async def _send_all(self) -> None:
        while self._waiting:
            heed_cancellation()
            # They stay in the queue until the layer has them: if the loop ends before, somebody else sends them.
            for error in await _hand_over(envelope for envelope, _ in self._waiting):
                _count(error)
                self._waiting.popleft()[1](error)
        self._is_sending = False

    def _stopped(self, sending: asyncio.Task[None]) -> None:
        if sending.cancelled():  # The event loop ends.
            self._is_sending = False
            left, self._waiting = self._waiting, deque()
            self._inherit([envelope for envelope, _ in left])
            for _, settle in left:
                settle(asyncio.CancelledError())


def _count(error: Exception | None) -> None:
    if error is None:
        counters.sent += 1
    else:
        counters.send_failures += 1


def _resolve(sent: asyncio.Future[None], error: BaseException | None) -> None:
    if sent.done():
        return  # Whoever waited does not any more.
    if error is None:
        sent.set_result(None)
    elif isinstance(error, asyncio.CancelledError):
        sent.cancel()
    else:
        sent.set_exception(error)


async def _hand_over(envelopes: Iterator[Envelope]) -> Sequence[Exception | None]:
    """Gives the layer the first ones, as many as it takes in one call: why it did not take them, one by one."""
    try:
        layer = get_layer()
        if (send_many := sender_of_many(layer)) is None:
            envelope = next(envelopes)
            await layer.group_send(envelope.group, envelope.to_message())
            return (None,)
        together = [(envelope.group, envelope.to_message()) for envelope in first(envelopes)]
        return [error and not_taken(error) for error in await send_many(together)]
    except ImproperlyConfigured as error:
        return (error,)
    except Exception as error:
        return (not_taken(error),)
    except asyncio.CancelledError:
        heed_cancellation()
        return (BroadcastError("The channel layer cancelled the sending."),)


def first(envelopes: Iterator[Envelope]) -> Iterator[Envelope]:
    """As many as go into one call."""
    size = 0
    for envelope in islice(envelopes, MAX_TOGETHER):
        yield envelope
        size += len(envelope.payload)
        if size >= MAX_TOGETHER_BYTES:
            return


def not_taken(error: Exception) -> BroadcastError:
    """What a sender gets for what the channel layer has raised."""
    failure = BroadcastError(f"The channel layer did not take the message: {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def _report(error: BaseException) -> None:
    logger.critical("The bus met an error that it did not expect: %r", error, exc_info=error)
