"""The load of ``steady``: subscribers who stay, visitors, and queries, all verified second by second."""

from __future__ import annotations

import json
import time

from benchmarks import documents
from benchmarks.audience import Audience
from benchmarks.client import Client, Loop, Script
from benchmarks.control import Control
from benchmarks.sessions import MESSAGES_PER_ANSWER, connect_all, query, verify_answers, wait
from benchmarks.workloads.connections import leave, verify_visit, visit

_SUBSCRIBERS = 1_000
_PERSONAL_SUBSCRIBERS = 100
_ASKERS = 10
_TICKS = 10
"""In a second. Each brings one broadcast to the room, one visitor, and one query of each asker."""

PER_SECOND = {
    "deliveries": _TICKS * _SUBSCRIBERS + _PERSONAL_SUBSCRIBERS,
    "visits": _TICKS,
    "queries": _TICKS * _ASKERS,
}
"""What the server does in a second."""


class SteadyLoad:
    """A room of 1,000 and 10 broadcasts a second, one of 100 and a personal one, 10 visits and 100 queries a second."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._seconds = 0
        self._control = Control(loop)
        self._room = Audience(loop, "onMessage", ["room"] * _SUBSCRIBERS)
        self._personal = Audience(loop, "onPersonal", ["room"] * _PERSONAL_SUBSCRIBERS)
        for audience in (self._room, self._personal):
            audience.subscribe(self._control)
            audience.settle(self._control)
            audience.forget()
        self._askers = connect_all(loop, (loop.connect(str(number)) for number in range(_ASKERS)))
        for asker in self._askers:
            asker.messages.clear()
        self._query = query(documents.VALUE)

    def run_second(self) -> None:
        """Keep up the load for a second, and verify what came of it."""
        start = time.monotonic()
        broadcasts = range(self._seconds * _TICKS, (self._seconds + 1) * _TICKS)
        visitors = []
        self._control.broadcast("onPersonal", "room", self._seconds)
        for tick, seq in enumerate(broadcasts, start=1):
            self._control.broadcast("onMessage", "room", seq)
            visitors.append(self._visitor())
            for asker in self._askers:
                asker.send(self._query(tick))
            self._loop.run_for(start + tick / _TICKS - time.monotonic())
        wait(self._loop, lambda: self._is_done(visitors), "a second's load")
        self._verify(broadcasts, visitors)
        self._seconds += 1

    def _visitor(self) -> Client:
        client = self._loop.connect("visitor")
        client.follow(_come_and_go(client))
        return client

    def _is_done(self, visitors: list[Client]) -> bool:
        return (
            self._control.is_idle
            and self._room.heard >= _TICKS * _SUBSCRIBERS
            and self._personal.heard >= _PERSONAL_SUBSCRIBERS
            and all(len(asker.messages) >= _TICKS * MESSAGES_PER_ANSWER for asker in self._askers)
            and not any(visitor.is_busy for visitor in visitors)
        )

    def _verify(self, broadcasts: range, visitors: list[Client]) -> None:
        self._room.verify_and_forget(broadcasts)
        self._personal.verify_and_forget(range(self._seconds, self._seconds + 1))
        for visitor in visitors:
            verify_visit(visitor)
        for asker in self._askers:
            verify_answers([json.loads(message) for message in asker.messages], _TICKS)
            asker.messages.clear()


def _come_and_go(client: Client) -> Script:
    yield from visit(client)
    yield from leave(client)
