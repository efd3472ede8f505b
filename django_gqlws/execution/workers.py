"""Where sync code runs: in worker threads of the process, or where a test wants it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from asgiref.sync import SyncToAsync

from ..conf import get_settings
from ..counters import counters
from .borrowed_loop import in_worker
from .connections import ThreadConnections
from .jobs import Job
from .threads import Threads

__all__ = ["CancelledTooLate", "Job", "Runner", "in_worker", "run", "runner"]

T = TypeVar("T")


class Runner(Protocol):
    """Runs jobs. Both are called on the event loop, in the context of the operation."""

    def submit(self, job: Job) -> None:
        """Has `Job.run` called, once, in a thread where the function may block. Does not wait for it."""

    def withdraw(self, job: Job) -> bool:
        """Nobody waits for the job any more. True: it has not begun, and never will."""


runner: ContextVar[Runner | None] = ContextVar("gqlws_runner", default=None)
"""Who runs the sync code of a connection, if not the process's worker threads.

For tests whose sync code has to be in a certain thread, because that one sees the open transaction. Set it in the
context in which the consumer is called; all operations of that connection inherit it. The runner looks after the
thread: ``asyncio.get_event_loop()``, ``async_to_sync`` and database connections are there as it arranges them.
"""


class CancelledTooLate(asyncio.CancelledError):
    """The caller was cancelled, but the function had begun and returned normally."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


async def run(function: Callable[..., T], *args: Any) -> T:
    """Calls a sync function in a worker thread, in the caller's context variables; what it sets there lasts.

    A function that has begun cannot be cancelled: the cancellation is raised when it has ended, as
    `CancelledTooLate` with its result if there is one.
    """
    place = runner.get() or _threads()
    job = Job(function, args)
    place.submit(job)
    try:
        await job.waiter
    except asyncio.CancelledError:
        if place.withdraw(job):
            raise
        await _outlast(job)
        job.restore_context()
        if job.error is None:
            raise CancelledTooLate(job.result) from None
        raise
    # Not in a `finally`: what a closed loop left behind ends in the garbage collector, in whatever thread, amid
    # whatever it does, and its variables are not for there.
    job.restore_context()
    if job.error is not None:
        raise job.error
    result: T = job.result
    return result


async def _outlast(job: Job) -> None:
    counters.blocked_threads += 1
    try:
        await job.outlast()
    finally:
        counters.blocked_threads -= 1


_threads_of: dict[int, Threads[Job]] = {}
"""By process: a forked child has the parent's object, but none of its threads."""


def _threads() -> Threads[Job]:
    process = os.getpid()
    # Loops in several threads may come here at once: one object stays, the others have no threads yet.
    return _threads_of.get(process) or _threads_of.setdefault(
        process, Threads(get_settings().sync_threads, _run_in_thread)
    )


def _run_in_thread(job: Job) -> None:
    # Where `async_to_sync` looks for the loop that waits for it, and notes what has to be cancelled with it.
    of_asgiref = SyncToAsync.threadlocal
    of_asgiref.main_event_loop = job.loop
    of_asgiref.main_event_loop_pid = os.getpid()
    of_asgiref.task_context = job.tasks
    # Each time: a function may have called `asyncio.run`, which leaves the thread without one.
    asyncio.set_event_loop(job.borrowed_loop)
    job.run(_connections)


_connections = ThreadConnections()
