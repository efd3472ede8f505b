"""The event loop as a worker thread sees it, and how code knows that it is in one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
Deferred = tuple[Callable[..., Any], tuple[Any, ...], Context]


class _Thread(threading.local):
    """What this thread is doing: the calls to the loop that its job has put off, or None outside of a job."""

    deferred: list[Deferred] | None = None


_thread = _Thread()


def in_worker() -> bool:
    """Whether the caller runs in a worker thread, where it may block and use the ORM."""
    return _thread.deferred is not None


def call_in_worker(deferred: list[Deferred], function: Callable[..., T], *args: Any) -> T:
    """Calls a function as one of this thread's job; what it puts off for the loop is added to ``deferred``."""
    _thread.deferred = deferred
    try:
        return function(*args)
    finally:
        _thread.deferred = None


class BorrowedLoop(asyncio.AbstractEventLoop):
    """The event loop as plain functions in a worker thread see it through ``asyncio.get_event_loop()``.

    Data loaders make futures and ask for callbacks. The futures are the loop's own; the callbacks wait until
    the job has left the thread, because nothing of one operation may run in two threads at once. It is not
    the *running* loop of the thread: Django would forbid the ORM.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def create_future(self) -> asyncio.Future[Any]:
        return self._loop.create_future()

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        deferred = _thread.deferred
        if deferred is None:
            return self._loop.call_soon(callback, *args, context=context)
        deferred.append((callback, args, context or copy_context()))
        return asyncio.Handle(callback, args, self._loop, context)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        if in_worker():
            coro.close()
            self._refuse("create_task")
        return self._loop.create_task(coro, **options)

    def get_debug(self) -> bool:
        return self._loop.get_debug()

    def is_running(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return self._loop.is_closed()

    def _refuse(self, name: str) -> NoReturn:
        raise RuntimeError(
            f"A plain function that calls {name}() needs the running event loop: make it `async def`,"
            " or mark it with @django_gqlws.on_loop if it never blocks."
        )
