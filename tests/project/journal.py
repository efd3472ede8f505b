"""What happened in the server's process, counted and awaited: how a test at the end of a socket sees inside.

The same notes are the gates that hold an operation until a test lets it go on, so no test ever sleeps.
"""

from __future__ import annotations

import asyncio
import enum
import threading
from collections import Counter, defaultdict

BLOCKING_LIMIT = 60
"""Seconds after which a blocked thread gives up, so that a failed test does not keep a worker for good."""


class Event(enum.Enum):
    """What can happen to the operation or the source stream that a test has named by a key."""

    STARTED = "started"
    OPENED = "opened"
    EXECUTED = "executed"
    CANCELLED = "cancelled"
    PUBLISHED = "published"
    RELEASED = "released"
    UNSUBSCRIBED = "unsubscribed"


Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


class Journal:
    """Counts events by key. Notes may be made, and waited for, on any loop and in any thread."""

    def __init__(self) -> None:
        self._noted = threading.Condition()
        self._counts: Counter[tuple[Event, str]] = Counter()
        self._waiters: defaultdict[tuple[Event, str], set[Waiter]] = defaultdict(set)

    def note(self, event: Event, key: str) -> int:
        """Count one more and wake those who wait for it; returns the new count."""
        with self._noted:
            self._counts[event, key] += 1
            count = self._counts[event, key]
            waiters = self._waiters.pop((event, key), ())
            self._noted.notify_all()
        for loop, noted in waiters:
            loop.call_soon_threadsafe(noted.set)
        return count

    def count(self, event: Event, key: str) -> int:
        """How often it has happened so far."""
        return self._counts[event, key]

    async def reached(self, event: Event, key: str, count: int = 1) -> int:
        """Wait on the loop until it has happened `count` times; returns how often it has happened then."""
        while True:
            waiter = asyncio.get_running_loop(), asyncio.Event()
            with self._noted:
                if self._counts[event, key] >= count:
                    return self._counts[event, key]
                self._waiters[event, key].add(waiter)
            try:
                await waiter[1].wait()
            finally:
                with self._noted:
                    self._waiters[event, key].discard(waiter)

    def wait(self, event: Event, key: str, count: int = 1) -> int:
        """Block the thread until it has happened `count` times."""
        with self._noted:
            self._noted.wait_for(lambda: self._counts[event, key] >= count, BLOCKING_LIMIT)
            return self._counts[event, key]


journal = Journal()
