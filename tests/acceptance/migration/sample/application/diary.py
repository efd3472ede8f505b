"""What happened inside the application, and gates that hold it: how a test waits for events, not for time."""

import asyncio
import threading
from typing import Any

LIMIT = 30
"""Seconds: far above what a loaded machine needs."""


class Diary:
    """Notes of resolvers and hooks, from any thread, read on the test's loop."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew: notes, gates and waiters belong to one test."""
        self.notes: list[Any] = []
        self._gates: dict[str, asyncio.Event] = {}
        self._thread_gates: dict[str, threading.Event] = {}
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def note(self, what: Any) -> None:
        self.notes.append(what)
        for loop, noted in list(self._waiters):
            loop.call_soon_threadsafe(noted.set)

    async def until(self, what: Any, count: int = 1) -> None:
        """Return as soon as this was noted `count` times."""
        noted = asyncio.Event()
        self._waiters.append((asyncio.get_running_loop(), noted))

        async def wait() -> None:
            while self.notes.count(what) < count:
                await noted.wait()
                noted.clear()

        await asyncio.wait_for(wait(), LIMIT)

    def open(self, key: str) -> None:
        """Let go what waits at this gate, now and later."""
        self._gate(key).set()
        self._thread_gate(key).set()

    def block(self, key: str) -> None:
        """Block the thread until the gate is open."""
        assert self._thread_gate(key).wait(LIMIT), "nobody opened the gate"

    async def wait(self, key: str) -> None:
        """Note `started <key>`, and wait for the gate; `cancelled <key>` if it came to that."""
        self.note(f"started {key}")
        try:
            await self._gate(key).wait()
        except asyncio.CancelledError:
            self.note(f"cancelled {key}")
            raise

    def _gate(self, key: str) -> asyncio.Event:
        return self._gates.setdefault(key, asyncio.Event())

    def _thread_gate(self, key: str) -> threading.Event:
        return self._thread_gates.setdefault(key, threading.Event())


diary = Diary()
