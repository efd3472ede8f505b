"""One event for one cohort: who executes it, and whose the result is."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterable

from django_gqlws.broker.cohort import Cohorts, Member, Sharing, State
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.event import Event
from tests.support.notes import Notes


class Somebody(Member):
    """A member that is only known by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


A, B, LEADER = Somebody("a"), Somebody("b"), Somebody("leader")


def event() -> Event:
    return Event(Envelope(Kind.EVENT, "room", "me", 1, 0, b""))


def led() -> tuple[Sharing, list[Member]]:
    """An event that somebody executes, while two others wait; who is woken is noted."""
    woken = list[Member]()
    sharing = Sharing(woken.extend)
    sharing.lead(LEADER)
    sharing.wait(A)
    sharing.wait(B)
    return sharing, woken


def nobody(members: Iterable[Member]) -> None:
    assert not list(members)


async def test_members_with_the_same_key() -> None:
    """They are one cohort as long as one of them is there."""
    cohorts = Cohorts(nobody)

    first, second = cohorts.find(("a", 1)), cohorts.find(("a", 1))
    assert first is second
    assert cohorts.find(("a", 2)) is not first

    del first, second
    gc.collect()
    assert len(cohorts._cohorts) == 0


async def test_an_event_has_one_decision_for_each_cohort() -> None:
    """That of one is not that of another, nor that of the next event."""
    cohorts, one, other = Cohorts(nobody), event(), event()
    a, b = cohorts.find("a"), cohorts.find("b")

    assert one.sharing(a) is one.sharing(a)
    assert len({id(one.sharing(a)), id(one.sharing(b)), id(other.sharing(a))}) == 3


async def test_members_that_share_nothing() -> None:
    """Each executes each event for itself."""
    cohort = Cohorts(nobody).find("a", shares=False)

    assert event().sharing(cohort).state is State.PERSONAL


async def test_a_result_that_is_shared() -> None:
    """Everybody who waits is woken once, in order, and finds it."""
    sharing, woken = led()

    sharing.share("result")
    sharing.share("another")

    assert (sharing.state, sharing.result, woken) == (State.SHARED, "result", [A, B])


async def test_nothing_to_send() -> None:
    """It is shared like a result."""
    sharing, woken = led()

    sharing.share(None)

    assert (sharing.state, sharing.result, woken) == (State.SHARED, None, [A, B])


async def test_a_touch_on_the_loop() -> None:
    """It is decided at once, and what the leader shares later is its own."""
    sharing, woken = led()

    sharing.make_personal()
    assert (sharing.state, woken) == (State.PERSONAL, [A, B])
    sharing.share("result")

    assert (sharing.state, sharing.result, woken) == (State.PERSONAL, None, [A, B])


async def test_a_touch_in_a_thread() -> None:
    """It is decided on the loop."""
    called = Notes[int]()
    sharing = Sharing(lambda _: called.add(threading.get_ident()))
    sharing.lead(LEADER)

    await asyncio.to_thread(sharing.make_personal)
    await called.reached(1)

    assert sharing.state is State.PERSONAL
    assert called == [threading.get_ident()]


async def test_a_touch_on_another_loop() -> None:
    """It is decided on its own."""
    called = Notes[int]()
    sharing = Sharing(lambda _: called.add(threading.get_ident()))
    sharing.lead(LEADER)

    async def touch() -> None:
        sharing.make_personal()

    await asyncio.to_thread(asyncio.run, touch())
    await called.reached(1)

    assert called == [threading.get_ident()]


async def test_a_leader_who_gives_up() -> None:
    """Those who wait are woken, and one of them can lead."""
    sharing, woken = led()

    sharing.give_up(LEADER)
    assert (sharing.state, sharing.leader, woken) == (State.OPEN, None, [A, B])
    sharing.lead(A)
    sharing.wait(B)
    sharing.share("result")

    assert (sharing.state, sharing.result, woken) == (State.SHARED, "result", [A, B, B])


async def test_another_member_who_gives_up() -> None:
    """The leader goes on."""
    sharing, woken = led()

    sharing.give_up(A)

    assert (sharing.state, sharing.leader, woken) == (State.RUNNING, LEADER, [])


async def test_a_leader_who_gives_up_too_late() -> None:
    """What is decided stays."""
    shared, _ = led()
    shared.share("result")
    personal, _ = led()
    personal.make_personal()

    shared.give_up(LEADER)
    personal.give_up(LEADER)

    assert (shared.state, personal.state) == (State.SHARED, State.PERSONAL)


async def test_a_touch_when_it_is_too_late() -> None:
    """A shared result stays shared: nothing of the touch can be in it."""
    sharing, _ = led()
    sharing.share("result")

    sharing.make_personal()

    assert (sharing.state, sharing.result) == (State.SHARED, "result")
