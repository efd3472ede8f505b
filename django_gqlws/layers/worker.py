"""A thread that works when there is something to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..exceptions import LayerError


class Worker:
    """A thread that can be started and stopped at any time; it goes on from where it stopped.

    A subclass says what it does (`_run`), and how it is told to end (`_ask_to_end`).
    """

    def __init__(self, name: str) -> None:
        self._name_of_thread = name
        self._thread: threading.Thread | None = None
        self._latest: threading.Thread | None = None
        """The one that was started last; it may have been told to end."""
        self._ends = False
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    def start(self) -> None:
        """Starts the thread if there is none. Raises LayerError if no thread can be started."""
        if threading.current_thread() is self._latest:
            return  # It sees itself what there is to do. Who stops it waits for it, and has the lock.
        with self._lock:
            self._start()

    def stop(self) -> None:
        """Returns when the thread has ended; a later `start` starts another."""
        with self._stopping() as is_mine:
            if is_mine:
                self._stop()

    def pause(self) -> bool:
        """The same, and nobody can start one before `resume`. The caller says there whether it is needed.

        Whether there was one.
        """
        self._lock.acquire()
        was_running = self.is_running  # Not before: somebody else may have paused it until now.
        self._stop()
        return was_running

    def resume(self, is_needed: bool) -> None:
        """Ends the pause."""
        if is_needed:
            self._start()
        self._lock.release()

    @contextmanager
    def _stopping(self) -> Iterator[bool]:
        """Whether the caller is to stop the thread; it has the lock then.

        The thread itself may be the caller, when it drops the last reference to its layer. It must not wait for the
        lock: who has it waits for the thread.
        """
        is_mine = self._lock.acquire(blocking=threading.current_thread() is not self._latest)
        try:
            yield is_mine
        finally:
            if is_mine:
                self._lock.release()

    def _start(self) -> None:
        if self._thread is None:
            self._ends = False
            self._latest = threading.Thread(target=self._run, name=self._name_of_thread, daemon=True)
            try:
                self._latest.start()
            except RuntimeError as error:
                raise LayerError(
                    f"The channel layer can start no thread ({error}): use it before the interpreter is ending."
                ) from error
            self._thread = self._latest

    def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ends = True
            self._ask_to_end()
            if thread is not threading.current_thread():  # The garbage collector may call from any.
                thread.join()

    def _run(self) -> None:
        raise NotImplementedError

    def _ask_to_end(self) -> None:
        raise NotImplementedError
