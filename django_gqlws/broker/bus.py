"""The sending side: envelopes into the channel layer, in order."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from uuid import uuid4

from ..counters import counters
from ..exceptions import BacklogError, BroadcastError
from .envelope import Envelope, Kind
from .layer import get_layer

MAX_WAITING = 10_000
"""Sends of one event loop that may wait for the channel layer; one more raises BacklogError."""

MAX_SEQUENCES = 10_000
"""Groups whose sequence a sender remembers; a forgotten one starts again at 1."""


class Bus:
    """Sends the envelopes of one event loop, one after the other: their order is the order of the calls."""

    def __init__(self) -> None:
        self._sender = uuid4().hex
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._sequences: OrderedDict[str, int] = OrderedDict()

    async def send(self, kind: Kind, group: str, payload: bytes) -> None:
        """Hands one envelope to the channel layer.

        Raises BroadcastError if the layer fails, ImproperlyConfigured if there is none.
        """
        if self._waiting >= MAX_WAITING:
            counters.send_failures += 1
            raise BacklogError(
                f"{MAX_WAITING} messages wait for the channel layer: await the broadcasts, or slow down."
            )
        self._waiting += 1
        try:
            async with self._turn:
                await self._hand_over(kind, group, payload)
        finally:
            self._waiting -= 1

    async def _hand_over(self, kind: Kind, group: str, payload: bytes) -> None:
        layer = get_layer()
        envelope = Envelope(kind, group, self._sender, self._next_sequence(group), time.time(), payload)
        try:
            await layer.group_send(group, envelope.to_message())
        except Exception as error:
            counters.send_failures += 1
            raise BroadcastError(
                f"The channel layer did not take the message: {type(error).__name__}: {error}"
            ) from error
        counters.sent += 1

    def _next_sequence(self, group: str) -> int:
        number = self._sequences.pop(group, 0) + 1
        self._sequences[group] = number
        if len(self._sequences) > MAX_SEQUENCES:
            self._sequences.popitem(last=False)
        return number
