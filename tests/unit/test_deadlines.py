"""Noticing what takes too long, and only that."""

from __future__ import annotations

import asyncio
from functools import partial

from django_gqlws.deadlines import Deadlines
from tests.support.clock import pass_time
from tests.support.notes import LIMIT, Notes


async def test_what_is_late() -> None:
    """It is called back once, in the order in which it was started; what was stopped is not."""
    deadlines, late = Deadlines(0.01), Notes[str]()
    for name in "abc":
        deadlines.start(name, partial(late.add, name))

    deadlines.stop("b")
    await late.reached(2)
    deadlines.start("d", partial(late.add, "d"))
    await late.reached(3)

    assert late == ["a", "c", "d"]


async def test_what_ends_when_its_time_is_over() -> None:
    """It ended, whatever the clock says: nobody is called back for it."""
    deadlines, late = Deadlines(LIMIT), Notes[str]()
    loop = asyncio.get_running_loop()
    deadlines.start("ends", partial(late.add, "ends"))
    # A timer right in front of the deadline's, whose callback comes in the same round of the loop.
    loop.call_later(LIMIT - 1, loop.call_soon, deadlines.stop, "ends")

    pass_time(LIMIT)
    deadlines.start("last", partial(late.add, "last"))
    await asyncio.sleep(0)
    pass_time(LIMIT)
    await late.reached(1)

    assert late == ["last"]


async def test_one_that_stops_another() -> None:
    """Both were late; the second is not called back."""
    deadlines, late = Deadlines(LIMIT), Notes[str]()

    def first() -> None:
        late.add("first")
        deadlines.stop("second")

    deadlines.start("first", first)
    deadlines.start("second", partial(late.add, "second"))
    pass_time(LIMIT)
    await late.reached(1)
    deadlines.start("last", partial(late.add, "last"))
    pass_time(LIMIT)
    await late.reached(2)

    assert late == ["first", "last"]
