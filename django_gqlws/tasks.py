"""Asyncio tasks with an owner."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

_EAGERLY: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


def new_task(coroutine: Coroutine[Any, Any, Any], context: Context | None = None) -> asyncio.Task[Any]:
    """A coroutine as a task, which runs at once where Python can. The caller owns it."""
    # Most operations finish without waiting for anything: started eagerly, they never meet the scheduler.
    return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), context=context, **_EAGERLY)


def heed_cancellation() -> None:
    """Raises the CancelledError that awaited code has swallowed, so that a task which goes on for ever ends."""
    # `asyncio.wait_for` of Python 3.11 swallows one that comes with the result; Redis' client sends with it.
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Tasks:
    """The tasks of one owner, who cancels them or waits for them.

    ``report`` is called with the exception of a task that fails, so that no error is lost.
    """

    __slots__ = ("_report", "_running")

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        self._report = report
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, coroutine: Coroutine[Any, Any, Any], context: Context | None = None) -> asyncio.Task[Any]:
        """Runs a coroutine as a task in ``context`` (default: a copy of the caller's), at once where Python can."""
        return self.own(new_task(coroutine, context))

    def start_soon(self, coroutine: Coroutine[Any, Any, Any], context: Context | None = None) -> asyncio.Task[Any]:
        """The same, but not before the caller has given way."""
        return self.own(asyncio.Task(coroutine, loop=asyncio.get_running_loop(), context=context))

    def own(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Takes over a task that had another owner."""
        if task.done():
            self._finished(task)
        else:
            self._running.add(task)
            task.add_done_callback(self._finished)
        return task

    def __len__(self) -> int:
        return len(self._running)

    async def wait(self) -> None:
        """Returns when all tasks have ended, those that they start included; their errors are reported."""
        while self._running:
            await asyncio.wait(self._running)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(error)
