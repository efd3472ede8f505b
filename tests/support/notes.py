"""What happened on one event loop, in order, and a gate for threads: how a test waits for events, not for time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LIMIT = 30
"""Seconds: far above what a loaded machine needs, so that only what never happens reaches it."""


class Notes(list[T], Generic[T]):
    """Notes of a test's own loop; `add` makes one."""

    def __init__(self) -> None:
        super().__init__()
        self._added = asyncio.Event()

    def add(self, item: T) -> None:
        """Make a note and wake those who wait."""
        self.append(item)
        self._added.set()

    async def until(self, reached: Callable[[list[T]], bool]) -> None:
        """Return as soon as the notes are what they should come to."""
        async with asyncio.timeout(LIMIT):
            while not reached(self):
                self._added.clear()
                await self._added.wait()

    async def reached(self, count: int, item: T | None = None) -> None:
        """Return as soon as there are so many notes, or so many of one item."""
        await self.until(lambda notes: (len(notes) if item is None else notes.count(item)) >= count)


class ThreadGate:
    """Holds a worker thread until the test opens it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._opened = threading.Event()
        self.reached = asyncio.Event()
        """Set when a thread has come here."""

    def wait(self) -> None:
        """Block the thread until the gate is open."""
        self._loop.call_soon_threadsafe(self.reached.set)
        assert self._opened.wait(LIMIT), "nobody opened the gate"

    def open(self) -> None:
        """Let go who waits, now and later."""
        self._opened.set()
