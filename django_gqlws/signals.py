"""Django signals about connections, subscriptions and broadcasts.

========================  =============================  ===========================================================
signal                    sender                         arguments
========================  =============================  ===========================================================
``connection_opened``     the consumer class             ``scope``, ``user``
``connection_closed``     the consumer class             ``scope``, ``user``, ``code``, ``duration``
``subscription_started``  the consumer class             ``scope``, ``user``, ``operation_id``, ``operation_name``,
                                                         ``field``, ``groups``
``subscription_ended``    the consumer class             the same, and ``duration``
``broadcast_sent``        the `Subscription` class, or   ``group``, ``size``
                          the model of a changed row
========================  =============================  ===========================================================

Receivers are told; they decide nothing, and nobody waits for them. Of one connection they are called one after the
other, in the order of what happened: sync ones in a worker thread, async ones on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from django.dispatch import Signal

from .counters import counters
from .execution import workers
from .tasks import Tasks
from .turns import Turns

logger = logging.getLogger(__name__)


class _Signal(Signal):
    def has_listeners(self, sender: Any = None) -> bool:
        """As Django's, which takes 4 microseconds to find nobody."""
        return bool(self.receivers) and super().has_listeners(sender)


connection_opened = _Signal()
"""A client was let in: ``connection_init`` is acknowledged."""

connection_closed = _Signal()
"""A client that was let in is gone."""

subscription_started = _Signal()
"""A subscription can miss nothing any more."""

subscription_ended = _Signal()
"""One that was started is over, however it ended."""

broadcast_sent = _Signal()
"""The channel layer has taken a broadcast."""

MAX_WAITING = 10_000
"""Announcements of a process whose receivers were not called yet; what comes then is dropped, counted and logged."""

AT_ONCE = 4
"""Announcements of one event loop whose receivers run at the same time: most worker threads are left to resolvers."""


class _Places:
    """How many may run on one event loop."""

    def __init__(self) -> None:
        self.all = Turns(AT_ONCE)
        self.broadcasts = Turns(1)


_places: WeakKeyDictionary[asyncio.AbstractEventLoop, _Places] = WeakKeyDictionary()
_is_full = False


def announce(signal: Signal, sender: type, order: Turns | None = None, **facts: Any) -> None:
    """Has the receivers called, and neither waits for them nor raises anything.

    On an event loop that is later, one announcement of an ``order`` after the other (None: that of the broadcasts). In
    a thread without one the receivers are called here and now: who sends from there may block.
    """
    if not signal.has_listeners(sender):
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        signal.send_robust(sender, **facts)
        return
    if _has_room():
        places = _places.setdefault(loop, _Places())
        _tasks.start_soon(_tell(places.all, order or places.broadcasts, signal, sender, facts))


def _has_room() -> bool:
    global _is_full
    was_full, _is_full = _is_full, len(_tasks) >= MAX_WAITING
    if _is_full:
        counters.announcements_dropped += 1
        if not was_full:
            logger.warning(
                "Receivers of signals are too slow: %d announcements wait, new ones are dropped.", MAX_WAITING
            )
    return not _is_full


async def _tell(places: Turns, order: Turns, signal: Signal, sender: type, facts: dict[str, Any]) -> None:
    def send() -> None:
        # Calls async receivers on the event loop that the thread works for, and logs those that fail.
        signal.send_robust(sender, **facts)

    with suppress(workers.CancelledTooLate):
        async with order, places:
            await workers.run(send)


def _report(error: BaseException) -> None:
    logger.error("Receivers of a signal were not called: %r", error, exc_info=error)


_tasks = Tasks(_report)
