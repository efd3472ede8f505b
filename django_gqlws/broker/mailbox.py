"""The bounded queue of one subscription."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection
from enum import StrEnum

from ..counters import counters
from .envelope import Kind
from .event import Event

logger = logging.getLogger(__name__)

BATCH = Kind.BATCH  # Bound once: Python 3.11 is slow to look up a member in its Enum.


_NONE: deque[Event] = deque(maxlen=0)
"""Stands for the queue of a mailbox that has none."""


class WhenFull(StrEnum):
    """What becomes of a subscription whose client, or whose ``publish``, does not keep up."""

    DROP_OLDEST = "drop_oldest"
    """The oldest notifications are dropped; the client is told how many."""
    CLOSE = "close"
    """The subscription ends with an ``error``."""


class Mailbox:
    """Events of one subscription that wait for it, in order, up to a number and a sum of bytes.

    Full: the oldest are dropped, counted, and logged once. With a limit of 1 dropping is the purpose (only the newest
    state matters) and is not logged. An event that is larger than all bytes is kept while it is alone.
    A batch counts as one event; its parts are made when it is its turn.
    """

    __slots__ = ("_bytes", "_events", "_limit", "_max_bytes", "_owner", "_parts", "_warned")

    def __init__(self, limit: int, max_bytes: int, owner: str) -> None:
        # Made for the first event that has to wait, as few do: an empty deque takes 760 bytes.
        self._events: deque[Event] = _NONE
        # Of a batch whose first part was taken.
        self._parts = _NONE
        self._bytes = 0
        self._limit = limit
        self._max_bytes = max_bytes
        self._owner = owner
        self._warned = False

    def put(self, event: Event) -> int:
        """Takes an event in; how many older ones had to make room for it."""
        if self._events is _NONE:
            self._events = deque()
        self._events.append(event)
        self._bytes += event.size
        has_room = len(self._events) <= self._limit and self._bytes <= self._max_bytes
        return 0 if has_room else self._make_room()

    def take(self) -> Event:
        """The oldest event; of a batch, its next part."""
        if self._parts:
            return self._parts.popleft()
        event = self._pop()
        if event.kind is BATCH:
            self._parts = deque(event.parts)
            event = self._parts.popleft()
        return event

    def drop(self, groups: Collection[str]) -> None:
        """Drops what came from these groups: nobody wants it any more."""
        events, self._events = self._events, deque()
        self._parts = deque(part for part in self._parts if part.group not in groups)
        self._bytes = 0
        for event in events:
            if event.group not in groups:
                self._events.append(event)
                self._bytes += event.size

    def clear(self) -> None:
        """Drops what waits, for good."""
        self._events.clear()
        self._parts.clear()

    def __len__(self) -> int:
        return len(self._events) + len(self._parts)

    def _pop(self) -> Event:
        event = self._events.popleft()
        self._bytes -= event.size
        return event

    def _make_room(self) -> int:
        """How many had to go."""
        dropped = 0
        while len(self._events) > 1 and (len(self._events) > self._limit or self._bytes > self._max_bytes):
            self._pop()
            dropped += 1
        if dropped:
            counters.dropped += dropped
            self._warn()
        return dropped

    def _warn(self) -> None:
        if not self._warned and self._limit > 1:
            self._warned = True
            logger.warning(
                "%s is too slow: its queue is full (%d notifications or %d bytes), the oldest are dropped.",
                self._owner,
                self._limit,
                self._max_bytes,
            )
