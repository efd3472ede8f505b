"""The event loop as a worker thread sees it, and how code knows that it is in one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, NoReturn, Protocol


class Job(Protocol):
    """What a worker thread is doing."""

    def put_off(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context) -> None:
        """Has the loop call back when the job has left the thread."""


class _Thread(threading.local):
    job: Job | None = None


_thread = _Thread()


def in_worker() -> bool:
    """Whether the caller runs in a worker thread, where it may block and use the ORM."""
    return _thread.job is not None


def switch_to(job: Job | None) -> Job | None:
    """From here on this thread runs the job. Returns what it ran before: a job may wait for another in its thread."""
    before, _thread.job = _thread.job, job
    return before


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
        if _thread.job is None:
            return self._loop.call_soon(callback, *args, context=context)
        _thread.job.put_off(callback, args, context or copy_context())
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
