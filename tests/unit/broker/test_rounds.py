"""Events on their way to the members of their groups."""

from __future__ import annotations

import pytest

from django_gqlws.broker import rounds as rounds_module
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.event import Event
from django_gqlws.broker.rounds import FEW, Rounds, Subscriber
from django_gqlws.counters import counters


class Listening:
    """A subscriber that notes the number of what it is offered, and what it has to keep."""

    def __init__(self) -> None:
        self.offered: list[int] = []
        self.kept: list[int] = []

    def offer(self, event: Event) -> None:
        self.offered.append(int(event.sent))

    def keep(self, event: Event) -> None:
        self.kept.append(int(event.sent))

    def step(self) -> None:
        raise AssertionError("nobody asked for it")


def event(number: int, size: int = 1) -> Event:
    return Event(Envelope(Kind.EVENT, "room", "me", number, number, bytes(size)))


def new_rounds() -> Rounds:
    def unexpected(error: BaseException) -> None:
        raise error

    return Rounds(unexpected)


def room(count: int) -> tuple[list[Listening], dict[Subscriber, int]]:
    """So many subscribers, and the group that they are members of."""
    listeners = [Listening() for _ in range(count)]
    return listeners, dict.fromkeys(listeners, 0)


def test_a_turn() -> None:
    """So many members hear of the first event; the next turn goes on with the next member."""
    rounds, (listeners, members) = new_rounds(), room(5)
    rounds.begin(event(1), members)
    rounds.begin(event(2), members)

    rounds.go_on(3)
    assert [listener.offered for listener in listeners] == [[1], [1], [1], [], []]
    rounds.go_on(3)
    assert [listener.offered for listener in listeners] == [[1, 2], [1], [1], [1], [1]]
    rounds.go_on(100)

    assert [listener.offered for listener in listeners] == [[1, 2]] * 5
    assert not rounds


def test_the_first_of_many() -> None:
    """It is told alone, and the others when it has had its turn: they find what it has executed."""
    rounds, (listeners, members) = new_rounds(), room(FEW + 1)
    rounds.begin(event(1), members)

    rounds.go_on(100)
    assert [listener.offered for listener in listeners] == [[1]] + [[]] * FEW
    rounds.go_on(100)

    assert [listener.offered for listener in listeners] == [[1]] * (FEW + 1)


def test_who_comes_when_an_event_has_come() -> None:
    """It hears of the next one, also if it had been there before and had left."""
    rounds, ([stays, returns], members) = new_rounds(), room(2)
    late = Listening()
    rounds.begin(event(1), members)
    del members[returns]
    members[returns] = members[late] = rounds.begun
    rounds.begin(event(2), members)

    rounds.go_on(100)

    assert [listener.offered for listener in (stays, returns, late)] == [[1, 2], [2], [2]]


def test_who_leaves_while_an_event_is_on_its_way() -> None:
    """It hears nothing of it."""
    rounds, (listeners, members) = new_rounds(), room(2)
    rounds.begin(event(1), members)

    del members[listeners[1]]
    rounds.go_on(100)

    assert [listener.offered for listener in listeners] == [[1], []]


@pytest.mark.parametrize("limit", ["MAX_WAITING", "MAX_WAITING_BYTES"])
def test_more_events_than_may_wait(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not heard of the oldest keeps it for later, which is counted; nothing is lost, or comes too early."""
    monkeypatch.setattr(rounds_module, limit, 3)
    rounds, (listeners, members), spilled = new_rounds(), room(2), counters.spilled
    rounds.begin(event(1, size=2), members)
    rounds.go_on(1)

    rounds.begin(event(2, size=2), members)
    rounds.begin(event(3, size=2), members)
    rounds.go_on(100)

    assert [listener.kept for listener in listeners] == [[2], [1, 2]]
    assert [listener.offered for listener in listeners] == [[1, 3], [3]]
    assert counters.spilled == spilled + 3


def test_a_message_to_a_small_group_behind_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more members are looked at before it than events may be on their way to."""
    monkeypatch.setattr(rounds_module, "MAX_WAITING", 7)
    rounds, (_, crowd), ([lone], small) = new_rounds(), room(3), room(1)
    for number in range(10):
        rounds.begin(event(number), crowd)

    rounds.begin(event(10), small)
    rounds.go_on(7)

    assert lone.offered == [10]


def test_an_event_that_is_larger_than_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes its round while it is the last."""
    monkeypatch.setattr(rounds_module, "MAX_WAITING_BYTES", 3)
    rounds, (listeners, members) = new_rounds(), room(2)

    rounds.begin(event(1, size=10), members)
    rounds.go_on(100)

    assert [listener.offered for listener in listeners] == [[1], [1]]
