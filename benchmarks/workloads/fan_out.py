"""Broadcasts to many subscribers."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.audience import Audience
from benchmarks.bench import Bench
from benchmarks.control import Control
from benchmarks.meter import Figures
from benchmarks.sessions import wait

_FEWEST_BROADCASTS = 3
_WARM_UP = 0.25
_SETTLE = 7.0
"""Seconds in which servers do what comes once after clients: ours writes them into its database every 5 s."""
_ROOMS_UNDER_WAY = 64


def one_room(bench: Bench, *, field: str, subscribers: int, deflate: bool = False) -> Figures:
    """Deliveries to subscribers of one room, on all processes of the server; two broadcasts under way."""
    audience = Audience(bench.loop, field, ["room"] * subscribers, processes=len(bench.loop.ports), deflate=deflate)
    stage = _Stage(bench, field, audience)

    def broadcast_for(seconds: float) -> None:
        end, fewest = time.monotonic() + seconds, stage.sent + _FEWEST_BROADCASTS
        while time.monotonic() < end or stage.sent < fewest:
            stage.broadcast()
            wait(bench.loop, lambda: stage.delivered >= stage.expected - subscribers, "a broadcast")

    return stage.measure(broadcast_for)


def many_rooms(bench: Bench, *, field: str, rooms: int) -> Figures:
    """Broadcasts to rooms of one subscriber each, in turn, many under way; all subscribers are on the first process."""
    audience = Audience(bench.loop, field, [f"room-{number}" for number in range(rooms)])
    stage = _Stage(bench, field, audience)

    def broadcast_for(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while stage.expected - stage.delivered < _ROOMS_UNDER_WAY:
                stage.broadcast()
            delivered = stage.delivered
            wait(bench.loop, lambda: stage.delivered > delivered, "a broadcast")  # noqa: B023

    return stage.measure(broadcast_for)


class _Stage:
    """Subscribers of some rooms, and broadcasts to these rooms in turn."""

    def __init__(self, bench: Bench, field: str, audience: Audience) -> None:
        self.sent = 0
        """Broadcasts so far."""
        self._bench = bench
        self._field = field
        self._rooms = list(dict.fromkeys(audience.rooms))
        self._subscribers_of_room = len(audience.rooms) // len(self._rooms)
        self._control = Control(bench.loop)
        self._audience = audience
        self._audience.subscribe(self._control)
        self._audience.settle(self._control)
        bench.loop.run_for(_SETTLE)
        self._heard_before = bench.loop.received - self._control.received

    @property
    def expected(self) -> int:
        """Deliveries that are due."""
        return self.sent * self._subscribers_of_room

    @property
    def delivered(self) -> int:
        """Deliveries that have come."""
        return self._bench.loop.received - self._control.received - self._heard_before

    def broadcast(self) -> None:
        """Broadcast to the next room, once the server has taken the last broadcast to that room."""
        seq, room = divmod(self.sent, len(self._rooms))
        if room == 0:
            wait(self._bench.loop, lambda: self._control.is_idle, "a request to broadcast")
        self._control.broadcast(self._field, self._rooms[room], seq)
        self.sent += 1

    def measure(self, broadcast_for: Callable[[float], None]) -> Figures:
        """Figures of the deliveries in the time given, after a warm-up; all of them are verified."""
        self._finish(broadcast_for, self._bench.seconds * _WARM_UP)
        before, bytes_before = self.expected, self._bench.loop.received_bytes
        start = self._bench.meter.read()
        self._finish(broadcast_for, self._bench.seconds)
        count = self.expected - before
        figures = self._bench.meter.since(start, count)
        figures["wire_bytes"] = (self._bench.loop.received_bytes - bytes_before) / count

        self._bench.loop.run_until_quiet()
        seq, room = divmod(self.sent, len(self._rooms))
        broadcasts = [seq + (number < room) for number in range(len(self._rooms))]
        self._audience.verify(broadcasts * self._subscribers_of_room)
        self._control.verify()
        return figures

    def _finish(self, broadcast_for: Callable[[float], None], seconds: float) -> None:
        broadcast_for(seconds)
        wait(self._bench.loop, lambda: self.delivered >= self.expected, "the last broadcasts")
