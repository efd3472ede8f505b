"""The bus and the hub of each event loop in this process, and the way to them from plain threads."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress

from channels.layers import get_channel_layer

from ..deadlines import Deadlines
from ..exceptions import BacklogError, BroadcastError, RunningLoopError
from .bus import Bus, Message
from .census import Answer, take_census
from .envelope import Envelope
from .hub import Hub
from .shortcut import Shortcuts

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 10.0
"""Seconds after which a blocking send from a thread gives up."""


class Broker:
    """The bus and the hub of one event loop."""

    __slots__ = ("_deadlines", "bus", "hub")

    def __init__(self) -> None:
        self.bus = Bus(_send_elsewhere)
        self.hub = Hub()
        self._deadlines: dict[float, Deadlines] = {}

    def deadlines(self, seconds: float) -> Deadlines:
        """Where what may take so many seconds is watched."""
        deadlines = self._deadlines.get(seconds)
        if deadlines is None:
            deadlines = self._deadlines[seconds] = Deadlines(seconds)
        return deadlines


_brokers: dict[asyncio.AbstractEventLoop, Broker] = {}

_moving: list[Sequence[Envelope]] = []
"""What loops that end have left, and no bus has taken over yet."""

_shortcuts = Shortcuts()


def current_broker() -> Broker:
    """The broker of the running event loop."""
    loop = asyncio.get_running_loop()
    broker = _brokers.get(loop)
    if broker is None:
        # Other threads, with loops of their own, do the same meanwhile: tuple() sees one moment.
        for closed in [other for other in tuple(_brokers) if other.is_closed()]:
            _brokers.pop(closed, None)
        broker = _brokers[loop] = Broker()
    return broker


def send_from_thread(*messages: Message) -> None:
    """Sends messages and waits until the channel layer has them: by a shortcut, or over an event loop of this process.

    The loop is the one that serves subscribers, if there is one: the in-memory layer wakes no other. Otherwise it is
    one in a thread of its own, which keeps its connection to the layer. Raises BroadcastError, RunningLoopError.
    """
    refuse_running_loop()
    shortcut = _shortcuts.find(get_channel_layer())
    if shortcut is not None and _is_idle():
        shortcut.send(messages, SEND_TIMEOUT)
        return
    try:
        _send_over(_serving_loop() or _background.loop(), messages)
    except _LoopEndedError:
        _send_over(_background.loop(), messages)


def _is_idle() -> bool:
    """Whether no message waits that was there before: of a task that awaits this thread, of a loop that has ended."""
    return not _moving and all(broker.bus.is_idle for broker in tuple(_brokers.values()))


def take_census_from_thread(groups: Sequence[str]) -> list[Answer]:
    """Asks all processes for their subscriptions to these groups, from a thread without an event loop.

    Raises BroadcastError if the channel layer fails, RunningLoopError.
    """
    refuse_running_loop()
    loop = _serving_loop() or _background.loop()
    return asyncio.run_coroutine_threadsafe(_take_census(groups), loop).result()


async def _take_census(groups: Sequence[str]) -> list[Answer]:
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            return await take_census(current_broker().bus, groups)
    except TimeoutError as error:
        raise BroadcastError(f"The channel layer did not serve a census within {SEND_TIMEOUT:g} seconds.") from error


class _LoopEndedError(BroadcastError):
    """The event loop ended before the message was sent."""


def _send_over(loop: asyncio.AbstractEventLoop, messages: Sequence[Message]) -> None:
    sending = _Sending(messages)
    try:
        loop.call_soon_threadsafe(sending.post)
    except RuntimeError as error:
        raise _LoopEndedError("The event loop is closed.") from error
    sending.wait()


class _Sending:
    """Messages of a thread that waits until the channel layer has them.

    What wakes the thread is a lock: a task and the futures of two worlds take longer than many a layer.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._left = len(messages)
        self._error: BaseException | None = None
        self._is_given_up = False
        self._is_over = threading.Lock()
        self._is_over.acquire()

    def post(self) -> None:
        """On the event loop: hands them to its bus."""
        if self._is_given_up:
            return
        bus = current_broker().bus
        for message in self._messages:
            try:
                bus.take(message, self._settle)
            except BacklogError as error:
                self._settle(error)

    def wait(self) -> None:
        """In the thread: returns when the layer has all of them, or the loop ends and another one sends them."""
        if not self._is_over.acquire(timeout=SEND_TIMEOUT):
            self._is_given_up = True
            raise BroadcastError(f"The channel layer did not take the message within {SEND_TIMEOUT:g} seconds.")
        if self._error is not None:
            raise self._error

    def _settle(self, error: BaseException | None) -> None:
        if not isinstance(error, asyncio.CancelledError):
            self._error = self._error or error
        self._left -= 1
        if not self._left:
            self._is_over.release()


def _send_elsewhere(envelopes: Sequence[Envelope]) -> None:
    """Sends what an event loop that ends has left, over one that goes on; nobody waits for it."""

    def send_all() -> None:
        for envelope in envelopes:
            current_broker().bus.forward(envelope, _log_loss)
        _moving.remove(envelopes)

    _moving.append(envelopes)
    ending = asyncio.get_running_loop()
    (_serving_loop(but=ending) or _background.loop()).call_soon_threadsafe(send_all)


def _log_loss(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, asyncio.CancelledError):
        logger.error("A message of an event loop that has ended was not sent: %r", error)


def refuse_running_loop() -> None:
    """Raises RunningLoopError where a blocking call would block an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RunningLoopError(
        "This blocks the event loop: await the ..._async method instead of calling the ..._sync one."
    )


def serves_subscribers() -> bool:
    """Whether an event loop of this process receives for subscribers."""
    return _serving_loop() is not None


def _serving_loop(but: asyncio.AbstractEventLoop | None = None) -> asyncio.AbstractEventLoop | None:
    for loop, broker in reversed(tuple(_brokers.items())):
        if broker.hub.is_open and loop.is_running() and loop not in (but, _background.running):
            return loop
    return None


async def _finish() -> None:
    await current_broker().bus.finish()


def _start_loop() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gqlws-send", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        loop.close()
        raise BroadcastError(
            f"No thread can be started to send from ({error}). If the interpreter is ending it is too late:"
            " send before the main thread ends, or await the ..._async method."
        ) from error
    return loop, thread


class _BackgroundLoop:
    """An event loop in a daemon thread, started when it is needed first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.running: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs. Raises BroadcastError if no thread can be started."""
        with self._lock:
            if self.running is None:
                self.running, self._thread = _start_loop()
            return self.running

    def stop(self) -> None:
        """Ends the thread and closes the loop, and with it the connections to the layer."""
        with self._lock:
            loop, thread = self.running, self._thread
            self.running = self._thread = None
        if loop is not None and thread is not None:
            with suppress(FutureTimeoutError):
                asyncio.run_coroutine_threadsafe(_finish(), loop).result(SEND_TIMEOUT)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(SEND_TIMEOUT)
            _brokers.pop(loop, None)
            loop.close()

    def forget(self) -> None:
        """In a forked child: the thread stayed with the parent."""
        self.__init__()  # type: ignore[misc]
        _brokers.clear()
        _moving.clear()
        _shortcuts.forget()


_background = _BackgroundLoop()
atexit.register(_background.stop)
if hasattr(os, "register_at_fork"):  # Not on Windows.
    os.register_at_fork(after_in_child=_background.forget)
