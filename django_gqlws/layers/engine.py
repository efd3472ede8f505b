"""What a layer has in one process: its channels, and the two threads that use the file."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4
from weakref import WeakSet

from .channels import Channels
from .reader import Reader
from .writer import Writer


class Engine:
    """Channels, reader and writer of a layer in this process. A forked child gets new ones."""

    def __init__(self, path: Path, capacity_of: Callable[[str], int]) -> None:
        self._path = path
        self._capacity_of = capacity_of
        self.reset()
        _engines.add(self)

    def reset(self) -> None:
        """Forgets everything: it belongs to the parent process."""
        self._pid = os.getpid()
        self.name = uuid4().hex[:16]
        """What this process is called in the file, and in the names of its channels."""
        self.channels = Channels(self.name, self._capacity_of)
        self.reader = Reader(self._path, self.name, self.channels)
        self.writer = Writer(self._path, committed=self.reader.nudge)

    def stop(self) -> None:
        """Ends the threads, when everything is written that was submitted. What comes then starts them again."""
        if self._pid != os.getpid():
            return  # Of a child that has not come to `reset` yet: threads are the parent's, locks are held for good.
        self.reader.leave()
        self.writer.stop()

    def pause(self) -> None:
        """Closes all connections: if SQLite's are open when the process forks, not even a child's own are safe."""
        self._was_reading = self.reader.pause()
        self.writer.pause()

    def resume(self) -> None:
        """Goes on as if nothing had been."""
        self.writer.resume(self.writer.is_needed)
        self.reader.resume(self._was_reading)


_engines: WeakSet[Engine] = WeakSet()


def _for_all(action: Callable[[Engine], None]) -> None:
    for engine in tuple(_engines):
        action(engine)


atexit.register(_for_all, Engine.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=partial(_for_all, Engine.pause),
        after_in_parent=partial(_for_all, Engine.resume),
        after_in_child=partial(_for_all, Engine.reset),
    )
