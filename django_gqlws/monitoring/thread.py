"""A thread for one thing: what blocks in it holds up nobody else, not even the end of the process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")


class DatabaseThread:
    """Calls functions one after the other, on database connections of its own; it ends with `stop`."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Has a function called; the future gets what it returns or raises."""
        future: Future[T] = Future()
        self._jobs.put((future, function))
        return future

    def stop(self) -> None:
        """The thread ends behind what it has been given."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except Exception as error:
                connections.close_all()
                future.set_exception(error)
            del job, future, function
        connections.close_all()
