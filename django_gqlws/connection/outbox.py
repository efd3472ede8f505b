"""Frames on their way to one socket, in order."""

from __future__ import annotations

import asyncio
import logging
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from typing import Any

from ..protocol import close
from ..protocol.close import Close
from ..tasks import Tasks

logger = logging.getLogger(__name__)

HIGH_WATER = 256 * 1024
"""Characters that may wait for a slow client before nothing more is read from it."""

Message = dict[str, Any]
Sending = Coroutine[Any, Any, None]
Send = Callable[[Message], Sending]
"""ASGI's ``send``."""


class Outbox:
    """Writes at once while the client keeps up, and keeps order when it does not.

    A server's send finishes without waiting as long as the socket's buffer has room: it is stepped by hand, so
    that no task exists unless the client is slow.
    """

    __slots__ = ("_idle", "_open", "_queue", "_send", "_size", "_tasks", "busy")

    def __init__(self, send: Send, tasks: Tasks) -> None:
        self.busy = False
        """Whether the client is slower than what is sent to it."""
        self._send = send
        self._tasks = tasks
        # Made for a client that is slow: an empty deque takes 760 bytes.
        self._queue: deque[Message] | None = None
        self._size = 0
        self._idle: list[Callable[[], None]] = []
        self._open = True

    @property
    def congested(self) -> bool:
        """Whether so much waits that nothing more should be read from the client."""
        return self._size > HIGH_WATER

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Calls back when everything is written, or cannot be written any more."""
        if self.busy:
            self._idle.append(callback)
        else:
            callback()

    async def idle(self) -> None:
        """Returns when everything is written, or cannot be written any more; lets others run in any case.

        Who has much to send waits here.
        """
        if self.busy:
            written = asyncio.Event()
            self._idle.append(written.set)
            await written.wait()
        else:
            await asyncio.sleep(0)

    def send(self, text: str) -> None:
        """Sends a text frame behind all others; nothing, if the socket is closing."""
        if not self._open:
            return
        message = {"type": "websocket.send", "text": text}
        if self._queue is None:
            self._write(message)
        else:
            self._queue.append(message)
            self._size += len(text)

    def close(self, reason: Close) -> None:
        """Closes the socket behind all frames."""
        if not self._open:
            return
        self._open = False
        if self._queue is None:
            self._write(_closing(reason))
        else:
            self._queue.append(_closing(reason))

    def abandon(self) -> None:
        """The socket is gone: drops what waits."""
        self._open = False
        if self._queue is not None:
            self._queue.clear()
        self._size = 0

    def _write(self, message: Message) -> None:
        send = self._send  # Python 3.11 takes longer to call it in one step.
        sending = send(message)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except Exception as error:
            self._fail(error)
            return
        self.busy = True
        queue = self._queue = deque()
        self._tasks.start(self._write_on(_resume(sending, waits_for), queue), Context())

    async def _write_on(self, current: Awaitable[None], queue: deque[Message]) -> None:
        try:
            await current
            while queue:
                message = queue.popleft()
                self._size -= len(message.get("text", ""))
                await self._send(message)
        except Exception as error:
            self._fail(error)
        finally:
            self.busy = False
            self._queue = None
            callbacks, self._idle = self._idle, []
            for callback in callbacks:
                callback()

    def _fail(self, error: Exception) -> None:
        self.abandon()
        if isinstance(error, OSError):
            logger.debug("A frame was not sent, the client is gone: %r", error)
            return  # The disconnect follows.
        logger.warning("A frame was not sent, the server refused it: %r", error)
        self._tasks.start(self._close_broken(), Context())

    async def _close_broken(self) -> None:
        """A frame is missing: the client must not go on as if nothing had happened."""
        try:
            await self._send(_closing(close.INTERNAL_ERROR))
        except Exception as error:
            logger.debug("The socket was not closed either: %r", error)


def _closing(reason: Close) -> Message:
    return {"type": "websocket.close", "code": reason.code, "reason": reason.reason}


@types.coroutine
def _resume(sending: Sending, waits_for: Any) -> Generator[Any, Any, None]:
    """Goes on with a coroutine that was stepped once, from what it waits for."""
    # As ``yield from`` does it, which cannot begin in the middle.
    while True:
        try:
            sent = yield waits_for
        except BaseException as error:
            step = partial(sending.throw, error)
        else:
            step = partial(sending.send, sent)
        try:
            waits_for = step()
        except StopIteration:
            return
