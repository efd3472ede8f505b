"""Sync code of an application under test: in the thread that sees the test's transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from asgiref.sync import sync_to_async

from ..execution.borrowed_loop import BorrowedLoop
from ..execution.workers import Job
from ..tasks import Tasks

logger = logging.getLogger(__name__)


class ThreadSensitiveRunner:
    """Runs sync code where Django runs it, one after the other, as all that shares a transaction.

    That is the test's own thread if it waits there for its event loop (TestCase, ``async_to_sync``), else asgiref's
    single thread.
    """

    def __init__(self) -> None:
        self._waiting: set[Job] = set()
        self._running = Tasks(_report)

    def submit(self, job: Job) -> None:
        self._waiting.add(job)
        self._running.start_soon(sync_to_async(self._run)(job))

    def withdraw(self, job: Job) -> bool:
        if job not in self._waiting:
            return False
        self._waiting.discard(job)
        return True

    def _run(self, job: Job) -> None:
        try:
            self._waiting.remove(job)
        except KeyError:  # Withdrawn.
            return
        job.run(_surroundings(job))


@contextmanager
def _surroundings(job: Job) -> Iterator[None]:
    asyncio.set_event_loop(BorrowedLoop(job.loop))  # type: ignore[abstract]
    try:
        yield
    finally:
        asyncio.set_event_loop(None)


def _report(error: BaseException) -> None:
    logger.error("Sync code was not run: %r", error, exc_info=error)
