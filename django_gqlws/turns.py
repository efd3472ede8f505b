"""Taking turns: how many of those who want to run may do so at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """At most ``limit`` run at a time; the others wait in the order in which they came. None: no limit.

    It is no lock: it belongs to one event loop, and who waits may leave by doing nothing when its turn comes.
    """

    __slots__ = ("_limit", "_running", "_waiting")

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._running = 0
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def is_limited(self) -> bool:
        """Whether anybody ever waits."""
        return self._limit is not None

    def enter(self, begin: Callable[[], None]) -> None:
        """Calls ``begin`` when it is its turn, perhaps at once; the turn lasts until `leave`."""
        if self._limit is not None and self._running >= self._limit:
            self._waiting.append(begin)
        else:
            self._running += 1
            begin()

    def leave(self) -> None:
        """Ends a turn."""
        if self._waiting:
            # Not called from here: a long line of quick ones would be a deep stack.
            asyncio.get_running_loop().call_soon(self._waiting.popleft())
        else:
            self._running -= 1

    async def __aenter__(self) -> None:
        """The same for coroutines: ``async with turns``."""
        if self._limit is None or self._running < self._limit:
            self._running += 1
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiting.append(lambda: self.leave() if granted.cancelled() else granted.set_result(None))
        try:
            await granted
        except asyncio.CancelledError:
            if not granted.cancelled():
                self.leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self.leave()
