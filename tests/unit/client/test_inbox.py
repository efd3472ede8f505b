"""Messages that wait for their reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from django_gqlws.client.inbox import Demand, Inbox

A1, A2, B1 = {"id": "a", "n": 1}, {"id": "a", "n": 2}, {"id": "b", "n": 1}


def inbox_of(*messages: dict[str, Any], limit: int = 10, demand: Demand | None = None) -> Inbox:
    inbox = Inbox(demand or Demand(), limit)
    for message in messages:
        inbox.put(message)
    return inbox


async def waiting(awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
    """A task that has come to its first wait."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def reads(demand: Demand) -> bool:
    """Whether somebody who reads from the connection would go on now."""
    try:
        async with asyncio.timeout(0):
            await demand.wait()
    except TimeoutError:
        return False
    return True


async def test_the_order() -> None:
    """Messages come out as they went in."""
    inbox = inbox_of(A1, B1, A2)

    assert [await inbox.get() for _ in range(3)] == [A1, B1, A2]


async def test_waiting_for_an_id() -> None:
    """What came before is dropped."""
    inbox = inbox_of(A1, B1, A2)

    assert await inbox.get("b") == B1
    assert await inbox.get() == A2


async def test_two_who_wait_for_different_ids() -> None:
    """Neither loses what the other skips."""
    inbox = inbox_of()
    a, b = await waiting(inbox.get("a")), await waiting(inbox.get("b"))

    inbox.put(B1)
    inbox.put(A1)

    assert (await a, await b) == (A1, B1)


async def test_a_reader_who_is_cancelled() -> None:
    """The message that it was about to get is there for the next."""
    inbox = inbox_of()
    reader = await waiting(inbox.get())

    inbox.put(A1)
    reader.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await inbox.get() == A1


async def test_the_end() -> None:
    """What came before it can still be read; then everybody gets the error."""
    inbox = inbox_of(A1)
    await inbox.get()
    readers = [await waiting(inbox.get()), await waiting(inbox.get("a"))]

    inbox.put(A2)
    inbox.end(EOFError("over"))

    assert await readers[0] == A2
    with pytest.raises(EOFError, match="over"):
        await readers[1]
    with pytest.raises(EOFError, match="over"):
        await inbox.get()


async def test_a_new_beginning() -> None:
    """After an end messages may come again."""
    inbox = inbox_of()
    inbox.end(EOFError())

    inbox.begin()
    inbox.put(A1)

    assert await inbox.get() == A1


async def test_a_full_inbox() -> None:
    """Nothing more is read until somebody has read from it."""
    demand = Demand()
    inbox = inbox_of(A1, A2, limit=2, demand=demand)
    assert not await reads(demand)

    await inbox.get()

    assert await reads(demand)


async def test_a_full_inbox_while_somebody_waits_for_another() -> None:
    """Reading goes on as long as the other waits: what is asked for may be behind what is not read."""
    demand = Demand()
    full, other = inbox_of(A1, A2, limit=2, demand=demand), inbox_of(demand=demand)

    reader = await waiting(other.get())
    assert await reads(demand)
    other.put(B1)
    await reader

    assert full.is_full
    assert not await reads(demand)


async def test_a_full_inbox_that_is_discarded() -> None:
    """It keeps nobody from reading."""
    demand = Demand()
    inbox = inbox_of(A1, A2, limit=2, demand=demand)

    inbox.discard()

    assert await reads(demand)


async def test_skipping_in_a_full_inbox() -> None:
    """What is skipped makes room as well."""
    demand = Demand()
    inbox = inbox_of(A1, B1, limit=2, demand=demand)

    await inbox.get("b")

    assert await reads(demand)
