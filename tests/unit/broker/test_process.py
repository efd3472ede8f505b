"""The way from plain threads to an event loop of the process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from django_gqlws.broker import process
from django_gqlws.broker.process import Broker, current_broker, run_from_thread
from django_gqlws.exceptions import BroadcastError, RunningLoopError


@pytest.fixture(autouse=True)
def background_ends() -> Iterator[None]:
    yield
    process._background.stop()


async def note_loop(loops: list[asyncio.AbstractEventLoop]) -> None:
    loops.append(asyncio.get_running_loop())


async def test_each_loop_has_one_broker() -> None:
    """It is the same each time."""
    assert current_broker() is current_broker()


def test_the_broker_of_a_closed_loop() -> None:
    """It is forgotten with the next one."""
    brokers = [asyncio.run(get_broker()) for _ in range(3)]

    assert len({id(broker) for broker in brokers}) == 3
    assert sum(loop.is_closed() for loop in process._brokers) <= 1


async def get_broker() -> Broker:
    return current_broker()


async def test_a_thread_beside_a_loop_that_serves() -> None:
    """It sends on that loop."""
    current_broker()
    loops: list[asyncio.AbstractEventLoop] = []

    await asyncio.to_thread(run_from_thread, lambda broker: note_loop(loops))

    assert loops == [asyncio.get_running_loop()]


def test_a_thread_without_a_loop() -> None:
    """All sends share one loop and one broker in the background."""
    brokers: list[Broker] = []

    async def note(broker: Broker) -> None:
        brokers.append(broker)

    run_from_thread(note)
    run_from_thread(note)

    assert brokers[0] is brokers[1]


def test_an_error_of_the_send() -> None:
    """It is raised where the send was made."""

    async def fail(broker: Broker) -> None:
        raise BroadcastError("no")

    with pytest.raises(BroadcastError, match="no"):
        run_from_thread(fail)


def test_a_send_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread gives up with an error, and the send with it."""
    monkeypatch.setattr(process, "SEND_TIMEOUT", 0.01)

    async def hang(broker: Broker) -> None:
        await asyncio.Event().wait()

    with pytest.raises(BroadcastError, match=r"within 0\.01 seconds"):
        run_from_thread(hang)
    monkeypatch.undo()


async def test_on_a_running_loop() -> None:
    """It is refused: it would wait for itself."""
    with pytest.raises(RunningLoopError, match=r"await the \.\.\._async method"):
        run_from_thread(lambda broker: note_loop([]))
