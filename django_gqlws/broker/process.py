"""The bus and the hub of each event loop in this process, and the way to them from plain threads."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import TimeoutError as FutureTimeoutError

from ..deadlines import Deadlines
from ..exceptions import BroadcastError, RunningLoopError
from .bus import Bus
from .hub import Hub

SEND_TIMEOUT = 10.0
"""Seconds after which a blocking send from a thread gives up."""


class Broker:
    """The bus and the hub of one event loop."""

    __slots__ = ("_deadlines", "bus", "hub")

    def __init__(self) -> None:
        self.bus = Bus()
        self.hub = Hub()
        self._deadlines: dict[float, Deadlines] = {}

    def deadlines(self, seconds: float) -> Deadlines:
        """Where what may take so many seconds is watched."""
        deadlines = self._deadlines.get(seconds)
        if deadlines is None:
            deadlines = self._deadlines[seconds] = Deadlines(seconds)
        return deadlines


_brokers: dict[asyncio.AbstractEventLoop, Broker] = {}


def current_broker() -> Broker:
    """The broker of the running event loop."""
    loop = asyncio.get_running_loop()
    broker = _brokers.get(loop)
    if broker is None:
        for closed in [other for other in _brokers if other.is_closed()]:
            del _brokers[closed]
        broker = _brokers[loop] = Broker()
    return broker


def run_from_thread(send: Callable[[Broker], Awaitable[None]]) -> None:
    """Runs a send on an event loop of this process and waits for its end; an error of it is raised here.

    The loop is the one that serves the sockets, if there is one: the in-memory layer wakes no other. Otherwise it is
    one in a thread of its own, which keeps its connection to the layer.
    """
    if _runs_loop():
        raise RunningLoopError(
            "This blocks the event loop: await the ..._async method instead of calling the ..._sync one."
        )
    loop = _serving_loop() or _background.loop()

    async def run() -> None:
        await send(current_broker())

    future = asyncio.run_coroutine_threadsafe(run(), loop)
    try:
        future.result(SEND_TIMEOUT)
    except FutureTimeoutError:
        future.cancel()
        raise BroadcastError(f"The channel layer did not take the message within {SEND_TIMEOUT:g} seconds.") from None


def _runs_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _serving_loop() -> asyncio.AbstractEventLoop | None:
    for loop in reversed(tuple(_brokers)):
        if loop.is_running() and loop is not _background.running:
            return loop
    return None


class _BackgroundLoop:
    """An event loop in a daemon thread, started when it is needed first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.running: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self.running is None:
                self.running = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self.running.run_forever, name="gqlws-send", daemon=True)
                self._thread.start()
            return self.running

    def stop(self) -> None:
        """Ends the thread and closes the loop, and with it the connections to the layer."""
        with self._lock:
            loop, thread = self.running, self._thread
            self.running = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(SEND_TIMEOUT)
            _brokers.pop(loop, None)
            loop.close()

    def forget(self) -> None:
        """In a forked child: the thread stayed with the parent."""
        self.__init__()  # type: ignore[misc]
        _brokers.clear()


_background = _BackgroundLoop()
atexit.register(_background.stop)
os.register_at_fork(after_in_child=_background.forget)
