"""Sends on what the triggers have written: one process for each database, others wait to take over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Never, Self

from django.db import close_old_connections, connections

from ..declaration import Bridge
from ..delivery import send
from .outbox import Outbox
from .statements import CHANNEL, OUTBOX, quoted

logger = logging.getLogger(__name__)

IDLE = 10.0
"""Seconds without a notification after which the relay looks into the outbox all the same."""

TURN = 1.0
"""Seconds between two attempts of a waiting process to take over."""

PAUSE, MAX_PAUSE = 1.0, 30.0
"""Seconds until the next attempt after a failure: the first, doubled up to the last."""

AT_ONCE = 100
"""Transactions that are read together."""

_LOCK = f"SELECT pg_try_advisory_lock((26481::bigint << 32) | '{quoted(OUTBOX)}'::regclass::oid::bigint)"

# When this machine is gone, the server has to find out before others can take over; by default that takes hours.
_KEEP_ALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"


class Relay:
    """A connection of its own to a database, that listens.

    ::

        with Relay("default", bridges) as relay:
            if relay.takes_turn():
                relay.begin()
                while True:
                    relay.send_next()

    All may raise what the database and the channel layer raise. What was not sent is still there for the next relay;
    what was sent just before may be sent again.
    """

    def __init__(self, using: str, bridges: Mapping[str, Bridge]) -> None:
        self._using = using
        self._connection = _own_connection(using)
        self._outbox = Outbox(self._connection, bridges)

    def takes_turn(self) -> bool:
        """Whether no other process relays. From then on it is this one, until the connection ends."""
        with self._connection.cursor() as cursor:
            cursor.execute(_LOCK)
            return bool(cursor.fetchone()[0])

    def begin(self) -> None:
        """Listens, and sends what has come before."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"{_KEEP_ALIVE}; LISTEN {CHANNEL}")
        self._send(self._outbox.waiting())

    def send_next(self, patience: float = IDLE) -> None:
        """Waits for the next transactions, and sends them in the order of their commits.

        After ``patience`` seconds, or if there are some without a notification, it sends all that wait.
        """
        with self._connection.wrap_database_errors:
            notifications = list(self._connection.connection.notifies(timeout=patience, stop_after=1))
        notified = [int(one.payload) for one in notifications if one.payload.isdecimal()]
        is_complete = notified and not self._outbox.has_silent()
        self._send(notified if is_complete else self._outbox.waiting())

    def _send(self, xids: Sequence[int]) -> None:
        for start in range(0, len(xids), AT_ONCE):
            some = xids[start : start + AT_ONCE]
            for changes in self._outbox.changes(some).values():
                send(changes, self._using)
            self._outbox.forget(some)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()


def _own_connection(using: str) -> Any:
    connection: Any = connections.create_connection(using)
    settings = connection.settings_dict
    # A pool would keep it open when it is closed, and with it the lock.
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
    connection.settings_dict = {**settings, "OPTIONS": options}
    return connection


def run_relay(using: str, bridges: Mapping[str, Bridge], say: Callable[[str], None]) -> Never:
    """Relays until the process ends; whatever fails is logged and tried again."""
    pause = PAUSE
    while True:
        try:
            with Relay(using, bridges) as relay:
                _wait_for_turn(relay, say)
                relay.begin()
                say("Relaying.")
                while True:
                    pause = PAUSE
                    # As between two requests: functions for groups and payloads may have used some.
                    close_old_connections()
                    relay.send_next()
        except Exception as error:
            logger.exception("The relay of the database %r begins anew in %g seconds: %s", using, pause, error)
        connections.close_all()
        time.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE)


def _wait_for_turn(relay: Relay, say: Callable[[str], None]) -> None:
    if relay.takes_turn():
        return
    say("Another process relays. Waiting to take over.")
    while not relay.takes_turn():
        time.sleep(TURN)
