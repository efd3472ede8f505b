"""Events on their way to the members of their groups, some members in each turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..counters import counters
from .cohort import Member
from .event import Event

MAX_WAITING = 10_000
"""Members that events may be on their way to: a quarter of a second's work. A message to a small group waits behind it.
"""

MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Bytes of the payloads of events that are on their way."""

FEW = 10
"""Members of whom the first is told together with the others. Of more it is told a turn earlier: when the others are,
it has executed the event for all, unless that takes longer. Otherwise each would wait, and be called to a step."""


class Subscriber(Member, Protocol):
    """A live subscription, as the hub sees it. It gets events in the order of the broadcasts; it must not wait."""

    def offer(self, event: Event) -> None:
        """Takes an event, and does at once what can be done with it."""

    def keep(self, event: Event) -> None:
        """Takes an event for later: it will not be its turn soon."""


@dataclass(slots=True, eq=False)
class _Round:
    """One event, and who was a member of its group when it came."""

    event: Event
    number: int
    members: Mapping[Subscriber, int]
    audience: tuple[Subscriber, ...]
    told: int = 0
    """How many of the audience it has come to."""


class Rounds:
    """The events that have come and that not everybody has heard of, in order.

    Each makes its round among the members of its group: whoever keeps up is looked at once for each event, and needs no
    queue of its own. When too much waits, those whom the oldest event has not come to have to keep it.
    """

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        self.begun = 0
        """How many events have come so far."""
        self._rounds: deque[_Round] = deque()
        self._waiting = 0
        self._bytes = 0
        self._report = report

    def __bool__(self) -> bool:
        """Whether somebody has not heard of an event."""
        return bool(self._rounds)

    def begin(self, event: Event, members: Mapping[Subscriber, int]) -> None:
        """Takes an event for the members of a group, each with what `begun` was when it came there.

        Who comes later, or leaves before it is told, gets nothing of it.
        """
        self.begun += 1
        self._rounds.append(_Round(event, self.begun, members, tuple(members)))
        self._waiting += len(members)
        self._bytes += event.size
        while len(self._rounds) > 1 and (self._waiting > MAX_WAITING or self._bytes > MAX_WAITING_BYTES):
            self._spill()

    def go_on(self, most: int) -> None:
        """Offers events to so many members at most; of many members of a group to the first alone."""
        while most > 0 and self._rounds:
            round = self._rounds[0]
            if round.told == 0 and len(round.audience) > FEW:
                self._tell(round, 1)
                return
            most -= self._tell(round, most)

    def _spill(self) -> None:
        counters.spilled += self._tell(self._rounds[0], MAX_WAITING, has_time=False)

    def _tell(self, round: _Round, most: int, has_time: bool = True) -> int:
        """To how many members it came."""
        event, number, members = round.event, round.number, round.members
        part = round.audience[round.told : round.told + most]
        self._advance(round, len(part))
        for subscriber in part:
            # It may have left, and come again.
            if members.get(subscriber, number) < number:
                try:
                    if has_time:
                        subscriber.offer(event)
                    else:
                        subscriber.keep(event)
                except Exception as error:
                    self._report(error)
        return len(part)

    def _advance(self, round: _Round, count: int) -> None:
        round.told += count
        self._waiting -= count
        if round.told == len(round.audience):
            self._rounds.popleft()
            self._bytes -= round.event.size
