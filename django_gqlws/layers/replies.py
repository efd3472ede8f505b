"""What event loops and threads wait for, and how another thread answers them."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ThreadReply:
    """What a thread waits for, to be answered by another one with `deliver`."""

    __slots__ = ("_is_there", "error", "result")

    def __init__(self) -> None:
        self.result: Any = None
        self.error: Exception | None = None
        self._is_there = threading.Lock()
        self._is_there.acquire()

    def wait(self, timeout: float) -> Exception | None:
        """What went wrong: None if nothing did, a TimeoutError if there is no answer within so many seconds. Once."""
        if self._is_there.acquire(timeout=max(timeout, 0)):
            return self.error
        return TimeoutError(f"There was no answer within {timeout:g} seconds.")

    def settle(self) -> None:
        """Hands the answer over."""
        self._is_there.release()


class Reply(Generic[T]):
    """A future of the running event loop, to be answered by another thread with `deliver`.

    ``give_back`` is called with a result that nobody takes any more: the waiting task was cancelled, or its loop is
    closed.
    """

    __slots__ = ("_give_back", "error", "future", "loop", "result")

    def __init__(self, give_back: Callable[[T], None] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self.result: Any = None
        self.error: Exception | None = None
        self._give_back = give_back

    async def wait(self) -> T:
        """The answer. Raises the error that was given instead."""
        try:
            return await self.future
        except asyncio.CancelledError:
            if self.future.done() and not self.future.cancelled():  # The answer came in the same moment.
                self.refuse()
            raise

    def settle(self) -> None:
        """On the loop: hands the answer over."""
        if self.future.done():
            self.refuse()
        elif self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)

    def refuse(self) -> None:
        """Nobody waits any more."""
        if self._give_back is not None and self.error is None:
            self._give_back(self.result)


def deliver(replies: Iterable[Reply[Any] | ThreadReply]) -> None:
    """Wakes all who wait, each loop once. To be called from any thread."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Reply[Any]]] = defaultdict(list)
    for reply in replies:
        if isinstance(reply, ThreadReply):
            reply.settle()
        else:
            by_loop[reply.loop].append(reply)
    for loop, of_loop in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, of_loop)
        except RuntimeError:  # The loop is closed.
            for reply in of_loop:
                reply.refuse()


def _settle(replies: Iterable[Reply[Any]]) -> None:
    for reply in replies:
        reply.settle()
