"""What a thread puts into a SqliteChannelLayer by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer
from pytest_django import Settings

from django_gqlws.broker import process
from django_gqlws.broker.bus import Message
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.handover import Handover
from django_gqlws.broker.process import send_from_thread
from django_gqlws.counters import counters
from django_gqlws.exceptions import BacklogError, BroadcastError
from django_gqlws.layers import SqliteChannelLayer, file, writer
from django_gqlws.layers.replies import ThreadReply
from tests.integration.conftest import sqlite_layer
from tests.support.notes import LIMIT

pytestmark = pytest.mark.usefixtures("no_background")

Listen = Callable[[int], Coroutine[Any, Any, list[Envelope]]]


@pytest.fixture
async def listen(settings: Settings, tmp_path: Path) -> AsyncIterator[Listen]:
    """A function that waits for so many messages to the group, as another process would."""
    settings.CHANNEL_LAYERS = sqlite_layer(tmp_path)
    projects = get_channel_layer()  # Of threads that ask first at the same moment each would make one.
    layer = SqliteChannelLayer(tmp_path / "channels.sqlite3")
    channel = await layer.new_channel()
    await layer.group_add("room", channel)

    async def listen(count: int) -> list[Envelope]:
        async with asyncio.timeout(LIMIT):
            return [Envelope.from_message(await layer.receive(channel)) for _ in range(count)]

    yield listen
    await layer.close()
    await projects.close()


def to_room(text: str) -> Message:
    return Message(Kind.EVENT, "room", text.encode())


async def test_a_thread_without_a_loop(listen: Listen) -> None:
    """Its messages arrive in their order, those of one sender that counts, and no loop is started for it."""
    await asyncio.to_thread(send_from_thread, to_room("first"), to_room("second"))
    await asyncio.to_thread(send_from_thread, to_room("third"))

    got = await listen(3)
    assert [envelope.payload for envelope in got] == [b"first", b"second", b"third"]
    assert [envelope.sequence for envelope in got] == [1, 2, 3]
    assert len({envelope.sender for envelope in got}) == 1
    assert process._background.running is None


async def test_several_threads(listen: Listen) -> None:
    """Their messages get into the file in the order of their numbers: none looks lost."""
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send_from_thread, to_room(str(number))) for number in range(200)]

        assert [envelope.sequence for envelope in await listen(200)] == list(range(1, 201))
    assert [future.result() for future in sent] == [None] * 200


async def test_a_layer_that_takes_its_time(listen: Listen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread gives up and says so; the message arrives when the layer comes to it."""
    monkeypatch.setattr(file, "PATIENCE", LIMIT)
    handover, failures = Handover(get_channel_layer()), counters.send_failures
    with closing(sqlite3.connect(tmp_path / "channels.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BroadcastError, match="no answer within"):
            await asyncio.to_thread(handover.send, [to_room("late")], 0.01)
        other.execute("ROLLBACK")

    assert [envelope.payload for envelope in await listen(1)] == [b"late"]
    assert counters.send_failures == failures + 1


async def test_a_message_that_the_layer_refuses(listen: Listen) -> None:
    """The thread gets the layer's reason."""
    with pytest.raises(BroadcastError, match="TypeError"):
        await asyncio.to_thread(send_from_thread, Message(Kind.EVENT, "no group!", b""))


async def test_too_many_messages_wait(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread gets the same error as over an event loop."""
    monkeypatch.setattr(writer, "MAX_WAITING", 1)

    with pytest.raises(BacklogError):
        await asyncio.to_thread(send_from_thread, to_room("one"), to_room("one too many"))


class TimeIsOver(Exception):
    """What a worker's time limit raises in the middle of what it runs."""


async def test_the_sender_is_interrupted(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets what has interrupted it, at once; the message is the layer's already."""

    def interrupted(*_: object) -> None:
        raise TimeIsOver

    with monkeypatch.context() as patch, pytest.raises(TimeIsOver):
        patch.setattr(ThreadReply, "wait", interrupted)
        await asyncio.to_thread(send_from_thread, to_room("first"), to_room("second"))

    assert [envelope.payload for envelope in await listen(2)] == [b"first", b"second"]


class OwnLayer(SqliteChannelLayer):
    """Sends in a way of its own, perhaps."""


def test_a_subclass_of_the_layer(tmp_path: Path) -> None:
    """There is no way past what it may have changed: an event loop sends."""
    with pytest.raises(LookupError):
        Handover(OwnLayer(tmp_path / "channels.sqlite3"))
