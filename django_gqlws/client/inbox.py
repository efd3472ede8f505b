"""Messages that wait for their reader, and when to read more of them from the connection."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any

Message = dict[str, Any]

LIMIT = 1024
"""Messages that may wait in one inbox."""


class Demand:
    """Whether more should be read from a connection that serves several inboxes.

    While an inbox is full nothing is read, so that the server notices that we are slow. But if somebody waits for a
    message it may be the next one: then reading goes on, and who does not read pays for it.
    """

    def __init__(self) -> None:
        self._waiting = 0
        self._full = 0
        self._open = asyncio.Event()
        self._open.set()

    async def wait(self) -> None:
        """Returns when more should be read."""
        await self._open.wait()

    def rose(self) -> None:
        """Somebody waits for a message."""
        self._change(waiting=1)

    def fell(self) -> None:
        """They have one, or do not wait any more."""
        self._change(waiting=-1)

    def filled(self) -> None:
        """An inbox has become full."""
        self._change(full=1)

    def drained(self) -> None:
        """It is not full any more."""
        self._change(full=-1)

    def _change(self, waiting: int = 0, full: int = 0) -> None:
        self._waiting += waiting
        self._full += full
        if self._waiting or not self._full:
            self._open.set()
        else:
            self._open.clear()


class Inbox:
    """Messages in the order of their arrival. What came before the end can still be read after it."""

    def __init__(self, demand: Demand, limit: int = LIMIT) -> None:
        self._demand = demand
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._readers: deque[asyncio.Future[None]] = deque()
        self._wanted: Counter[str] = Counter()
        self._end: Exception | None = None

    @property
    def is_full(self) -> bool:
        return len(self._messages) >= self._limit

    def put(self, message: Message) -> None:
        """Takes a message in, also beyond the limit."""
        was_full = self.is_full
        self._messages.append(message)
        if self.is_full and not was_full:
            self._demand.filled()
        self._wake()

    async def get(self, wait_id: str | None = None) -> Message:
        """The oldest message; with ``wait_id`` the oldest of this operation, and those before it are dropped.

        (But not those that somebody else waits for.) Raises what `end` was given when no message is left.
        """
        if wait_id is not None:
            self._wanted[str(wait_id)] += 1
        try:
            while (message := self._take(wait_id)) is None:
                if self._end is not None:
                    raise self._end.with_traceback(None)
                await self._arrival()
            return message
        finally:
            if wait_id is not None:
                self._wanted[str(wait_id)] -= 1

    def drop_oldest(self) -> None:
        """Makes room."""
        if self._messages:
            self._remove(0)

    def end(self, error: Exception) -> None:
        """Nothing more will come, because of this."""
        self._end = error
        self._wake()

    def begin(self) -> None:
        """Messages will come again."""
        self._end = None

    def discard(self) -> None:
        """Nobody will read it any more."""
        if self.is_full:
            self._demand.drained()
        self._messages.clear()

    async def _arrival(self) -> None:
        arrived = asyncio.get_running_loop().create_future()
        self._readers.append(arrived)
        self._demand.rose()
        try:
            await arrived
        except asyncio.CancelledError:
            if arrived in self._readers:
                self._readers.remove(arrived)
                self._demand.fell()
            raise

    def _wake(self) -> None:
        while self._readers:
            # Not when they run again: until then far more might be read than was asked for.
            self._demand.fell()
            arrived = self._readers.popleft()
            if not arrived.done():
                arrived.set_result(None)

    def _take(self, wait_id: str | None) -> Message | None:
        for index, message in enumerate(self._messages):
            if wait_id in (None, message.get("id")):
                return self._remove(index)
        return None

    def _remove(self, index: int) -> Message:
        was_full = self.is_full
        skipped = [self._messages.popleft() for _ in range(index)]
        found = self._messages.popleft()
        self._messages.extendleft(message for message in reversed(skipped) if self._wanted[str(message.get("id"))])
        if was_full and not self.is_full:
            self._demand.drained()
        return found
