"""The thread of a process that writes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from sqlite3 import Connection
from typing import Any, Generic, TypeVar

from channels.exceptions import ChannelFull

from ..exceptions import BacklogError, LayerError
from . import log
from .file import DamagedFileError, LockedFileError, Session
from .replies import Reply, ThreadReply, deliver
from .worker import Worker

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING = 10_000
"""Writes of a process that may wait; one more raises BacklogError."""

MAX_TOGETHER = 500
"""Writes that share a transaction, at most."""

TRIM_AFTER = 1_000
TRIM_AFTER_BYTES = 4 * 2**20
"""What a process writes between two looks at what can be deleted."""


class Job(Generic[T]):
    """One write."""

    __slots__ = ("reply", "size", "work")

    def __init__(self, work: Callable[[Connection], T], size: int, reply: Reply[T] | ThreadReply | None) -> None:
        self.work = work
        self.size = size
        self.reply = reply

    def run(self, db: Connection) -> None:
        try:
            result = self.work(db)
        except ChannelFull as error:  # Found out before anything was written: the others of the transaction go on.
            self.fail(error)
        else:
            if self.reply is not None:
                self.reply.result, self.reply.error = result, None

    def fail(self, error: Exception) -> None:
        if self.reply is not None:
            self.reply.error = error
        elif not isinstance(error, ChannelFull):
            logger.error("A message of the channel layer could not be put back: %s", error)


class Writer(Worker):
    """Writes for all event loops of a process, in the order of the calls.

    What comes while a transaction runs shares the next one. The answer comes when it is committed: from then on it
    survives the death of this process.
    """

    def __init__(self, path: Path, committed: Callable[[], None]) -> None:
        super().__init__("channel-layer-writer")
        self._path = path
        self._committed = committed
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        # Of the writing thread alone:
        self._session = Session(path)
        self._rows = 0
        self._bytes = 0

    def submit(
        self, work: Callable[[Connection], T], size: int = 0, give_back: Callable[[T], None] | None = None
    ) -> Reply[T]:
        """Lets ``work`` be done in a transaction; it may write ``size`` bytes.

        The reply's errors: LayerError, and ChannelFull if the work raises it. Raises BacklogError.
        """
        self.require_room(1)
        reply = Reply(give_back)
        self._put(Job(work, size, reply))
        return reply

    def submit_from_thread(self, work: Callable[[Connection], None], size: int) -> ThreadReply:
        """The same for a thread that waits; there must be room."""
        reply = ThreadReply()
        self._put(Job(work, size, reply))
        return reply

    def require_room(self, count: int) -> None:
        """Raises BacklogError if so many writes more are too many."""
        if self._jobs.qsize() + count > MAX_WAITING:
            raise BacklogError(f"{MAX_WAITING} messages wait to be written to {self._path}: slow down.")

    def post(self, work: Callable[[Connection], None]) -> None:
        """The same, from any thread, for something that nobody waits for."""
        self._put(Job(work, 0, None))

    @property
    def is_needed(self) -> bool:
        """Whether something waits to be written."""
        return not self._jobs.empty()

    def _put(self, job: Job[Any]) -> None:
        self._jobs.put(job)
        self.start()

    def _ask_to_end(self) -> None:
        self._jobs.put(None)

    def _run(self) -> None:
        try:
            while jobs := self._next_jobs():
                self._write(jobs)
                deliver(job.reply for job in jobs if job.reply is not None)
                # They hold messages, and futures of loops that may close.
                del jobs
        finally:
            self._session.close()

    def _next_jobs(self) -> list[Job[Any]]:
        """What waits to be written; waits for it. None when everything is written and the thread is to end."""
        jobs: list[Job[Any]] = []
        while len(jobs) < MAX_TOGETHER:
            try:
                job = self._jobs.get(block=not (jobs or self._ends))
            except Empty:
                break
            if job is not None:  # That only wakes.
                jobs.append(job)
        return jobs

    def _write(self, jobs: list[Job[Any]]) -> None:
        try:
            self._commit(jobs)
        except DamagedFileError:
            self._write_again(jobs)
        except LockedFileError as error:
            _fail(jobs, error)
        except Exception as error:
            if len(jobs) == 1:
                _fail(jobs, error if isinstance(error, LayerError) else LayerError(f"Writing failed: {error!r}"))
            else:  # One of them may be to blame.
                for job in jobs:
                    self._write([job])

    def _write_again(self, jobs: list[Job[Any]]) -> None:
        try:
            self._commit(jobs)
        except LayerError as error:
            _fail(jobs, error)

    def _commit(self, jobs: list[Job[Any]]) -> None:
        with self._session.transaction() as db:
            for job in jobs:
                job.run(db)
            self._trim(db, jobs)
        self._committed()

    def _trim(self, db: Connection, jobs: list[Job[Any]]) -> None:
        self._rows += len(jobs)
        self._bytes += sum(job.size for job in jobs)
        if self._rows >= TRIM_AFTER or self._bytes >= TRIM_AFTER_BYTES:
            self._rows = self._bytes = 0
            log.trim(db)


def _fail(jobs: list[Job[Any]], error: Exception) -> None:
    for job in jobs:
        job.fail(error)
