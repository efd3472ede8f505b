"""Noticing what takes too long, with one timer for all that have the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable


class Deadlines:
    """Calls back for what was started and not stopped within ``seconds``. It belongs to one event loop.

    Starting and stopping is a dict's insert and delete: what ends in time, as nearly everything does, costs no timer.
    """

    __slots__ = ("_callbacks", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # All have the same time: the first that was started is the first to be late.
        self._callbacks: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, key: Hashable, callback: Callable[[], None]) -> None:
        """Calls back, once, unless `stop` comes first."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        self._callbacks[key] = deadline, callback
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._ring)

    def stop(self, key: Hashable) -> None:
        """It ended."""
        self._callbacks.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        """Whether it was started and neither stopped nor called back."""
        return key in self._callbacks

    def __len__(self) -> int:
        return len(self._callbacks)

    def _ring(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        late = []
        for key, (deadline, _) in self._callbacks.items():
            if deadline > now:
                self._timer = loop.call_at(deadline, self._ring)
                break
            late.append(key)
        for key in late:
            loop.call_soon(self._call_back, key)

    def _call_back(self, key: Hashable) -> None:
        # Looked up as late as this: it may have ended since the timer rang, and one that is called may stop another.
        _, callback = self._callbacks.pop(key, (0.0, None))
        if callback is not None:
            callback()
