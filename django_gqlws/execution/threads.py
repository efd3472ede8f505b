"""The worker threads of the process."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Threads(Generic[T]):
    """At most ``size`` daemon threads that take jobs in the order in which they came, and call ``run`` with each.

    A thread that takes a job wakes the next one if there are more: quick jobs are done by one thread without a switch,
    and one that blocks keeps nobody waiting. Threads are started when they are needed first.
    """

    def __init__(self, size: int, run: Callable[[T], None]) -> None:
        self._run = run
        # Taken from the front by threads, withdrawn from anywhere by the loop: whoever gets a job out owns it.
        self._jobs: OrderedDict[T, bool] = OrderedDict()
        # Open: a thread is on its way to the jobs.
        self._gate = threading.Lock()
        self._gate.acquire()
        self._idle: set[str] = set()
        self._unstarted = [f"gqlws-{number}" for number in reversed(range(size))]

    def submit(self, job: T) -> None:
        """Has the job run as soon as a thread is free; never waits."""
        self._jobs[job] = True
        self._wake()

    def withdraw(self, job: T) -> bool:
        """Whether the job has not begun; it never will."""
        return self._jobs.pop(job, False)

    def _wake(self) -> None:
        if not self._idle and self._unstarted:
            with suppress(IndexError):  # Somebody else has just started the last one.
                self._start(self._unstarted.pop())
        if self._gate.locked():
            with suppress(RuntimeError):  # Somebody else has just opened it.
                self._gate.release()

    def _start(self, name: str) -> None:
        self._idle.add(name)
        try:
            threading.Thread(target=self._work, args=[name], name=name, daemon=True).start()
        except RuntimeError as error:
            # The jobs wait for the threads that there are; the next one that comes tries again.
            logger.error("A worker thread could not be started: %s", error)
            self._idle.discard(name)
            self._unstarted.append(name)

    def _work(self, name: str) -> None:
        while True:
            self._gate.acquire()
            self._idle.discard(name)
            while self._jobs:
                self._take()
            self._idle.add(name)

    def _take(self) -> None:
        try:
            job, _ = self._jobs.popitem(last=False)
        except KeyError:  # Another thread was quicker, or it was withdrawn.
            return
        if self._jobs:
            self._wake()
        self._run(job)
