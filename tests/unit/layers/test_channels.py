"""The channels of a process, without a file and without threads."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest
from channels.exceptions import ChannelFull

from django_gqlws.layers.channels import Channels
from django_gqlws.layers.log import Entry, Kind
from django_gqlws.layers.replies import Reply
from tests.unit.layers.conftest import Clock

CAPACITY = 3
MINE, ALSO_MINE, FOREIGN = "a.me!1", "a.me!2", "a.other!1"
FOREVER = float("inf")

positions = count(1)


def entry(kind: Kind, target: str, message: bytes = b"", expires: float = FOREVER) -> Entry:
    """A row of the log."""
    return Entry(next(positions), kind, target, message, expires)


@pytest.fixture
def channels(time: Clock) -> Channels:
    """Those of the process `me`."""
    return Channels("me", lambda channel: CAPACITY)


def fetch(channels: Channels, name: str) -> list[bytes]:
    """All messages that wait in a channel."""

    async def take() -> list[bytes]:
        messages = []
        with channels.receiving(name) as channel:
            while isinstance(found := channels.take(channel), bytes):
                messages.append(found)
            channels.stop_waiting(channel, found)
        return messages

    return asyncio.run(take())


def test_messages_to_channels(channels: Channels) -> None:
    """Those of this process are kept, others are not."""
    channels.dispatch([entry(Kind.CHANNEL, MINE, b"1"), entry(Kind.CHANNEL, FOREIGN, b"2")])

    assert fetch(channels, MINE) == [b"1"]
    assert channels._channels == {}


def test_messages_to_groups(channels: Channels) -> None:
    """Their members get them, by their place in the log."""
    channels.dispatch(
        [
            entry(Kind.GROUP, "group", b"too early"),
            entry(Kind.JOIN, "group", MINE.encode()),
            entry(Kind.JOIN, "group", FOREIGN.encode()),
            entry(Kind.GROUP, "group", b"in time"),
            entry(Kind.GROUP, "other", b"to others"),
            entry(Kind.LEAVE, "group", MINE.encode()),
            entry(Kind.GROUP, "group", b"too late"),
        ]
    )

    assert fetch(channels, MINE) == [b"in time"]


def test_a_full_channel(channels: Channels, caplog: pytest.LogCaptureFixture) -> None:
    """The oldest are dropped and counted; one line in the log."""
    channels.join("group", MINE, FOREVER)
    channels.dispatch(entry(Kind.GROUP, "group", b"%d" % number) for number in range(5))

    assert fetch(channels, MINE) == [b"2", b"3", b"4"]
    assert channels.counters.dropped == 2
    assert len(caplog.records) == 1


def test_room_is_reserved_for_what_is_on_its_way(channels: Channels) -> None:
    """As many can be sent at the same time as there is room."""
    with channels.reserving(MINE), channels.reserving(MINE), channels.reserving(MINE), pytest.raises(ChannelFull):
        channels.reserving(MINE).__enter__()

    with channels.reserving(MINE):
        pass


def test_a_message_expires(channels: Channels, time: Clock) -> None:
    """It is counted and not received; the others are."""
    channels.dispatch([entry(Kind.CHANNEL, MINE, b"1", time.now + 1), entry(Kind.CHANNEL, MINE, b"2")])
    time.advance(1)

    assert fetch(channels, MINE) == [b"2"]
    assert channels.counters.expired == 1


def test_nobody_fetches_the_messages_of_a_member(channels: Channels, time: Clock) -> None:
    """When one has expired, it is taken for dead: it is in no group any more."""
    channels.join("group", MINE, FOREVER)
    channels.dispatch([entry(Kind.GROUP, "group", b"1", time.now + 1)])
    time.advance(1)

    channels.sweep()
    channels.dispatch([entry(Kind.GROUP, "group", b"2")])

    assert fetch(channels, MINE) == []
    assert channels._groups == {}


async def test_a_member_is_waiting_for_messages(channels: Channels, time: Clock) -> None:
    """It stays in its groups, however busy its loop is."""
    channels.join("group", MINE, FOREVER)
    with channels.receiving(MINE) as channel:
        waiter = channels.take(channel)
        channels.dispatch([entry(Kind.GROUP, "group", b"1", time.now + 1)])
        time.advance(1)

        channels.sweep()
        channels.dispatch([entry(Kind.GROUP, "group", b"2")])

        assert isinstance(waiter, Reply)
        await waiter.wait()
        assert channels.take(channel) == b"2"


def test_the_loop_of_a_member_is_closed(channels: Channels) -> None:
    """The channel is given up, with its messages."""
    channels.join("group", MINE, FOREVER)
    channels.join("group", ALSO_MINE, FOREVER)
    assert fetch(channels, MINE) == []  # On a loop that is closed then.
    channels.dispatch([entry(Kind.GROUP, "group", b"1")])

    channels.sweep()

    assert set(channels._groups["group"]) == {ALSO_MINE}
    assert set(channels._channels) == {ALSO_MINE}


def test_a_membership_expires(channels: Channels, time: Clock) -> None:
    """The member gets nothing any more, also before it is swept away."""
    channels.join("group", MINE, time.now + 1)
    channels.dispatch([entry(Kind.GROUP, "group", b"1")])
    time.advance(1)
    channels.dispatch([entry(Kind.GROUP, "group", b"2")])
    channels.sweep()

    assert fetch(channels, MINE) == [b"1"]
    assert channels._groups == {}


def test_flush(channels: Channels) -> None:
    """Everything is forgotten."""
    channels.join("group", MINE, FOREVER)
    channels.dispatch([entry(Kind.GROUP, "group", b"1"), entry(Kind.FLUSH, ""), entry(Kind.GROUP, "group", b"2")])

    assert fetch(channels, MINE) == []
    assert channels._channels == {}


def test_a_channel_that_is_not_used_any_more(channels: Channels) -> None:
    """Nothing of it stays behind."""
    channels.join("group", MINE, FOREVER)
    channels.dispatch([entry(Kind.GROUP, "group", b"1")])
    channels.leave("group", MINE)
    assert fetch(channels, MINE) == [b"1"]

    assert (channels._channels, channels._groups) == ({}, {})


async def test_who_was_woken_is_cancelled(channels: Channels) -> None:
    """Another one who waits gets the message."""
    received: list[Any] = []

    async def receive() -> None:
        with channels.receiving(MINE) as channel:
            while isinstance(found := channels.take(channel), Reply):
                try:
                    await found.wait()
                finally:
                    channels.stop_waiting(channel, found)
            received.append(found)

    first, second = asyncio.create_task(receive()), asyncio.create_task(receive())
    await asyncio.sleep(0)

    channels.dispatch([entry(Kind.CHANNEL, MINE, b"1")])
    first.cancel()
    await asyncio.wait([first, second])

    assert received == [b"1"]
