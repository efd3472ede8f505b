"""The thread of a process that reads."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Generic, TypeVar

from ..exceptions import LayerError
from . import clock, log
from .channels import Channels
from .file import DamagedFileError, Identity, LockedFileError, Session
from .log import Entry
from .replies import Reply, deliver
from .worker import Worker

logger = logging.getLogger(__name__)

T = TypeVar("T")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.02
"""Seconds between two looks at the file: the shortest after a change, then longer and longer."""

GROWTH = 1.5

AFTER_ERROR = 0.5
"""Seconds until the file is tried again."""

HEARTBEAT = 5.0
"""Seconds after which the process says again that it is alive, and how far it has read."""

REPORT_AFTER = 1_000
REPORT_AFTER_BYTES = 4 * 2**20
"""What is read until it says so before its time: what all have read can be deleted."""

BEAT_PATIENCE = 0.05
"""Seconds that a heartbeat waits while others write; reading is more urgent."""

LEAVE_PATIENCE = 1.0
"""Seconds that a process which leaves waits to say so; without a word it counts until its lease is over."""

LOOKS_AT_ONE_FILE = 25
"""After so many it looks whether the file is still the same."""


class _Bell:
    """Wakes one thread. `threading.Event` costs half as much again, 50 times a second."""

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        with suppress(RuntimeError):  # It has been rung, and not yet heard.
            self._silence.release()

    def wait(self, seconds: float) -> None:
        self._silence.acquire(timeout=seconds)


class _Command(Generic[T]):
    __slots__ = ("reply", "run")

    def __init__(self, run: Callable[[], T], reply: Reply[T]) -> None:
        self.run = run
        self.reply = reply


class Reader(Worker):
    """Hands what others have written to the channels of this process, in the order of the log.

    It looks at `PRAGMA data_version`, which costs some microseconds and changes with every commit of another
    connection, and reads only then.
    """

    def __init__(self, path: Path, name: str, channels: Channels) -> None:
        super().__init__("channel-layer-reader")
        self._path = path
        self._name = name
        self._channels = channels
        self._commands: deque[_Command[Any]] = deque()
        self._watched: deque[tuple[str, Reply[None]]] = deque()
        self._bell = _Bell()
        # Of the reading thread alone:
        self._session = Session(path)
        self._opened = 0
        self._looks = 0
        self._file: Identity | None = None
        self._position = 0
        self._version = -1
        self._next_beat = 0.0
        self._rows = 0
        self._bytes = 0
        self._fails = False

    def run(self, command: Callable[[], T]) -> Reply[T]:
        """Lets the thread call ``command`` when it has handed over everything that is in the log by now.

        The reply's error: LayerError if the file cannot be read.
        """
        reply: Reply[T] = Reply()
        self._commands.append(_Command(command, reply))
        self.start()
        self._bell.ring()
        return reply

    def watch(self, channel: str) -> Reply[None]:
        """Answers when there may be a message in a normal channel."""
        reply: Reply[None] = Reply()
        self._watched.append((channel, reply))
        return reply

    def nudge(self) -> None:
        """Lets the thread look at once: this process has written."""
        self._bell.ring()

    @property
    def is_reading(self) -> bool:
        """Whether it has found its place in the log: nothing is missed from there on."""
        return self.is_running and self._file is not None

    def leave(self) -> None:
        """Stops, and takes this process from the list. Started next it begins at the end of the log again."""
        with self._stopping() as is_mine:  # Until it has left nobody starts it: it would lose its place on the list.
            if not is_mine or self._thread is None:
                return
            self._stop()
            self._file = None
            # Here, and not in a thread: Python 3.12 starts none when the interpreter ends.
            with suppress(LayerError), closing(self._session), self._session.transaction(LEAVE_PATIENCE) as db:
                log.unregister(db, self._name)

    def _ask_to_end(self) -> None:
        self._bell.ring()

    def _run(self) -> None:
        try:
            pause = 0.0
            while not self._ends:
                self._bell.wait(pause)
                pause = self._look(pause)
            if self._commands:  # They came during the last look, and somebody waits for them.
                self._look(pause)
        finally:
            self._session.close()

    def _look(self, pause: float) -> float:
        """One look; the seconds until the next."""
        commands = self._take_commands()
        try:
            has_changed = self._catch_up_with_any_file(bool(commands))
            self._beat_in_time()
        except Exception as error:
            self._failed(error, commands)
            return AFTER_ERROR
        self._succeeded(commands)
        return SHORTEST_PAUSE if has_changed else min(pause * GROWTH + SHORTEST_PAUSE, LONGEST_PAUSE)

    def _take_commands(self) -> list[_Command[Any]]:
        return [self._commands.popleft() for _ in range(len(self._commands))]

    def _succeeded(self, commands: list[_Command[Any]]) -> None:
        if self._fails:
            self._fails = False
            logger.info("The channel layer reads %s again.", self._path)
        for command in commands:
            command.reply.result = command.run()
        deliver(command.reply for command in commands)

    def _failed(self, error: Exception, commands: list[_Command[Any]]) -> None:
        reason = error if isinstance(error, LayerError) else LayerError(f"Reading {self._path} failed: {error!r}")
        if not self._fails:
            self._fails = True
            logger.error("The channel layer cannot read, trying again: %s", reason)
        for command in commands:
            command.reply.error = reason
        deliver(command.reply for command in commands)

    def _catch_up_with_any_file(self, forced: bool) -> bool:
        try:
            return self._catch_up(forced)
        except DamagedFileError:  # It was set aside.
            return self._catch_up(forced)

    def _catch_up(self, forced: bool) -> bool:
        """Reads what is new. Whether there was a change."""
        self._looks += 1
        with self._session.use(self._looks % LOOKS_AT_ONE_FILE == 0) as db:
            if self._session.identity != self._file:
                self._meet()
            if self._session.opened != self._opened:
                self._opened = self._session.opened
                self._version = -1  # Each connection counts by itself.
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version == self._version and not forced:
                return False
            self._version = version
            self._read(db)
            self._look_at_queues(db)
        return True

    def _meet(self) -> None:
        """Begins with a file: at the end of the first one, at the beginning of one that replaced it."""
        with self._session.transaction() as db:
            position = log.last_position(db) if self._file is None else 0
            log.register(db, self._name, position)
        if self._file is not None:
            logger.error("The file %s of the channel layer was replaced; what was not yet read is lost.", self._path)
        self._position = position
        self._file = self._session.identity
        self._next_beat = clock.now() + HEARTBEAT

    def _read(self, db: Connection) -> None:
        # Not to the end of the log, which may never come while others write: heartbeats and commands wait.
        last = log.last_position(db)
        while self._position < last and (entries := log.read(db, self._position)):
            if gap := entries[0].position - self._position - 1:
                self._channels.count_lost(gap)
                logger.error(
                    "The channel layer read too late: %d messages, for whomever, were deleted before this process"
                    " came to read them.",
                    gap,
                )
            self._channels.dispatch(entries)
            self._note_progress(entries)

    def _note_progress(self, entries: list[Entry]) -> None:
        self._position = entries[-1].position
        self._rows += len(entries)
        self._bytes += sum(len(entry.message) for entry in entries)
        if self._rows >= REPORT_AFTER or self._bytes >= REPORT_AFTER_BYTES:
            self._next_beat = 0.0

    def _look_at_queues(self, db: Connection) -> None:
        watched = [self._watched.popleft() for _ in range(len(self._watched))]
        full = set(log.waiting(db, {channel for channel, _ in watched}))
        self._watched.extend(one for one in watched if one[0] not in full and not one[1].future.done())
        deliver(reply for channel, reply in watched if channel in full)

    def _beat_in_time(self) -> None:
        if clock.now() < self._next_beat:
            return
        self._channels.sweep()
        try:
            with self._session.transaction(BEAT_PATIENCE) as db:
                log.register(db, self._name, self._position)
                log.trim(db)
        except LayerError as error:
            self._next_beat = clock.now() + AFTER_ERROR
            if not isinstance(error, LockedFileError):
                logger.warning("A process that listens could not say so to the others: %s", error)
            return
        self._rows = self._bytes = 0
        self._next_beat = clock.now() + HEARTBEAT
