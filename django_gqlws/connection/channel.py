"""A channel of a connection's own in the channel layer: what is sent to it is for this one consumer."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ..broker.layer import Layer, get_layer
from ..counters import counters
from ..exceptions import BroadcastError
from ..tasks import Tasks, heed_cancellation

logger = logging.getLogger(__name__)

Message = dict[str, Any]

MAX_WAITING = 1_000
"""Messages that may wait for the handlers of one consumer; beyond, new ones are dropped, as the layer itself does."""

RETRY = 1.0
"""Seconds between attempts to receive while the channel layer fails."""


class OwnChannel:
    """Hands the messages of a channel to ``handle``, one after the other.

    Receiving never waits for a handler: a layer drops what is not fetched in time.
    """

    def __init__(self, layer: Layer, name: str, handle: Callable[[Message], Awaitable[None]]) -> None:
        self.name = name
        """What senders call it."""
        self._layer = layer
        self._handle = handle
        self._waiting: deque[Message] = deque()
        self._warned = False
        self._tasks = Tasks(_report)
        self._handling: asyncio.Task[None] | None = None
        self._receiving = self._tasks.start_soon(self._receive())

    @classmethod
    async def open(cls, handle: Callable[[Message], Awaitable[None]]) -> OwnChannel:
        """A new channel of the default layer, which receives from now on.

        Raises ImproperlyConfigured if there is no layer, BroadcastError if it fails.
        """
        layer = get_layer()
        try:
            name = await layer.new_channel()
        except Exception as error:
            raise BroadcastError(f"The channel layer gives no channel: {type(error).__name__}: {error}") from error
        return cls(layer, name, handle)

    def close(self) -> None:
        """Receives and handles nothing more; a handler that runs is cancelled."""
        self._waiting.clear()
        self._receiving.cancel()
        if self._handling is not None:
            self._handling.cancel()

    async def _receive(self) -> None:
        while True:
            try:
                self._take(await self._layer.receive(self.name))
            except Exception as error:
                counters.receive_failures += 1
                logger.error("Receiving from the channel of a connection failed, trying again: %r", error)
                await asyncio.sleep(RETRY)
            heed_cancellation()

    def _take(self, message: Message) -> None:
        if len(self._waiting) >= MAX_WAITING:
            counters.channel_dropped += 1
            if not self._warned:
                self._warned = True
                logger.warning("%d messages wait in the channel %s: new ones are dropped.", MAX_WAITING, self.name)
            return
        self._waiting.append(message)
        if self._handling is None:
            self._handling = self._tasks.start_soon(self._handle_all())

    async def _handle_all(self) -> None:
        while self._waiting:
            message = self._waiting.popleft()
            try:
                await self._handle(message)
            except Exception:
                logger.exception("A message of the type %r to the channel %s failed.", message.get("type"), self.name)
        self._handling = None


def _report(error: BaseException) -> None:
    logger.critical("The channel of a connection met an error that it did not expect: %r", error, exc_info=error)
