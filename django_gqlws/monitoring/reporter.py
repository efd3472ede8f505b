"""Tells the database, beat by beat, who is connected to this process."""

from __future__ import annotations

import asyncio
import atexit
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.db import Error, OperationalError

from ..broker.process import current_broker
from ..conf import get_setting
from ..connection.connection import Connection
from ..counters import counters
from ..execution import workers
from ..latency import percentile, publish_to_deliver
from ..protocol.close import Close
from ..tasks import Tasks
from .attendant import Attendant
from .blocks import Blocks
from .instructions import instruction_group
from .models import Process, Sample
from .registry import Changes, Registry
from .rows import process_row, user_of
from .tables import migrate_command
from .thread import DatabaseThread
from .writer import Answer, Beat, prepare, read_blocks, remove, sweep, write

logger = logging.getLogger(__name__)

ROWS_PER_BEAT = 2_000
"""Rows that one beat adds, changes or deletes; what is more waits for the next. New ones cost 70 ms."""

SHORTEST_PAUSE = 1.0
"""Seconds between two beats at least, also when somebody waits for the result of an instruction."""

SERVICE_RESTART = 1012

PATIENCE = 2.0
"""Seconds after the start for which clients wait until it is known who is blocked."""

FAREWELL = 5.0
"""Seconds for which a shutdown waits for the database at most, half of them for SQLite's lock."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the counters of the process were at one moment."""

    at: float
    events: int
    deliveries: int
    drops: int
    latencies: tuple[int, ...]

    @classmethod
    def now(cls) -> Marks:
        return cls(
            time.monotonic(),
            counters.received,
            counters.delivered,
            counters.dropped + counters.lost,
            tuple(publish_to_deliver.counts),
        )

    def sample(self, process: Process, since: Marks) -> Sample:
        """What happened between two moments."""
        return Sample(
            process=process,
            seconds=self.at - since.at,
            connections=process.connections_total,
            subscriptions=process.subscriptions_total,
            events=self.events - since.events,
            deliveries=self.deliveries - since.deliveries,
            drops=self.drops - since.drops,
            p95=percentile([new - old for new, old in zip(self.latencies, since.latencies, strict=True)], 95),
        )


class Reporter:
    """The task of an event loop that serves clients, with a thread of its own for the database.

    It lives as long as the loop. When the loop ends it deletes its rows; when the process is killed, another one does.
    """

    def __init__(self) -> None:
        self.registry = Registry()
        self._blocks = Blocks()
        self._hurry = asyncio.Event()
        self._attendant = Attendant(self.registry, self._blocks, self._hurry.set)
        self._process = process_row()
        self._is_first = True
        self._must_sweep = True
        self._is_failing = False
        # Held by what changes what the database knows.
        self._writing = asyncio.Lock()
        self._marks = Marks.now()
        self._patient_until = self._marks.at + PATIENCE
        self._thread = DatabaseThread("gqlws-monitoring")
        self._tasks = Tasks(_report)
        self._knows_blocks = self._tasks.start_soon(self._read_blocks(), Context())
        self._running = self._tasks.start_soon(self._run(), Context())
        current_broker().hub.attend(self._attendant, instruction_group())
        atexit.register(self._remove_at_exit)

    def watch(self, connection: Connection) -> Callable[[int], Coroutine[Any, Any, None]]:
        """Looks after a connection from now on, until what is returned is called with the close code."""
        connection.gate = self
        self.registry.enter(connection)
        return partial(self._unwatch, connection)

    async def _unwatch(self, connection: Connection, code: int) -> None:
        self.registry.leave(connection)
        if code == SERVICE_RESTART and self.registry.is_empty:
            # uvicorn shuts down: it waits for this, but cancels nothing later. (If a client has said so, the next beat
            # begins again.)
            await self._leave()

    async def stop(self) -> None:
        """Removes what was written, and writes nothing more: the server is about to stop."""
        self._running.cancel()
        await asyncio.wait([self._running])

    @property
    def is_open(self) -> bool:
        """Whether it is known that no user is blocked."""
        return self._knows_blocks.done() and not self._blocks

    async def ask(self, scope: Any) -> Close | None:
        """What a client has to be closed with, because its user is blocked; else None."""
        if not self._knows_blocks.done():
            await asyncio.wait([self._knows_blocks], timeout=max(self._patient_until - time.monotonic(), 0))
        if not self._blocks:
            return None
        user, _ = await workers.run(user_of, scope)
        block = self._blocks.find(user)
        return None if block is None else block.as_close()

    async def _read_blocks(self) -> None:
        version = self._blocks.version
        try:
            self._blocks.replace(await self._in_thread(read_blocks), version)
        except Exception as error:
            self._failed(error)

    async def _run(self) -> None:
        interval = get_setting("monitoring_interval")
        try:
            await self._pause(min(interval, SHORTEST_PAUSE))
            while True:
                async with self._writing:
                    await self._beat()
                await self._pause(interval)
        finally:
            await self._leave()
            self._thread.stop()
            atexit.unregister(self._remove_at_exit)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, SHORTEST_PAUSE))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds - SHORTEST_PAUSE):
                await self._hurry.wait()
        self._hurry.clear()

    async def _beat(self) -> None:
        try:
            await self._tell()
        except Exception as error:
            self._failed(error)
        else:
            self._recovered()

    async def _tell(self) -> None:
        changes, version = await self.registry.changes(ROWS_PER_BEAT), self._blocks.version
        marks = Marks.now()
        self._describe(changes, marks)
        sample = marks.sample(self._process, self._marks)
        beat = Beat(self._process, self._is_first, changes, sample)
        answer = await self._in_thread(lambda: write(beat))
        self._wrote(beat, answer)
        self._marks = marks
        self._blocks.replace(answer.blocks, version)
        await self._attendant.close_blocked()
        if await self._in_thread(self._sweep):
            logger.info("The rows of a process that is gone were deleted.")

    def _describe(self, changes: Changes, marks: Marks) -> None:
        process = self._process
        process.connections_total = changes.living_connections
        process.subscriptions_total = changes.living_subscriptions
        process.unwritten = changes.unwritten
        process.events, process.deliveries, process.drops = marks.events, marks.deliveries, marks.drops

    def _wrote(self, beat: Beat, answer: Answer) -> None:
        self._is_first = False
        if answer.was_forgotten:
            self.registry.forget()
            self._hurry.set()
        else:
            self.registry.wrote(beat.changes)
            if beat.changes.unwritten or beat.changes.undeleted:
                self._hurry.set()

    def _sweep(self) -> int:
        """In the thread. What was left behind by one that was interrupted is looked for once."""
        if not self._must_sweep and not Process.objects.stale().exists():
            return 0
        # The processes go first: if it is interrupted, only another sweep finds what they have left.
        self._must_sweep = True
        gone = sweep()
        self._must_sweep = False
        return gone

    # Faults

    def _failed(self, error: Exception) -> None:
        if isinstance(error, OperationalError) and "locked" in str(error):
            logger.debug("The registry was not written, somebody else writes: %s", error)
        elif not self._is_failing:
            self._is_failing = True
            hint = f" Has `{migrate_command()}` been run?" if isinstance(error, Error) else ""
            logger.warning(
                "The registry of live connections cannot be written, serving goes on without it: %s: %s.%s",
                type(error).__name__,
                str(error).strip(),
                hint,
            )

    def _recovered(self) -> None:
        if self._is_failing:
            self._is_failing = False
            logger.info("The registry of live connections is written again.")

    # The end

    async def _leave(self) -> None:
        with _or_left_to_others():
            async with asyncio.timeout(FAREWELL), self._writing:
                if (removing := self._start_removing()) is not None:
                    await asyncio.wrap_future(removing)

    def _remove_at_exit(self) -> None:
        """Where nobody has cancelled the task: a server may leave its event loop as it is."""
        if (removing := self._start_removing()) is not None:
            with _or_left_to_others():
                removing.result(FAREWELL)

    def _start_removing(self) -> Future[None] | None:
        if self._is_first:
            return None
        self._is_first = True
        self.registry.forget()
        # A beat that meets a lock comes again, this does not.
        return self._submit(lambda: remove(self._process), FAREWELL / 2)

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._submit(function))

    def _submit(self, function: Callable[[], T], patience: float = 0.0) -> Future[T]:
        def prepared() -> T:
            prepare(patience)
            return function()

        return self._thread.submit(prepared)


@contextmanager
def _or_left_to_others() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        logger.debug("The rows of this process stay until another one finds their lease over: %r", error)


def _report(error: BaseException) -> None:
    logger.critical("The registry of live connections met an error that it did not expect: %r", error, exc_info=error)
