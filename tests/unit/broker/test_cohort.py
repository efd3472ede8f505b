"""One event for one cohort: who executes it, and whose the result is."""

from __future__ import annotations

import asyncio
import gc
import threading

from django_gqlws.broker.cohort import Cohorts, Sharing, State
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.event import Event
from tests.support.notes import Notes


def event() -> Event:
    return Event(Envelope(Kind.EVENT, "room", "me", 1, 0, b""))


def led() -> tuple[Sharing, list[str]]:
    """An event that somebody executes, while two others wait; who is called back is noted."""
    sharing, called = Sharing(), list[str]()
    sharing.lead()
    for name in ("a", "b"):
        sharing.wait(lambda name=name: called.append(name))  # type: ignore[misc]
    return sharing, called


async def test_members_with_the_same_key() -> None:
    """They are one cohort as long as one of them is there."""
    cohorts = Cohorts()

    first, second = cohorts.find(("a", 1)), cohorts.find(("a", 1))
    assert first is second
    assert cohorts.find(("a", 2)) is not first

    before = id(first.personal)
    del first, second
    gc.collect()
    assert len(cohorts._cohorts) == 0
    assert before


async def test_an_event_has_one_decision_for_each_cohort() -> None:
    """That of one is not that of another, nor that of the next event."""
    cohorts, one, other = Cohorts(), event(), event()
    a, b = cohorts.find("a"), cohorts.find("b")

    assert one.sharing(a) is one.sharing(a)
    assert len({id(one.sharing(a)), id(one.sharing(b)), id(other.sharing(a))}) == 3


async def test_a_result_that_is_shared() -> None:
    """Everybody who waits is called back once, in order, and finds it."""
    sharing, called = led()

    sharing.share("result")
    sharing.share("another")

    assert (sharing.state, sharing.result, called) == (State.SHARED, "result", ["a", "b"])


async def test_nothing_to_send() -> None:
    """It is shared like a result."""
    sharing, called = led()

    sharing.share(None)

    assert (sharing.state, sharing.result, called) == (State.SHARED, None, ["a", "b"])


async def test_a_touch_on_the_loop() -> None:
    """It is decided at once, and what the leader shares later is its own."""
    sharing, called = led()

    sharing.make_personal()
    assert (sharing.state, called) == (State.PERSONAL, ["a", "b"])
    sharing.share("result")

    assert (sharing.state, sharing.result, called) == (State.PERSONAL, None, ["a", "b"])


async def test_a_touch_in_a_thread() -> None:
    """It is decided on the loop."""
    sharing, called = Sharing(), Notes[int]()
    sharing.lead()
    sharing.wait(lambda: called.add(threading.get_ident()))

    await asyncio.to_thread(sharing.make_personal)
    await called.reached(1)

    assert sharing.state is State.PERSONAL
    assert called == [threading.get_ident()]


async def test_a_touch_on_another_loop() -> None:
    """It is decided on its own."""
    sharing, called = Sharing(), Notes[int]()
    sharing.lead()
    sharing.wait(lambda: called.add(threading.get_ident()))

    async def touch() -> None:
        sharing.make_personal()

    await asyncio.to_thread(asyncio.run, touch())
    await called.reached(1)

    assert called == [threading.get_ident()]


async def test_a_leader_who_gives_up() -> None:
    """Those who wait are called back, and the first of them leads."""
    sharing, called = led()

    sharing.give_up()
    assert (sharing.state, called) == (State.OPEN, ["a", "b"])
    sharing.lead()
    sharing.share("result")

    assert (sharing.state, sharing.result) == (State.SHARED, "result")


async def test_a_leader_who_gives_up_too_late() -> None:
    """What is decided stays."""
    shared, _ = led()
    shared.share("result")
    personal, _ = led()
    personal.make_personal()

    shared.give_up()
    personal.give_up()

    assert (shared.state, personal.state) == (State.SHARED, State.PERSONAL)


async def test_a_touch_when_it_is_too_late() -> None:
    """A shared result stays shared: nothing of the touch can be in it."""
    sharing, _ = led()
    sharing.share("result")

    sharing.make_personal()

    assert (sharing.state, sharing.result) == (State.SHARED, "result")
