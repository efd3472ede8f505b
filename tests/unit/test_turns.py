"""How many may run at the same time."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from django_gqlws.turns import Turns
from tests.support.notes import Notes


async def pass_on() -> None:
    """Let whoever was called soon run, and those whom they call."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_as_many_as_may() -> None:
    """They begin at once."""
    turns, began = Turns(2), list[str]()

    for name in "abc":
        turns.enter(partial(began.append, name))

    assert began == ["a", "b"]


async def test_those_who_wait() -> None:
    """One begins for each turn that ends, in the order in which they came."""
    turns, began = Turns(1), list[str]()
    for name in "abc":
        turns.enter(partial(began.append, name))

    turns.leave()
    await pass_on()
    assert began == ["a", "b"]
    turns.leave()
    await pass_on()

    assert began == ["a", "b", "c"]


async def test_a_turn_that_ends_with_nobody_waiting() -> None:
    """The next one begins at once."""
    turns, began = Turns(1), list[str]()
    turns.enter(partial(began.append, "a"))
    turns.leave()

    turns.enter(partial(began.append, "b"))

    assert began == ["a", "b"]


async def test_no_limit() -> None:
    """Everybody begins at once."""
    turns, began = Turns(None), list[int]()

    for number in range(100):
        turns.enter(partial(began.append, number))

    assert began == list(range(100))


async def test_a_long_line_of_quick_ones() -> None:
    """Each begins from the event loop, not from the one before."""
    turns, ended = Turns(1), Notes[int]()

    def run(number: int) -> None:
        ended.add(number)
        turns.leave()

    turns.enter(lambda: None)
    for number in range(5_000):
        turns.enter(partial(run, number))
    turns.leave()
    await ended.reached(5_000)

    assert ended == list(range(5_000))


async def test_coroutines_and_callbacks() -> None:
    """They stand in the same line."""
    turns, began = Turns(1), list[str]()

    async def run(name: str) -> None:
        async with turns:
            began.append(name)
            await asyncio.sleep(0)

    turns.enter(partial(began.append, "a"))
    task = asyncio.create_task(run("b"))
    await pass_on()
    turns.enter(partial(began.append, "c"))
    assert began == ["a"]
    turns.leave()
    await task
    await pass_on()

    assert began == ["a", "b", "c"]


async def test_a_coroutine_that_raises() -> None:
    """Its turn ends."""
    turns, began = Turns(1), list[str]()

    with pytest.raises(ValueError, match="no"):
        async with turns:
            raise ValueError("no")
    turns.enter(partial(began.append, "next"))

    assert began == ["next"]


@pytest.mark.parametrize("when", ["waiting", "granted"])
async def test_a_coroutine_that_is_cancelled(when: str) -> None:
    """It leaves the line, also if its turn has just come; nobody behind it waits for ever."""
    turns, began = Turns(1), list[str]()

    async def run(name: str) -> None:
        async with turns:
            began.append(name)

    turns.enter(lambda: None)
    cancelled, behind = asyncio.create_task(run("cancelled")), asyncio.create_task(run("behind"))
    await pass_on()

    if when == "waiting":
        cancelled.cancel()
        await pass_on()
        turns.leave()
    else:
        turns.leave()
        # The turn is granted by the next callback; the cancellation is right behind it.
        asyncio.get_running_loop().call_soon(cancelled.cancel)
    await asyncio.wait([cancelled])
    await behind

    assert cancelled.cancelled()
    assert began == ["behind"]
    turns.enter(partial(began.append, "next"))
    assert began == ["behind", "next"]
