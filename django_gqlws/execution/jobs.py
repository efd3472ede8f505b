"""A sync function on its way through a thread, and back to the event loop that waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import Context, copy_context
from typing import Any

from asgiref.sync import _restore_context as restore_context

from .borrowed_loop import BorrowedLoop, switch_to

_Deferred = tuple[Callable[..., Any], tuple[Any, ...], Context]

_NOTHING_AROUND = nullcontext()


class Job:
    """A call of a sync function. Whoever runs it calls `run`, once, in a thread where the function may block."""

    # Many are under way at the same time: each object more in one is work for the garbage collector.
    __slots__ = (
        "_args",
        "_context",
        "_deferred",
        "_function",
        "_way_back",
        "error",
        "is_over",
        "loop",
        "result",
        "tasks",
        "waiter",
    )

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._way_back = _current_way_back()
        self._function = function
        self._args = args
        self._context = copy_context()
        self._deferred: list[_Deferred] | None = None
        self.loop = self._way_back.loop
        """The event loop that waits for it."""
        self.tasks: list[asyncio.Task[Any]] = []
        """What the function has the loop do for it with ``async_to_sync``."""
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_over = False
        """Known on the loop."""
        self.waiter: asyncio.Future[None] = self.loop.create_future()

    @property
    def borrowed_loop(self) -> BorrowedLoop:
        """The loop as the function may see it."""
        return self._way_back.borrowed_loop

    def run(self, surroundings: AbstractContextManager[None] = _NOTHING_AROUND) -> None:
        """Calls the function within ``surroundings``, in the caller's context variables, and reports to the loop."""
        try:
            with surroundings:
                self.result = self._context.run(self._run)
        except BaseException as error:
            self.error = error
        self._way_back.take(self)

    def _run(self) -> Any:
        # Not for the variables, which are there, but for what asgiref's `Local`s hold (Django's language, time zone,
        # urlconf): it belongs to a thread.
        restore_context(self._context)
        before = switch_to(self)
        try:
            return self._function(*self._args)
        finally:
            switch_to(before)

    def put_off(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context) -> None:
        if self._deferred is None:
            self._deferred = []
        self._deferred.append((callback, args, context))

    def arrive(self) -> None:
        """On the loop, when it has run."""
        self.is_over = True
        for callback, args, context in self._deferred or ():
            self.loop.call_soon(callback, *args, context=context)
        if not self.waiter.done():
            self.waiter.set_result(None)

    def restore_context(self) -> None:
        """Has the caller see which context variables the function has set."""
        restore_context(self._context)

    async def outlast(self) -> None:
        """Returns when the function has ended, however often the caller is cancelled meanwhile."""
        for task in self.tasks:
            task.cancel()
        while not self.is_over:
            self.waiter = self.loop.create_future()
            with suppress(asyncio.CancelledError):
                await self.waiter


class _WayBack:
    """How jobs get back to one event loop: those that end close together wake it once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.borrowed_loop = BorrowedLoop(loop)  # type: ignore[abstract]
        self._over: deque[Job] = deque()
        self._is_announced = False

    def take(self, job: Job) -> None:
        """From any thread."""
        self._over.append(job)
        if not self._is_announced:
            self._is_announced = True
            with suppress(RuntimeError):  # The loop is closed: nobody waits.
                self.loop.call_soon_threadsafe(self._arrive, context=Context())

    def _arrive(self) -> None:
        # Before the first look: what comes later announces itself.
        self._is_announced = False
        while self._over:
            self._over.popleft().arrive()


_ways_back: dict[asyncio.AbstractEventLoop, _WayBack] = {}


def _current_way_back() -> _WayBack:
    loop = asyncio.get_running_loop()
    way_back = _ways_back.get(loop)
    if way_back is None:
        for closed in [other for other in _ways_back if other.is_closed()]:
            del _ways_back[closed]
        way_back = _ways_back[loop] = _WayBack(loop)
    return way_back
