"""Worker threads for sync code: a bounded pool of the process, careful with Django's database connections."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import lru_cache, partial
from typing import Any, NoReturn, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from ..conf import get_settings
from ..counters import counters

T = TypeVar("T")
Deferred = tuple[Callable[..., Any], tuple[Any, ...], Context]


class _Thread(threading.local):
    """What this thread is doing: the calls to the loop that its job has put off, or None outside of a job."""

    deferred: list[Deferred] | None = None


_thread = _Thread()


def in_worker() -> bool:
    """Whether the caller runs in a worker thread, where it may block and use the ORM."""
    return _thread.deferred is not None


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


class CancelledTooLate(asyncio.CancelledError):
    """The caller was cancelled, but the function had begun and returned normally."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


class _Job:
    """A function on its way through a worker thread."""

    def __init__(self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.future: Future[Any] = Future()
        """Tells whether it has begun, and what came of it, also to a caller who was cancelled."""
        self.deferred: list[Deferred] = []
        self._function = function
        self._loop = loop

    def run(self) -> Any:
        """In the worker thread."""
        if not self.future.set_running_or_notify_cancel():
            return None
        try:
            result = self._call()
        except BaseException as error:
            self.future.set_exception(error)
            raise
        self.future.set_result(result)
        return result

    def _call(self) -> Any:
        close_old_connections()
        asyncio.set_event_loop(BorrowedLoop(self._loop))  # type: ignore[abstract]
        _thread.deferred = self.deferred
        try:
            return self._function()
        finally:
            _thread.deferred = None
            asyncio.set_event_loop(None)
            close_old_connections()

    async def ended(self) -> None:
        """Returns when the function has ended, however often the caller is cancelled meanwhile."""
        ended = asyncio.wrap_future(self.future)
        while not ended.done():
            try:
                await asyncio.wait([ended])
            except asyncio.CancelledError:
                continue
        ended.exception()  # Asked for, so that asyncio does not report it: whoever is concerned has it from `future`.


@lru_cache(maxsize=1)
def _threads() -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    pool = ThreadPoolExecutor(get_settings().sync_threads, thread_name_prefix="gqlws")
    return sync_to_async(_run_here, thread_sensitive=False, executor=pool)


def _run_here(function: Callable[[], Any]) -> Any:
    return function()


_slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


def _free_thread() -> asyncio.Semaphore:
    """What to wait for before a job is given to the pool: who is cancelled meanwhile leaves nothing in its queue."""
    loop = asyncio.get_running_loop()
    slots = _slots.get(loop)
    if slots is None:
        for closed in [other for other in _slots if other.is_closed()]:
            del _slots[closed]
        slots = _slots[loop] = asyncio.Semaphore(get_settings().sync_threads)
    return slots


# A forked child has the parent's pool object, but none of its threads.
os.register_at_fork(after_in_child=_threads.cache_clear)


async def run(function: Callable[..., T], *args: Any) -> T:
    """Calls a sync function in a worker thread, in the caller's context variables; what it sets there lasts.

    A function that has begun cannot be cancelled: the cancellation is raised when it has ended, as
    `CancelledTooLate` with its result if there is one.
    """
    async with _free_thread():
        return await _run(function, *args)


async def _run(function: Callable[..., T], *args: Any) -> T:
    loop = asyncio.get_running_loop()
    job = _Job(partial(function, *args), loop)
    try:
        result: T = await _threads()(job.run)
    except asyncio.CancelledError:
        if not job.future.cancel():
            counters.blocked_threads += 1
            try:
                await job.ended()
            finally:
                counters.blocked_threads -= 1
            if job.future.exception() is None:
                raise CancelledTooLate(job.future.result()) from None
        raise
    for callback, arguments, context in job.deferred:
        loop.call_soon(callback, *arguments, context=context)
    return result
